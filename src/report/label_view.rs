//! What readers of `label_ratio` and `target` rows ask: which evaluations, which probes, the row of either at a step. Looks
//! rows up; computes nothing.

use std::collections::BTreeMap;

use super::names;
use super::rows::{LabelRatioRow, TargetRow};
use super::table::Table;
use crate::error::{Error, Result};

/// One off-task evaluation of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evaluation<'a> {
    /// The evaluated task.
    pub task: &'a str,
    /// Examples in the prompt.
    pub shots: u64,
    /// The score that is shown of it: the first in the rows, where a task is scored in two ways.
    pub metric: &'a str,
}

impl Evaluation<'_> {
    /// Its name for readers: `TriviaQA 1-shot`.
    pub fn label(&self) -> String {
        format!("{} {}-shot", names::task(self.task), self.shots)
    }
}

/// The rows of one run.
pub struct LabelView<'a> {
    first: &'a LabelRatioRow,
    evaluations: Vec<Evaluation<'a>>,
    rows: BTreeMap<(&'a str, u64, &'a str, u64), &'a LabelRatioRow>,
    targets: BTreeMap<u64, &'a TargetRow>,
    steps: Vec<u64>,
}

impl<'a> LabelView<'a> {
    /// The rows of a run; `targets` may be empty, where the target task itself was not scored.
    ///
    /// Errors if there are no rows, if they come from more than one run, or if two speak of the same thing.
    pub fn new(rows: &'a [LabelRatioRow], targets: &'a [TargetRow]) -> Result<Self> {
        let Some(first) = rows.first() else {
            return Err(Error::input("there are no rows: the run was stopped before its first probe was done")
                .next("go on with it (--resume) or make it again"));
        };
        let of_rows = rows.iter().map(|row| (row.target.as_str(), row.method.as_str(), row.seed));
        let of_targets = targets.iter().map(|row| (row.target.as_str(), row.method.as_str(), row.seed));
        let run = (first.target.as_str(), first.method.as_str(), first.seed);
        if let Some(other) = of_rows.chain(of_targets).find(|other| *other != run) {
            return Err(Error::input(format!("the rows are of more than one run: {run:?} and {other:?}"))
                .next("give the rows of one run at a time"));
        }
        let mut view =
            Self { first, evaluations: Vec::new(), rows: BTreeMap::new(), targets: BTreeMap::new(), steps: Vec::new() };
        for row in rows {
            let LabelRatioRow { task, shots, metric, step, .. } = row;
            if view.rows.insert((task, *shots, metric, *step), row).is_some() {
                return Err(doubled(row));
            }
            if !view.evaluations.iter().any(|known| known.task == task && known.shots == *shots) {
                view.evaluations.push(Evaluation { task, shots: *shots, metric });
            }
        }
        for row in targets {
            if view.targets.insert(row.step, row).is_some() {
                return Err(doubled(row));
            }
        }
        view.steps = rows.iter().map(|row| row.step).chain(targets.iter().map(|row| row.step)).collect();
        view.steps.sort_unstable();
        view.steps.dedup();
        Ok(view)
    }

    /// The evaluations, in the order of the rows; at least one.
    pub fn evaluations(&self) -> &[Evaluation<'a>] {
        &self.evaluations
    }

    /// The steps that were probed, in order; at least one.
    pub fn steps(&self) -> &[u64] {
        &self.steps
    }

    /// The row of an evaluation at `step`.
    pub fn row(&self, evaluation: &Evaluation<'a>, step: u64) -> Option<&'a LabelRatioRow> {
        let Evaluation { task, shots, metric } = *evaluation;
        self.rows.get(&(task, shots, metric, step)).copied()
    }

    /// All rows of an evaluation, in order of steps; at least one.
    pub fn probes(&self, evaluation: &Evaluation<'a>) -> impl Iterator<Item = &'a LabelRatioRow> {
        self.steps.iter().filter_map(|step| self.row(evaluation, *step))
    }

    /// The target's row at `step`.
    pub fn target(&self, step: u64) -> Option<&'a TargetRow> {
        self.targets.get(&step).copied()
    }

    /// The target's rows, in order of steps.
    pub fn targets(&self) -> impl Iterator<Item = &'a TargetRow> {
        self.targets.values().copied()
    }

