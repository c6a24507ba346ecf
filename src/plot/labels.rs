//! The lines of figures 1 and 2, from rows of `fsa label-ratio`.

use super::series::series;
use super::theme::{REFERENCE, other};
use super::two_axes::{Axis, Line, WIDTHS};
use crate::report::label_view::Evaluation;
use crate::report::{LabelRatioRow, LabelView, TargetRow, names};

/// A value and the ends of its interval.
type Measured = (Option<f64>, Option<f64>, Option<f64>);

/// A line per evaluation, and beside it a thin one.
pub fn lines(
    view: &LabelView,
    read: fn(&LabelRatioRow) -> Measured,
    thin: fn(&LabelRatioRow) -> Option<f64>,
) -> Vec<Line> {
    let line = |(index, of): (usize, &Evaluation)| {
        let every = |read: &dyn Fn(&LabelRatioRow) -> Option<f64>| {
            series(view.steps(), |step| view.row(of, step).and_then(read))
        };
        Line {
            label: of.label(),
            look: other(index),
            width: WIDTHS.1,
            values: every(&|row| read(row).0),
            low: every(&|row| read(row).1),
            high: every(&|row| read(row).2),
            thin: every(&thin),
        }
    };
    view.evaluations().iter().enumerate().map(line).collect()
}

/// The target's line and its axis, where it was scored.
pub fn target(view: &LabelView) -> Option<(Line, Axis)> {
    let metric = names::metric(&view.targets().next()?.metric);
    let every = |read: fn(&TargetRow) -> Option<f64>| series(view.steps(), |step| view.target(step).and_then(read));
    let line = Line {
        label: format!("{} (left axis)", view.target_name()),
        look: REFERENCE,
        width: WIDTHS.0,
        values: every(|row| Some(row.score)),
        low: every(|row| row.score_lo),
        high: every(|row| row.score_hi),
        thin: Vec::new(),
    };
    let axis = Axis::scores(format!("{metric} on {}", view.target_name()), reach([&line]));
    Some((line, axis))
}

/// The numbers that an axis of these lines must hold.
pub fn reach<'a>(lines: impl IntoIterator<Item = &'a Line>) -> impl Iterator<Item = f64> {
    lines.into_iter().flat_map(|line| line.values.iter().chain(&line.high)).filter_map(|(_, value)| *value)
}

/// What is drawn on which axis, for a caption: `TriviaQA 1-shot (em-trivia)` and the others with the exact names of their
/// scores.
pub fn axes(view: &LabelView, left: Option<&Axis>, right: &str) -> String {
    let names: Vec<String> = view.evaluations().iter().map(|of| format!("{} ({})", of.label(), of.metric)).collect();
    let right = format!("{right} on {} (right axis)", names.join(", "));
    let words = left.map_or_else(|| right.clone(), |left| format!("{} (left axis) and {right}", left.name));
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// What the evaluations' scores are called together.
pub fn metrics(view: &LabelView) -> String {
    let mut metrics = Vec::new();
    for metric in view.evaluations().iter().map(|of| names::metric(of.metric)) {
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    // An axis has room for two names.
    if metrics.len() > 2 { "score".into() } else { metrics.join(" or ") }
}
