//! The paper's figure 1: the target's score rises while off-task scores fall.

use super::Figure;
use super::labels::{axes, lines, metrics, reach, target};
use super::two_axes::{self, Axis, Chart};
use crate::error::Result;
use crate::report::LabelView;

/// Draws it.
pub fn draw(view: &LabelView) -> Result<Figure> {
    let signature = view.signature();
    let lines = lines(view, |row| (Some(row.score), row.score_lo, row.score_hi), |_| None);
    let metric = metrics(view);
    let right = Axis::scores(format!("off-task {metric}"), reach(&lines));
    let left = target(view);
    let caption = format!(
        "{} over training. Scores are of 100, bands are 95 % intervals. {signature}.",
        axes(view, left.as_ref().map(|(_, axis)| axis), &metric)
    );
    two_axes::draw(&Chart {
        name: "figure1",
        title: format!("Off-task scores while {} is learned", view.target_name()),
        signature,
        caption,
        steps: view.steps(),
        left,
        lines,
        right,
        thin: "",
        mark: None,
    })
}
