//! The figures of `fsa compare`: what a method gains on the target against what it costs elsewhere, by checkpoint, by task, in
//! label words.

mod bars;
mod label_ratio;
mod tasks;
mod trade_off;

use super::Figure;
use super::theme::{Fill, Look, REFERENCE, SOLID, fill, point};
use crate::error::Result;
use crate::report::names::{self, PRETRAINED};
use crate::report::{CheckpointRow, CompareSummaryRow, CompareView};

/// Everything that they show.
pub struct Comparison<'a> {
    /// The kept checkpoints' rows.
    pub view: &'a CompareView<'a>,
    /// Means over tasks and seeds.
    pub summaries: &'a [CompareSummaryRow],
    /// All checkpoints.
    pub checkpoints: &'a [CheckpointRow],
}

/// Draws those that have something to show.
pub fn draw(of: &Comparison, paper: bool) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for trade in trade_off::TRADES {
        figures.extend(trade_off::draw(of, &trade)?);
    }
    figures.extend(label_ratio::draw(of)?);
    figures.push(tasks::draw(of, paper)?);
    Ok(figures)
}

impl<'a> Comparison<'a> {
    /// Every method, the pretrained model first: its place says how it looks in all figures.
    fn methods(&self) -> Vec<&'a str> {
        let targets = self.view.targets().iter();
        let of_rows = targets.flat_map(|target| self.view.methods(target));
        let mut methods: Vec<&str> = Vec::new();
        for method in of_rows.chain(self.checkpoints.iter().map(|row| row.method.as_str())) {
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
        methods.sort_by_key(|method| *method != PRETRAINED);
        methods
    }

    /// Every method's name and how its points are drawn.
    fn looks(&self) -> Vec<(&'a str, String, Look)> {
        let methods = self.methods();
        let first = usize::from(methods.first() == Some(&PRETRAINED));
        let look = |index: usize| index.checked_sub(first).map_or(REFERENCE, point);
        methods.into_iter().enumerate().map(|(index, name)| (name, names::method(name), look(index))).collect()
    }

    /// The same of bars.
    fn fills(&self) -> Vec<(&'a str, String, Fill)> {
        let methods = self.methods();
        let first = usize::from(methods.first() == Some(&PRETRAINED));
        let look = |index: usize| index.checked_sub(first).map_or(SOLID, fill);
        methods.into_iter().enumerate().map(|(index, name)| (name, names::method(name), look(index))).collect()
    }

    /// The summary of one measure.
    fn summary(&self, target: &str, method: &str, shots: Option<u64>, measure: &str) -> Option<&'a CompareSummaryRow> {
        let mut of = self.summaries.iter().filter(|row| row.target == target && row.method == method);
        of.find(|row| row.shots == shots && row.measure == measure)
    }
}
