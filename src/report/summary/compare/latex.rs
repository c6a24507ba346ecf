//! The paper's table as LaTeX, with booktabs.

use super::block::{Block, Cell, Line, blocks};
use crate::report::CompareSummaryRow;
use crate::report::compare_view::CompareView;

/// `table.tex`: a `table` for each target and number of shots, to be included in a paper. `signature` is what decides the
/// numbers.
pub fn table_tex(view: &CompareView, summaries: &[CompareSummaryRow], signature: &str) -> String {
    let tables = blocks(view, summaries);
    let tables = tables.iter().map(|block| table(block, &format!("{}. {signature}", view.signature())));
    format!("% Made by fsa compare. Needs \\usepackage{{booktabs}}.\n{}", tables.collect::<String>())
}

fn table(block: &Block, signature: &str) -> String {
    let columns = "r".repeat(block.methods.len());
    let methods: String = block.methods.iter().map(|method| format!(" & {}", escape(method))).collect();
    let lines: String = block.lines.iter().map(line).collect();
    // A signature is long: it may break at its bars, and at the signs between its hashes.
    format!(
        "\n\\begin{{table}}\n\\centering\n\\small\n\\caption{{{}. {}}}\n\\begin{{tabular}}{{l{columns}}}\n\\toprule\n{methods} \
         \\\\\n\\midrule\n{lines}\\bottomrule\n\\end{{tabular}}\n\n\\smallskip\\raggedright\\scriptsize {}\n\\end{{table}}\n",
        escape(&block.title),
        escape(&block.notes.join(" ")),
        escape(signature).replace('+', "+\\allowbreak{}")
    )
}

fn line(line: &Line) -> String {
    let rule = if line.rule { "\\midrule\n" } else { "" };
    let cells: String = line.cells.iter().map(|of| format!(" & {}", cell(of))).collect();
    format!("{rule}{}{cells} \\\\\n", escape(&line.name))
}

fn cell(cell: &Cell) -> String {
    let Some(mean) = &cell.mean else { return "--".into() };
    let mut text = mean.clone();
    if cell.best {
        text = format!("\\textbf{{{text}}}");
    }
    if let Some(half) = &cell.half {
        text.push_str(&format!(" $\\pm$ {half}"));
    }
    if let Some(delta) = &cell.delta {
        text.push_str(&format!(" ({})", escape(delta)));
    }
    if cell.attached {
        text.push_str("$^\\dagger$");
    }
    text
}

/// Text as LaTeX sets it, its special characters and fsa's own signs written out.
fn escape(text: &str) -> String {
    text.chars()
        .map(|char| match char {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => format!("\\{char}"),
            '\\' => "\\textbackslash{}".into(),
            '~' => "\\textasciitilde{}".into(),
            '^' => "\\textasciicircum{}".into(),
            '<' => "\\textless{}".into(),
            '>' => "\\textgreater{}".into(),
            // Signatures are long, and may break here.
            '|' => "\\textbar\\allowbreak{}".into(),
            '±' => "$\\pm$".into(),
            '−' => "$-$".into(),
            '†' => "$^\\dagger$".into(),
            '–' => "--".into(),
            _ if char.is_control() => " ".into(),
            _ => char.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_written_out() {
        assert_eq!(escape("a_b 95 % & c|d"), "a\\_b 95 \\% \\& c\\textbar\\allowbreak{}d");
        assert_eq!(escape("−2.1 ± 3–4 †\n\\"), "$-$2.1 $\\pm$ 3--4 $^\\dagger$ \\textbackslash{}");
    }
}