    /// The target task's name for readers.
    pub fn target_name(&self) -> &'a str {
        names::task(&self.first.target)
    }

    /// Whether anything says how often outputs are label words: not where the target has no closed label set.
    pub fn has_labels(&self) -> bool {
        self.rows.values().any(|row| row.label_ratio.is_some() || row.label_mass.is_some())
    }

    /// What every number of the rows goes with: `rte, standard, seed 0, 277 target examples, 200–1000 per evaluation`.
    pub fn signature(&self) -> String {
        let LabelRatioRow { target, method, seed, .. } = self.first;
        let range = |counts: &mut dyn Iterator<Item = u64>| {
            let (low, high) = counts.fold((u64::MAX, 0), |(low, high), n| (low.min(n), high.max(n)));
            if low == high { low.to_string() } else { format!("{low}–{high}") }
        };
        let targets = if self.targets.is_empty() {
            String::new()
        } else {
            format!(", {} target examples", range(&mut self.targets.values().map(|row| row.n)))
        };
        let rows = range(&mut self.rows.values().map(|row| row.n));
        format!("{target}, {method}, seed {seed}{targets}, {rows} examples per evaluation")
    }
}

fn doubled<R: Table>(row: &R) -> Error {
    Error::input(format!("there are two rows of {}", row.describe())).next("remove one of them, or make the run again")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A row with every value in place.
    pub(crate) fn label_row(step: u64, task: &str) -> LabelRatioRow {
        LabelRatioRow {
            target: "rte".into(),
            method: "standard".into(),
            seed: 0,
            step,
            task: task.into(),
            shots: 1,
            n: 200,
            label_ratio: Some(0.25),
            label_ratio_lo: Some(0.2),
            label_ratio_hi: Some(0.3),
            label_ratio_first_word: Some(0.5),
            label_mass: Some(0.125),
            score: 40.0,
            score_lo: Some(35.0),
            score_hi: Some(45.0),
            metric: if task.starts_with("wmt") { "bleu-13a".into() } else { "em-trivia".into() },
            out_label: Some(0.25),
            out_empty: 0.0,
            out_runaway: 0.0625,
            out_copy: 0.0,
            out_wrong_language: Some(0.125),
            out_other: 0.5625,
        }
    }

    /// A row with every value in place.
    pub(crate) fn target_row(step: u64) -> TargetRow {
        TargetRow {
            target: "rte".into(),
            method: "standard".into(),
            seed: 0,
            step,
            n: 277,
            score: 60.0,
            score_lo: Some(55.0),
            score_hi: Some(65.0),
            metric: "accuracy".into(),
            loss: 0.5,
        }
    }

    #[test]
    fn evaluations_are_those_of_the_rows_with_their_first_metric() {
        let rows = [
            LabelRatioRow { metric: "bleu-intl".into(), ..label_row(50, "wmt16_ende") },
            LabelRatioRow { score: 1.0, ..label_row(50, "wmt16_ende") },
            LabelRatioRow { shots: 4, n: 1000, ..label_row(0, "mine") },
            LabelRatioRow { metric: "bleu-intl".into(), ..label_row(0, "wmt16_ende") },
        ];
        let targets = [target_row(100)];
        let view = LabelView::new(&rows, &targets).unwrap();
        let labels: Vec<String> = view.evaluations().iter().map(Evaluation::label).collect();
        assert_eq!(labels, ["WMT16 En-De 1-shot", "mine 4-shot"]);
        assert_eq!(view.steps(), [0, 50, 100]);
        let scores: Vec<(u64, f64)> = view.probes(&view.evaluations()[0]).map(|row| (row.step, row.score)).collect();
        assert_eq!(scores, [(0, 40.0), (50, 40.0)]);
        assert_eq!((view.target(100), view.target(0)), (Some(&targets[0]), None));
        assert_eq!(view.signature(), "rte, standard, seed 0, 277 target examples, 200–1000 examples per evaluation");
        assert_eq!(
            LabelView::new(&rows[..1], &[]).unwrap().signature(),
            "rte, standard, seed 0, 200 examples per evaluation"
        );
    }

    #[test]
    fn no_rows_two_runs_and_doubled_rows_are_errors() {
        let error = |rows: &[_], targets: &[_]| LabelView::new(rows, targets).err().unwrap().to_string();
        let row = label_row(0, "trivia_qa");
        assert!(error(&[], &[target_row(0)]).contains("no rows"));
        assert!(
            error(&[label_row(50, "mine")], &[TargetRow { seed: 1, ..target_row(0) }]).contains("more than one run")
        );
        assert!(error(&[row.clone(), row.clone()], &[]).contains("two rows of step 0, trivia_qa 1-shot, em-trivia"));
        assert!(error(&[row], &[target_row(0), target_row(0)]).contains("two rows of step 0, target rte"));
    }
}
