//! Tables of `fsa compare`: a line a method for the terminal, and the paper's table, a column a method, as Markdown and LaTeX.

mod block;
mod latex;
mod markdown;

pub use latex::table_tex;
pub use markdown::table_md;

use super::{decimals, markdown as grid};
use crate::report::compare_view::CompareView;
use crate::report::{CompareSummaryRow, names};

/// What the terminal shows of each method at each number of shots: target, means and label ratio, with half of the interval
/// over seeds where there are several.
pub fn compare(view: &CompareView, summaries: &[CompareSummaryRow]) -> String {
    let mut text = format!("{}\n", view.signature());
    for &target in view.targets() {
        for shots in block::shots(view, target) {
            let of = |method: &str, measure: &str| block::find(summaries, target, method, shots, measure);
            let has = |measure: &str| view.methods(target).iter().any(|method| of(method, measure).is_some());
            let columns = [
                ("target", names::task(target), 1),
                ("norm_avg", "Norm. Avg.", 1),
                ("matched", "matched", 1),
                ("mismatched", "mismatched", 1),
                ("label_ratio", "label ratio", 2),
            ];
            let columns: Vec<_> = columns.into_iter().filter(|(measure, ..)| has(measure)).collect();
            let header = std::iter::once("method").chain(columns.iter().map(|(_, name, _)| *name));
            let rows: Vec<Vec<String>> = view
                .methods(target)
                .into_iter()
                .map(|method| {
                    let cells = columns.iter().map(|(measure, _, places)| cell(of(method, measure), *places));
                    std::iter::once(names::method(method)).chain(cells).collect()
                })
                .collect();
            let asked = shots.map_or_else(String::new, |shots| format!(", other tasks {shots}-shot"));
            let header: Vec<String> = header.map(String::from).collect();
            text.push_str(&format!("\nFine-tuned on {}{asked}\n\n{}", names::task(target), grid(&header, &rows)));
        }
    }
    text
}

fn cell(row: Option<&CompareSummaryRow>, places: usize) -> String {
    let half = row.and_then(|row| Some((row.hi? - row.lo?) / 2.0));
    match (row, half) {
        (Some(row), Some(half)) => format!("{:.places$} ± {half:.places$}", row.mean),
        (row, _) => decimals(row.map(|row| row.mean), places),
    }
}

#[cfg(test)]
mod tests;
