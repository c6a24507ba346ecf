//! Every two methods on the same items, from the answers that their evaluations left.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::data::Task;
use crate::error::{Error, Result};
use crate::experiment::compare::folders;
use crate::experiment::paired::paired;
use crate::experiment::scoring::Metric;
use crate::report::compare_view::CompareView;
use crate::report::files::{OUTPUTS, plain};
use crate::report::{CompareRow, PairedRow};
use crate::spec::{Compare, Method, Seeds};

/// What is compared of an answer.
#[derive(Deserialize)]
pub(super) struct Answer {
    row: usize,
    pub prompt: String,
    pub output: String,
    pub references: Vec<String>,
}

/// The file of the answers that `row` is the score of.
pub(super) fn file(out: &Path, row: &CompareRow) -> Result<PathBuf> {
    let targets: Vec<&str> = row.target.split('+').collect();
    let dir = folders::evaluated(out, &targets, row.seed, &Method::named(&row.method)?);
    let attached = if row.prompt_attached > 0 { "-attached" } else { "" };
    Ok(dir.join(OUTPUTS).join(format!("{}-{}shot{attached}.jsonl", plain(&row.task), row.shots)))
}

/// The answers in the file at `path`.
pub(super) fn answers(path: &Path) -> Result<Vec<Answer>> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io("read", path, error))?;
    let answer = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| {
            Error::input(format!("is not an answer: {error}"))
                .at(path)
                .line(number + 1)
                .next("remove the evaluation's folder and go on with --resume")
                .caused_by(error)
        })
    };
    text.lines().enumerate().map(answer).collect()
}

/// What models fine-tuned on `target` are asked: itself, or each of several, and all other tasks with each of `shots`.
pub(super) fn tasks<'a>(spec: &Compare, view: &CompareView<'a>, target: &'a str, shots: &[u64]) -> Vec<(&'a str, u64)> {
    let mut tasks: Vec<(&str, u64)> = target.split('+').map(|task| (task, spec.target_shots as u64)).collect();
    for &shots in shots {
        // Of several targets, each counts among the tasks too.
        let others = view.tasks(target, shots).into_iter().map(|task| (task, shots));
        let others: Vec<_> = others.filter(|task| !tasks.contains(task)).collect();
        tasks.extend(others);
    }
    tasks
}

/// The differences between every two methods, on every task and seed.
pub(super) fn pairs(spec: &Compare, view: &CompareView) -> Result<Vec<PairedRow>> {
    let mut pairs = Vec::new();
    for &target in view.targets() {
        let methods = view.methods(target);
        let tasks = tasks(spec, view, target, &view.shots(target));
        for &seed in view.seeds() {
            for &(task, shots) in &tasks {
                let described = described(spec, task)?;
                let Some(metric) = Metric::of(&described, &spec.bleu_tokenizer)?.into_iter().next() else { continue };
                let of = |method: &str| -> Result<Option<Vec<Answer>>> {
                    let row = view.row(target, method, seed, task, shots);
                    row.map(|row| answers(&file(&spec.out, row)?)).transpose()
                };
                let all = methods.iter().map(|method| of(method)).collect::<Result<Vec<_>>>()?;
                for (i, first) in all.iter().enumerate() {
                    for (j, second) in all.iter().enumerate().skip(i + 1) {
                        let (Some(first), Some(second)) = (first, second) else { continue };
                        let same = first.len() == second.len() && first.iter().zip(second).all(|(a, b)| a.row == b.row);
                        if !same {
                            return Err(Error::check(format!(
                                "`{}` and `{}` were not asked the same examples of `{task}`",
                                methods[i], methods[j]
                            ))
                            .at(&spec.out)
                            .next("make the run again"));
                        }
                        let outputs =
                            |answers: &[Answer]| answers.iter().map(|answer| answer.output.clone()).collect::<Vec<_>>();
                        let references: Vec<Vec<String>> =
                            first.iter().map(|answer| answer.references.clone()).collect();
                        let found = paired(&metric, &outputs(first), &outputs(second), &references, Seeds::new(seed))?;
                        pairs.push(PairedRow {
                            target: target.to_string(),
                            seed,
                            task: task.to_string(),
                            shots,
                            method: methods[i].to_string(),
                            other: methods[j].to_string(),
                            n: found.n as u64,
                            metric: metric.name().to_string(),
                            difference: found.difference,
                            difference_lo: found.lo,
                            difference_hi: found.hi,
                            p: found.p,
                            test: found.test.to_string(),
                        });
                    }
                }
            }
        }
    }
    Ok(pairs)
}

/// The task that rows call `name`: a registered one, or one of the spec's files.
fn described(spec: &Compare, name: &str) -> Result<Task> {
    let typed = spec.target.iter().chain(spec.eval.iter().map(|evaluation| &evaluation.task));
    for typed in typed {
        let task = Task::resolve(typed)?;
        if task.name() == name {
            return Ok(task);
        }
    }
    Err(Error::check(format!("internal: no task `{name}`")))
}
