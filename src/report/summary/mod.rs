//! Rows → a short table for the terminal that is valid Markdown too, one file for each command. `-` is a missing value.

mod compare;
mod gradient_align;
mod label_ratio;
mod mini;
mod paper;
mod pretrain;

pub use compare::{compare, table_md, table_tex};
pub use gradient_align::{gradient_align, gradient_align_methods};
pub use label_ratio::label_ratio;
pub use mini::{MiniRows, mini};
pub use paper::{examples_md, listing, scores_md, splits_md};
pub use pretrain::{pretrain, scores};

/// A table with what has to be said beside its numbers below it.
pub fn with_note(table: String, note: Option<&str>) -> String {
    match note {
        Some(note) => format!("{}\n\n{note}\n", table.trim_end()).trim_start().to_string(),
        None => table,
    }
}

fn decimals(value: Option<f64>, places: usize) -> String {
    value.map_or_else(|| "-".into(), |value| format!("{value:.places$}"))
}

/// A value with its interval, where it has one: `0.500 [0.250, 0.750]`.
fn interval(value: Option<(Option<f64>, Option<f64>, Option<f64>)>, places: usize) -> String {
    match value {
        Some((Some(value), Some(low), Some(high))) => format!("{value:.places$} [{low:.places$}, {high:.places$}]"),
        Some((value, ..)) => decimals(value, places),
        None => decimals(None, places),
    }
}

/// A Markdown table with aligned columns: the first to the left, numbers to the right.
fn markdown<R: AsRef<[String]>>(header: &[String], rows: &[R]) -> String {
    let lines = || std::iter::once(header).chain(rows.iter().map(AsRef::as_ref));
    let widths: Vec<usize> = (0..header.len())
        .map(|column| lines().map(|row| row[column].chars().count()).max().unwrap_or(0).max(2))
        .collect();
    let mut text = String::new();
    let mut push = |row: &[String]| {
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            text.push_str(&match column {
                0 => format!("| {cell:<width$} |"),
                _ => format!(" {cell:>width$} |"),
            });
        }
        text.push('\n');
    };
    push(header);
    let rule = |(column, width): (usize, &usize)| match column {
        0 => "-".repeat(*width),
        _ => format!("{}:", "-".repeat(width - 1)),
    };
    push(&widths.iter().enumerate().map(rule).collect::<Vec<_>>());
    rows.iter().for_each(|row| push(row.as_ref()));
    text
}
