//! Tables of `fsa paper`: scores with the paper's below, outputs side by side, sizes of splits, and what agrees.

use super::markdown;
use crate::report::{ExampleRow, PaperRow, SplitRow, names};

/// A table of scores, a column a method, and one of what the paper prints in the same places.
pub fn scores_md(title: &str, rows: &[PaperRow]) -> String {
    let mut text = format!("# {title}\n");
    let targets = distinct(rows.iter().map(|row| row.target.as_str()));
    // Tables of targets alone have a line for each of them.
    let alone = rows.iter().all(|row| row.measure == "target");
    let groups: Vec<Vec<&PaperRow>> = match alone {
        true => vec![rows.iter().collect()],
        false => targets.iter().map(|target| rows.iter().filter(|row| row.target == *target).collect()).collect(),
    };
    for group in groups {
        let name = group.first().map_or_else(String::new, |row| names::targets(&row.target));
        if !alone {
            text.push_str(&format!("\n## Fine-tuned on {name}\n"));
        }
        text.push_str(&format!("\n{}", grid(&group, cell)));
        if group.iter().any(|row| row.paper.is_some()) {
            let printed = |row: &PaperRow| row.paper.map(|value| format!("{value:.2}"));
            text.push_str(&format!("\nThe paper, of its own model and data:\n\n{}", grid(&group, printed)));
        }
    }
    let seeds = rows.iter().map(|row| row.seeds).max().unwrap_or_default();
    text.push_str(
        match seeds {
            0 | 1 => "\nOf one seed: no intervals.\n".to_string(),
            seeds => format!("\nMeans over {seeds} seeds; ± is half of the 95 % t interval over them.\n"),
        }
        .as_str(),
    );
    text
}

fn distinct<'a>(values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for value in values {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

fn cell(row: &PaperRow) -> Option<String> {
    let half = row.hi.zip(row.lo).map(|(hi, lo)| format!(" ± {:.2}", (hi - lo) / 2.0));
    Some(format!("{:.2}{}", row.mean, half.unwrap_or_default()))
}

