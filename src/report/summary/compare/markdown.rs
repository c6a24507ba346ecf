//! The paper's table as Markdown.

use super::block::{self, Block, Cell, blocks};
use crate::report::compare_view::CompareView;
use crate::report::summary::markdown as grid;
use crate::report::{CompareSummaryRow, names};

/// `table.md`: a table for each target and number of shots, and where there are several seeds a line for each of them.
/// `by_seed` has the summaries of each seed alone; `signature` is what decides the numbers.
pub fn table_md(
    view: &CompareView,
    summaries: &[CompareSummaryRow],
    by_seed: &[(u64, Vec<CompareSummaryRow>)],
    signature: &str,
) -> String {
    let mut text = format!("# Methods side by side\n\n{}\n", view.signature());
    for block in blocks(view, summaries) {
        text.push_str(&format!("\n## {}\n\n{}\n{}\n", block.title, lines(&block), block.notes.join(" ")));
    }
    if by_seed.len() > 1 {
        text.push_str("\n## Seed by seed\n\n");
        text.push_str(&seeds(view, by_seed));
    }
    text.push_str(&format!("\nSignature: `{}`\n", signature.replace('`', "'")));
    text
}

fn lines(block: &Block) -> String {
    let header: Vec<String> = std::iter::once("").chain(block.methods.iter().map(String::as_str)).map(escape).collect();
    let rows: Vec<Vec<String>> = block
        .lines
        .iter()
        .map(|line| std::iter::once(escape(&line.name)).chain(line.cells.iter().map(cell)).collect())
        .collect();
    grid(&header, &rows)
}

fn cell(cell: &Cell) -> String {
    let Some(mean) = &cell.mean else { return "-".into() };
    let mut text = mean.clone();
    if let Some(half) = &cell.half {
        text.push_str(&format!(" ± {half}"));
    }
    if cell.best {
        text = format!("**{text}**");
    }
    if let Some(delta) = &cell.delta {
        text.push_str(&format!(" ({delta})"));
    }
    if cell.attached {
        text.push_str(" †");
    }
    text
}

/// Each seed's target, means and label ratio.
fn seeds(view: &CompareView, by_seed: &[(u64, Vec<CompareSummaryRow>)]) -> String {
    let columns = [
        ("target", "target", 2),
        ("norm_avg", "Norm. Avg.", 2),
        ("matched", "matched", 2),
        ("mismatched", "mismatched", 2),
        ("label_ratio", "label ratio", 2),
    ];
    let header: Vec<String> = ["fine-tuned on", "shots", "method", "seed"]
        .into_iter()
        .chain(columns.iter().map(|(_, name, _)| *name))
        .map(String::from)
        .collect();
    let mut rows = Vec::new();
    for &target in view.targets() {
        for shots in block::shots(view, target) {
            for method in view.methods(target) {
                for (seed, summaries) in by_seed {
                    let mut row = vec![
                        escape(names::task(target)),
                        shots.map_or_else(|| "-".to_string(), |shots| shots.to_string()),
                        escape(&names::method(method)),
                        seed.to_string(),
                    ];
                    row.extend(columns.iter().map(|(measure, _, places)| {
                        let found = block::find(summaries, target, method, shots, measure);
                        super::decimals(found.map(|row| row.mean), *places)
                    }));
                    rows.push(row);
                }
            }
        }
    }
    grid(&header, &rows)
}

/// A name as a cell may hold it.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ")
}
