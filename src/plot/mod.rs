//! Rows → figures (the only user of plotters); never computes.
//!
//! [`theme`] holds what all figures share, [`canvas`] and [`panel`] draw it, [`series`] and [`two_axes`] are of figures over
//! training, [`png`](mod@png) renders with the bundled font; each figure has its file, those of `fsa compare` their
//! folder. A missing value is a gap, or a mark that says so; never a zero.

mod canvas;
mod compare;
mod figure1;
mod figure2;
mod figure3;
mod figure7;
mod growth;
mod heatmap;
mod labels;
mod methods;
mod norms;
mod panel;
mod parts;
mod png;
mod series;
mod theme;
mod two_axes;

use crate::error::Result;
use crate::report::view::View;
use crate::report::{
    CheckpointRow, CompareSummaryRow, CompareView, GradientAlignRow, GrowthRow, LabelRatioRow, LabelView, TargetRow,
};

/// A drawn figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// File name without extension, such as `figure3`.
    pub name: &'static str,
    /// The figure as an SVG document.
    pub svg: String,
    /// What it shows and from which run: the caption, and the text that stands for the figure where it cannot be seen.
    pub caption: String,
}

impl Figure {
    /// The figure as PNG, with two pixels for each of the SVG's; it looks the same on every machine.
    pub fn png(&self) -> Result<Vec<u8>> {
        png::render(&self.svg)
    }
}

/// The figures of `fsa gradient-align`: `figure3` and `figure7` (the last decoder layer at the first and the last probe, and
/// at all of them; left out if the rows know no layers), `heatmap` (all layers) and `norms`.
pub fn gradient_align(rows: &[GradientAlignRow]) -> Result<Vec<Figure>> {
    let view = View::new(rows)?;
    let mut figures = Vec::new();
    if let Some(layer) = view.last_layer() {
        figures.push(figure3::draw(&view, layer)?);
        figures.push(figure7::draw(&view, layer)?);
    }
    if !view.layers().is_empty() {
        figures.push(heatmap::draw(&view)?);
    }
    figures.push(norms::draw(&view)?);
    Ok(figures)
}

/// The figure of `fsa gradient-align` of several methods, `methods`, from the rows of each.
pub fn gradient_align_methods(methods: &[Vec<GradientAlignRow>]) -> Result<Figure> {
    let views = methods.iter().map(|rows| View::new(rows)).collect::<Result<Vec<_>>>()?;
    methods::draw(&views)
}

/// The figures of `fsa label-ratio`: `figure1` (off-task scores) and `figure2` (label ratios, with `onset` marked, the
/// threshold of the run's spec), both with the target's score; `figure2` is left out if the target has no label words.
pub fn label_ratio(rows: &[LabelRatioRow], targets: &[TargetRow], onset: Option<f64>) -> Result<Vec<Figure>> {
    let view = LabelView::new(rows, targets)?;
    let mut figures = vec![figure1::draw(&view)?];
    if view.has_labels() {
        figures.push(figure2::draw(&view, onset)?);
    }
    Ok(figures)
}

/// The figure of `fsa bench --grow`: `growth`, seconds over what grows.
pub fn growth(rows: &[GrowthRow], signature: &str) -> Result<Figure> {
    growth::draw(rows, signature)
}

/// The figures of `fsa compare`: `figure5`, `figure6` and `trade_off` (the target's score against means of other tasks, a point
/// for each of the `checkpoints`), `label_ratio_by_method` and `tasks`, with the paper's numbers marked if `paper`. Left out is
/// what has nothing to show, but for `tasks`.
pub fn compare(
    view: &CompareView,
    summaries: &[CompareSummaryRow],
    checkpoints: &[CheckpointRow],
    paper: bool,
) -> Result<Vec<Figure>> {
    compare::draw(&compare::Comparison { view, summaries, checkpoints }, paper)
}

#[cfg(test)]
mod tests;