/// A line a measure, a column a method. Lines without any value are left out.
fn grid(rows: &[&PaperRow], cell: impl Fn(&PaperRow) -> Option<String>) -> String {
    let methods = distinct(rows.iter().map(|row| row.method.as_str()));
    let mut keys: Vec<(&str, Option<u64>, &str)> = Vec::new();
    for row in rows {
        let key = (row.target.as_str(), row.shots, row.measure.as_str());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let lines: Vec<Vec<String>> = keys
        .into_iter()
        .filter_map(|(target, shots, measure)| {
            let of = |method: &&str| {
                let mut rows = rows.iter().filter(|row| row.method == *method && row.target == target);
                rows.find(|row| row.shots == shots && row.measure == measure).and_then(|row| cell(row))
            };
            let cells: Vec<Option<String>> = methods.iter().map(of).collect();
            cells.iter().any(Option::is_some).then(|| {
                let cells = cells.into_iter().map(|cell| cell.unwrap_or_else(|| "-".into()));
                std::iter::once(names::measure(target, measure, shots)).chain(cells).collect()
            })
        })
        .collect();
    let header: Vec<String> =
        std::iter::once(String::new()).chain(methods.iter().map(|method| names::method(method))).collect();
    markdown(&header, &lines)
}

/// Inputs with every method's output.
pub fn examples_md(title: &str, rows: &[ExampleRow]) -> String {
    let mut text =
        format!("# {title}\n\nThe first inputs of each task, of the first seed; outputs as they are scored.\n");
    let mut asked = None;
    for row in rows {
        if asked != Some((&row.task, row.input)) {
            asked = Some((&row.task, row.input));
            let (task, shots, input) = (names::task(&row.task), row.shots, row.input);
            text.push_str(&format!("\n## {task}, {shots}-shot, input {input}\n\n> {}\n\n", line(&row.prompt)));
            text.push_str("| | output |\n| --- | --- |\n");
        }
        let method = if row.method == "ground-truth" { "ground truth".into() } else { names::method(&row.method) };
        let output = line(&row.output).replace('|', "\\|");
        text.push_str(&format!("| {method} | {} |\n", if output.is_empty() { "*empty*" } else { &output }));
    }
    text
}

/// On one line, what Markdown would take for its own escaped.
fn line(text: &str) -> String {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace('\\', "\\\\").replace('<', "\\<").replace('*', "\\*").replace('_', "\\_").replace('`', "\\`")
}

/// The sizes of each task's splits.
pub fn splits_md(title: &str, rows: &[SplitRow]) -> String {
    let splits = distinct(rows.iter().map(|row| row.split.as_str()));
    let size = |task: &str, split: &str| {
        let row = rows.iter().find(|row| row.task == task && row.split == split);
        row.map_or_else(|| "-".to_string(), |row| row.examples.to_string())
    };
    let lines: Vec<Vec<String>> = distinct(rows.iter().map(|row| row.task.as_str()))
        .into_iter()
        .map(|task| {
            std::iter::once(names::task(task).to_string()).chain(splits.iter().map(|split| size(task, split))).collect()
        })
        .collect();
    let header: Vec<String> = std::iter::once("task").chain(splits.iter().copied()).map(String::from).collect();
    format!("# {title}\n\n{}", markdown(&header, &lines))
}

/// A Markdown table of words.
pub fn listing(header: &[&str], rows: &[Vec<String>]) -> String {
    markdown(&header.iter().map(ToString::to_string).collect::<Vec<_>>(), rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(target: &str, method: &str, shots: Option<u64>, measure: &str) -> PaperRow {
        PaperRow {
            model: "embedded".into(),
            target: target.into(),
            method: method.into(),
            shots,
            measure: measure.into(),
            seeds: 3,
            mean: 50.0,
            lo: Some(48.0),
            hi: Some(52.0),
            paper: (measure != "matched").then_some(12.5),
        }
    }

    #[test]
    fn a_table_has_the_papers_numbers_below_its_own() {
        let rows = [
            row("rte", "standard", None, "target"),
            row("rte", "promot", None, "target"),
            row("rte", "standard", Some(1), "matched"),
            row("rte", "promot", Some(1), "cb"),
        ];
        let text = scores_md("Table 5.2", &rows);
        assert!(text.starts_with("# Table 5.2\n\n## Fine-tuned on RTE\n\n|"), "{text}");
        let line = |name: &str| {
            let found = text.lines().filter(|line| line.starts_with(&format!("| {name}"))).collect::<Vec<_>>();
            found.into_iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(
            line("RTE, 0-shot"),
            ["| RTE, 0-shot | 50.00 ± 2.00 | 50.00 ± 2.00 |", "| RTE, 0-shot | 12.50 | 12.50 |"]
        );
        assert_eq!(line("CB, 1-shot"), ["| CB, 1-shot | - | 50.00 ± 2.00 |", "| CB, 1-shot | - | 12.50 |"]);
        // The paper does not print it.
        assert_eq!(line("Matched mean, 1-shot").len(), 1);
        assert!(text.ends_with("Means over 3 seeds; ± is half of the 95 % t interval over them.\n"));
        // Targets alone share a table.
        let text = scores_md("T", &[row("rte", "promot", None, "target"), row("snli", "promot", None, "target")]);
        assert!(!text.contains("Fine-tuned on") && text.contains("| SNLI, 0-shot"), "{text}");
    }

    #[test]
    fn outputs_cannot_break_their_table() {
        let row = |method: &str, output: &str| ExampleRow {
            target: "rte".into(),
            seed: 0,
            task: "xsum".into(),
            shots: 1,
            input: 1,
            prompt: "Article: a\nb <extra_id_0>".into(),
            method: method.into(),
            output: output.into(),
        };
        let text = examples_md("Table 1", &[row("ground-truth", "a|b"), row("standard", "")]);
        assert!(text.contains("## XSum, 1-shot, input 1\n\n> Article: a b \\<extra\\_id\\_0>\n"), "{text}");
        assert!(text.contains("| ground truth | a\\|b |\n| Standard | *empty* |\n"), "{text}");
    }
}
