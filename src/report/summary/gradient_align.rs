//! The table of `fsa gradient-align`: the first probe against the last.

use super::{decimals, interval, markdown};
use crate::error::Result;
use crate::report::names;
use crate::report::rows::{GradientAlignRow, Scope};
use crate::report::view::{View, WITHOUT_EMBEDDINGS};

/// Groups of the last decoder layer, in the order of the table.
const GROUPS: [(&str, &str); 7] = [
    ("mlp", "MLP"),
    ("self.query", "self-attention query"),
    ("self.key", "self-attention key"),
    ("self.value", "self-attention value"),
    ("cross.query", "cross-attention query"),
    ("cross.key", "cross-attention key"),
    ("cross.value", "cross-attention value"),
];

const HEADER: [&str; 6] = ["part", "step", "cosine [95 % interval]", "yardstick", "norm full", "norm format"];

/// The first and the last probe of the whole model and of the last decoder layer's groups. `-` is a missing value.
pub fn gradient_align(rows: &[GradientAlignRow]) -> Result<String> {
    let view = View::new(rows)?;
    let mut table = Vec::new();
    for step in view.ends() {
        table.push(line("model without embeddings", step, view.row(Scope::Model, WITHOUT_EMBEDDINGS, step)));
    }
    if let Some(layer) = view.last_layer() {
        for (group, label) in GROUPS {
            for step in view.ends() {
                table.push(line(&format!("{layer} {label}"), step, view.group(layer, group, step)));
            }
        }
    }
    Ok(format!(
        "{}\n\nThe yardstick is the cosine between two shuffles' format gradients; norms are per example.\n\n{}",
        view.signature(),
        markdown(&HEADER.map(String::from), &table)
    ))
}

/// The first and the last probe of the whole model, method by method.
pub fn gradient_align_methods(methods: &[Vec<GradientAlignRow>]) -> Result<String> {
    let views = methods.iter().map(|rows| View::new(rows)).collect::<Result<Vec<_>>>()?;
    let Some(first) = views.first() else { return Ok(String::new()) };
    let of = |view: &View| -> Vec<[String; 6]> {
        let row = |step| view.row(Scope::Model, WITHOUT_EMBEDDINGS, step);
        view.ends().into_iter().map(|step| line(&names::method(view.method()), step, row(step))).collect()
    };
    let table: Vec<[String; 6]> = views.iter().flat_map(of).collect();
    let header = ["method", HEADER[1], HEADER[2], HEADER[3], HEADER[4], HEADER[5]].map(String::from);
    Ok(format!(
        "{}, {}; model without embeddings, each method's last stage\n\n\
         The yardstick is the cosine between two shuffles' format gradients; norms are per example.\n\n{}",
        first.target(),
        first.setting(),
        markdown(&header, &table)
    ))
}

fn line(part: &str, step: u64, row: Option<&GradientAlignRow>) -> [String; 6] {
    [
        part.to_string(),
        step.to_string(),
        interval(row.map(|row| (row.cosine, row.cosine_lo, row.cosine_hi)), 3),
        decimals(row.and_then(|row| row.yardstick), 3),
        digits(row.map(|row| row.norm_full)),
        digits(row.map(|row| row.norm_format)),
    ]
}

/// Three digits, whatever the size: norms span many decades.
fn digits(value: Option<f64>) -> String {
    match value {
        None => "-".into(),
        Some(value) if value == 0.0 || (1e-2..1e4).contains(&value.abs()) => format!("{value:.3}"),
        Some(value) => format!("{value:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::rows_file::tests::row;

    #[test]
    fn first_against_last_with_dashes_for_missing() {
        let rows = [
            row(0, WITHOUT_EMBEDDINGS),
            row(50, WITHOUT_EMBEDDINGS),
            row(100, WITHOUT_EMBEDDINGS),
            row(0, "decoder.7/mlp"),
            GradientAlignRow { cosine: None, yardstick: None, norm_full: 1.5e-7, ..row(100, "decoder.7/mlp") },
            GradientAlignRow { cosine_lo: None, cosine_hi: None, ..row(100, "decoder.7/cross.key") },
        ];
        let text = gradient_align(&rows).unwrap();
        let line = |start: &str, step: &str| {
            let found = text.lines().find(|line| line.starts_with(start) && line.contains(&format!(" {step} |")));
            found.unwrap().split('|').map(str::trim).map(String::from).collect::<Vec<_>>()
        };
        assert_eq!(line("| model", "0")[3..7], ["0.500 [0.250, 0.750]", "0.875", "1.500", "0.750"]);
        assert_eq!(line("| decoder.7 MLP", "100")[3..7], ["-", "-", "1.50e-7", "0.750"]);
        assert_eq!(line("| decoder.7 cross-attention key", "0")[3..7], ["-", "-", "-", "-"]);
        assert_eq!(line("| decoder.7 cross-attention key", "100")[3], "0.500");
        assert!(!text.contains(" 50 |"));
        let table: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(table.len(), 2 + 2 * 8);
        assert!(table.iter().all(|line| line.len() == table[0].len()));
    }

    #[test]
    fn one_probe_is_listed_once() {
        let text = gradient_align(&[row(0, WITHOUT_EMBEDDINGS)]).unwrap();
        assert_eq!(text.lines().filter(|line| line.starts_with("| model")).count(), 1);
        assert!(gradient_align(&[]).is_err());
    }
}
