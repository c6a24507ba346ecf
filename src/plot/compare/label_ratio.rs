//! How often other tasks' outputs are the target's label words, method by method.

use super::Comparison;
use super::bars::{self, Bar, Block, Chart};
use crate::error::Result;
use crate::plot::Figure;
use crate::plot::series::finite;
use crate::plot::theme::{SOLID, fill};
use crate::plot::two_axes::Axis;
use crate::report::names;

/// Panels side by side.
const COLUMNS: usize = 3;

/// Draws it; none where no target has label words.
pub fn draw(of: &Comparison) -> Result<Option<Figure>> {
    let bar = |target: &str, method: &str, shots: u64| {
        let row = of.summary(target, method, Some(shots), "label_ratio");
        let interval = row.and_then(|row| finite(row.lo).zip(finite(row.hi)));
        Bar { value: row.and_then(|row| finite(Some(row.mean))), interval, mark: None }
    };
    let methods = of.methods();
    let has = |target: &&str| {
        let shots = of.view.shots(target);
        methods.iter().any(|method| shots.iter().any(|shots| bar(target, method, *shots).value.is_some()))
    };
    let targets: Vec<&str> = of.view.targets().iter().copied().filter(has).collect();
    if targets.is_empty() {
        return Ok(None);
    }
    let mut shots: Vec<u64> = targets.iter().flat_map(|target| of.view.shots(target)).collect();
    shots.sort_unstable();
    shots.dedup();
    let rows = targets.len().div_ceil(COLUMNS);
    let blocks = targets.chunks(targets.len().div_ceil(rows)).map(|targets| Block {
        title: String::new(),
        columns: targets.iter().map(|target| format!("label words of {}", names::task(target))).collect(),
        groups: methods.iter().map(|method| names::method(method)).collect(),
        bars: targets
            .iter()
            .map(|target| {
                let group = |method: &&str| shots.iter().map(|shots| bar(target, method, *shots)).collect();
                methods.iter().map(group).collect()
            })
            .collect(),
        axis: Axis::shares("label ratio".into()),
    });
    let signature = of.view.signature();
    let caption = format!(
        "Label ratio by method: the share of outputs on mismatched tasks that are one of the target's label words, mean over \
         tasks and seeds; whiskers are 95 % t intervals over seeds. No bar: no value. {signature}."
    );
    let look = |index: usize| index.checked_sub(1).map_or(SOLID, fill);
    bars::draw(&Chart {
        name: "label_ratio_by_method",
        title: "Label ratio on mismatched tasks, method by method".into(),
        signature,
        caption,
        series: shots.iter().enumerate().map(|(index, shots)| (format!("{shots}-shot"), look(index))).collect(),
        blocks: blocks.collect(),
        interval: "95 % interval over seeds",
        mark: "",
    })
    .map(Some)
}
