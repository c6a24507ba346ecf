//! The paper's figure 2: off-task outputs turn into the target's label words.

use super::Figure;
use super::labels::{axes, lines, target};
use super::two_axes::{self, Axis, Chart};
use crate::error::Result;
use crate::report::{LabelView, onset};

/// Draws it; `threshold` is the label ratio that counts as the onset, to be marked.
pub fn draw(view: &LabelView, threshold: Option<f64>) -> Result<Figure> {
    let signature = view.signature();
    let name = view.target_name();
    let lines = lines(view, |row| (row.label_ratio, row.label_ratio_lo, row.label_ratio_hi), |row| row.label_mass);
    let left = target(view);
    let mut caption = format!(
        "{} over training. The label ratio is the share of outputs that are one of the label words of {name}. Bands are 95 % \
         intervals; thin lines are the label mass, the mean probability that an output begins with a label word.",
        axes(view, left.as_ref().map(|(_, axis)| axis), "label ratio")
    );
    if let Some(threshold) = threshold {
        let when = |of| match onset(view.probes(of), threshold).label {
            Some(step) => format!("{} from step {step}", of.label()),
            None => format!("{} never", of.label()),
        };
        let whens: Vec<String> = view.evaluations().iter().map(when).collect();
        caption.push_str(&format!(" The ratio's interval first lies above {threshold}: {}.", whens.join(", ")));
    }
    two_axes::draw(&Chart {
        name: "figure2",
        title: format!("Off-task outputs that are label words of {name}"),
        caption: format!("{caption} {signature}."),
        signature,
        steps: view.steps(),
        left,
        lines,
        right: Axis::shares("label ratio".into()),
        thin: "label mass",
        mark: threshold.map(|threshold| (threshold, format!("onset: label ratio {threshold}"))),
    })
}
