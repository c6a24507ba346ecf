//! The same inputs with the ground truth and what each method answers, side by side: the paper's Table 1 and A.3.8.

use super::pairs::{answers, file, tasks};
use crate::error::Result;
use crate::report::compare_view::CompareView;
use crate::report::{ExampleRow, names};
use crate::spec::Compare;

/// What stands in the place of a method for the reference.
const GROUND_TRUTH: &str = "ground-truth";
/// Inputs of each task.
const INPUTS: usize = 3;

/// `outputs.md`: of each target and each task with the fewest shots, the first inputs that the first seed has.
pub(super) fn examples(spec: &Compare, view: &CompareView) -> Result<String> {
    let mut text = String::from(
        "# The same inputs, method by method\n\nThe first inputs of each task; outputs as they are scored.\n",
    );
    let seed = view.seeds().first().copied().unwrap_or(spec.seed);
    for &target in view.targets() {
        let shots = view.shots(target).first().copied().unwrap_or_default();
        for (task, shots) in tasks(spec, view, target, &[shots]) {
            let of = |method: &str| -> Result<_> {
                let row = view.row(target, method, seed, task, shots);
                row.map(|row| Ok((names::method(method), answers(&file(&spec.out, row)?)?))).transpose()
            };
            let all: Vec<(String, Vec<_>)> =
                view.methods(target).into_iter().filter_map(|method| of(method).transpose()).collect::<Result<_>>()?;
            let Some((_, first)) = all.first() else { continue };
            text.push_str(&format!(
                "\n## {}, {shots}-shot, fine-tuned on {}\n",
                names::task(task),
                names::task(target)
            ));
            for (place, asked) in first.iter().enumerate().take(INPUTS) {
                text.push_str(&format!("\n> {}\n\n| | |\n| --- | --- |\n", line(&asked.prompt)));
                text.push_str(&format!("| ground truth | {} |\n", cell(&asked.references.join(" / "))));
                for (method, answers) in &all {
                    let output = answers.get(place).map_or("", |answer| answer.output.as_str());
                    text.push_str(&format!("| {method} | {} |\n", cell(output)));
                }
            }
        }
    }
    Ok(text)
}

/// The first inputs of `tasks`, 1-shot, with the ground truth and the outputs of `methods`, of the first seed; none of a task whose
/// answers are not there.
pub(in crate::experiment) fn side_by_side(spec: &Compare, tasks: &[&str], methods: &[&str]) -> Result<Vec<ExampleRow>> {
    let (scores, _) = super::rows(spec)?;
    let mut rows = Vec::new();
    for task in tasks {
        let of = |method: &&str| -> Result<Option<(String, Vec<_>)>> {
            let mut scores =
                scores.iter().filter(|row| row.task == *task && row.shots == 1 && row.prompt_attached == 0);
            let Some(row) = scores.find(|row| row.method == *method && row.seed == spec.seed) else { return Ok(None) };
            let file = file(&spec.out, row)?;
            if file.is_file() { Ok(Some((method.to_string(), answers(&file)?))) } else { Ok(None) }
        };
        let all: Vec<(String, Vec<_>)> =
            methods.iter().filter_map(|method| of(method).transpose()).collect::<Result<_>>()?;
        let Some((_, first)) = all.first() else { continue };
        for (place, asked) in first.iter().enumerate().take(INPUTS) {
            let row = |method: &str, output: &str| ExampleRow {
                target: spec.target.join("+"),
                seed: spec.seed,
                task: task.to_string(),
                shots: 1,
                input: place as u64 + 1,
                prompt: asked.prompt.clone(),
                method: method.to_string(),
                output: output.to_string(),
            };
            rows.push(row(GROUND_TRUTH, &asked.references.join(" / ")));
            rows.extend(all.iter().filter_map(|(method, answers)| Some(row(method, &answers.get(place)?.output))));
        }
    }
    Ok(rows)
}

/// On one line, what Markdown would take for its own escaped.
fn line(text: &str) -> String {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace('\\', "\\\\").replace('<', "\\<").replace('*', "\\*").replace('_', "\\_").replace('`', "\\`")
}

/// As [`line`], for a table.
fn cell(text: &str) -> String {
    if text.trim().is_empty() { "*empty*".to_string() } else { line(text).replace('|', "\\|") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_cannot_break_the_table() {
        assert_eq!(cell("a|b\n<extra_id_0> *c*"), "a\\|b \\<extra\\_id\\_0> \\*c\\*");
        assert_eq!(cell(" \n"), "*empty*");
    }
}
