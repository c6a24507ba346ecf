//! What readers of `compare` rows ask: which methods, targets, seeds and tasks in which order, the row of any of them. Looks
//! rows up; computes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::compare_rows::CompareRow;
use super::names;
use super::table::Table;
use crate::error::{Error, Result};

/// Target, method, seed, task, shots, and whether asked with the prompt attached.
type Key<'a> = (&'a str, &'a str, u64, &'a str, u64, bool);

/// The rows of a comparison. A task with rows of both kinds, prompt attached and not, counts by one of them.
pub struct CompareView<'a> {
    rows: BTreeMap<Key<'a>, &'a CompareRow>,
    targets: Vec<&'a str>,
    methods: Vec<&'a str>,
    seeds: Vec<u64>,
    attach: bool,
}

impl<'a> CompareView<'a> {
    /// The rows; `attach` says that a task with rows of both kinds counts with the prompt attached. Of a task that is scored
    /// in two ways the first counts.
    ///
    /// Errors if there are no rows, or if two speak of the same thing.
    pub fn new(rows: &'a [CompareRow], attach: bool) -> Result<Self> {
        if rows.is_empty() {
            return Err(Error::input("there are no rows: the run was stopped before its first evaluation was done")
                .next("go on with it (--resume) or make it again"));
        }
        let (mut found, mut scores) = (BTreeMap::new(), BTreeSet::new());
        let (mut targets, mut methods) = (Vec::new(), Vec::new());
        for row in rows {
            let key = key(row);
            if !scores.insert((key, row.metric.as_str())) {
                return Err(Error::input(format!("there are two rows of {}", row.describe()))
                    .next("remove one of them, or make the run again"));
            }
            found.entry(key).or_insert(row);
            push_new(&mut targets, row.target.as_str());
            push_new(&mut methods, row.method.as_str());
        }
        // Stable: the others stay as the run has them.
        methods.sort_by_key(|method| *method != names::PRETRAINED);
        let seeds = rows.iter().map(|row| row.seed).collect::<BTreeSet<_>>().into_iter().collect();
        Ok(Self { rows: found, targets, methods, seeds, attach })
    }

    /// The targets, in the order of the rows; at least one.
    pub fn targets(&self) -> &[&'a str] {
        &self.targets
    }

    /// The methods with rows of `target`: the pretrained model first, then in the order of the rows.
    pub fn methods(&self, target: &str) -> Vec<&'a str> {
        let has = |method: &&&str| self.of(target).any(|row| row.method == **method);
        self.methods.iter().filter(has).copied().collect()
    }

    /// The root seeds, in order; at least one.
    pub fn seeds(&self) -> &[u64] {
        &self.seeds
    }

    /// Shots of the evaluations of `target`, in order; none if only the target itself was asked.
    pub fn shots(&self, target: &str) -> Vec<u64> {
        let others = self.of(target).filter(|row| row.task != row.target);
        others.map(|row| row.shots).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The tasks other than the target that were asked with `shots`, in the order of the paper's tables.
    pub fn tasks(&self, target: &str, shots: u64) -> Vec<&'a str> {
        let others = self.of(target).filter(|row| row.shots == shots && row.task != row.target);
        let mut tasks: Vec<&str> = Vec::new();
        others.for_each(|row| push_new(&mut tasks, &row.task));
        tasks.sort_by_key(|task| (names::task_place(task), *task));
        tasks
    }

    /// Whether the task's label words overlap the target's.
    pub fn is_matched(&self, target: &str, task: &str) -> bool {
        self.of(target).any(|row| row.task == task && row.matched == 1)
    }

    /// The row of the target itself.
    pub fn target(&self, target: &str, method: &str, seed: u64) -> Option<&'a CompareRow> {
        let shots = self.of(target).find(|row| row.task == row.target)?.shots;
        self.row(target, method, seed, target, shots)
    }

    /// The row of a task that counts.
    pub fn row(&self, target: &str, method: &str, seed: u64, task: &str, shots: u64) -> Option<&'a CompareRow> {
        let row = |attached| self.rows.get(&(target, method, seed, task, shots, attached)).copied();
        row(self.attach).or_else(|| row(!self.attach))
    }

    /// Of a task with rows of both kinds, the one that does not count.
    pub fn other_row(&self, target: &str, method: &str, seed: u64, task: &str, shots: u64) -> Option<&'a CompareRow> {
        let row = |attached| self.rows.get(&(target, method, seed, task, shots, attached)).copied();
        row(self.attach).and(row(!self.attach))
    }

    /// Whether a task with rows of both kinds counts with the prompt attached.
    pub fn attaches(&self) -> bool {
        self.attach
    }

    /// What every number of the rows goes with: `rte, seeds 0, 1, 2, 277 target examples, 200–1000 examples per evaluation`.
    pub fn signature(&self) -> String {
        let range = |target: bool| {
            let counts = self.rows.values().filter(|row| (row.task == row.target) == target).map(|row| row.n);
            let (low, high) = counts.fold((u64::MAX, 0), |(low, high), n| (low.min(n), high.max(n)));
            match low.cmp(&high) {
                std::cmp::Ordering::Greater => None,
                std::cmp::Ordering::Equal => Some(low.to_string()),
                std::cmp::Ordering::Less => Some(format!("{low}–{high}")),
            }
        };
        let seeds: Vec<String> = self.seeds.iter().map(u64::to_string).collect();
        let mut parts = vec![self.targets.join(", ")];
        parts.push(format!("{} {}", if seeds.len() == 1 { "seed" } else { "seeds" }, seeds.join(", ")));
        parts.extend(range(true).map(|n| format!("{n} target examples")));
        parts.extend(range(false).map(|n| format!("{n} examples per evaluation")));
        parts.join(", ")
    }

    fn of(&self, target: &str) -> impl Iterator<Item = &'a CompareRow> {
        self.rows.values().copied().filter(move |row| row.target == target)
    }
}

fn key(row: &CompareRow) -> Key<'_> {
    (&row.target, &row.method, row.seed, &row.task, row.shots, row.prompt_attached == 1)
}

fn push_new<'a>(known: &mut Vec<&'a str>, name: &'a str) {
    if !known.contains(&name) {
        known.push(name);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A row with every value in place; attached as ProMoT's target is.
    pub(crate) fn compare_row(method: &str, seed: u64, task: &str, shots: u64, score: f64) -> CompareRow {
        let target = task == "rte";
        CompareRow {
            target: "rte".into(),
            method: method.into(),
            seed,
            checkpoint_step: (method != names::PRETRAINED).then_some(50),
            prompt_attached: u64::from(target && method == "promot"),
            task: task.into(),
            shots,
            n: if target { 277 } else { 200 },
            metric: match task {
                "trivia_qa" => "em-trivia",
                "wmt16_ende" => "bleu-13a",
                "xsum" => "rouge2",
                _ => "accuracy",
            }
            .into(),
            score,
            score_lo: Some(score - 1.0),
            score_hi: Some(score + 1.0),
            label_ratio: Some(score / 1000.0),
            label_mass: Some(0.125),
            matched: u64::from(target || task == "cb"),
        }
    }

    #[test]
    fn what_there_is_comes_in_order() {
        let rows = [
            compare_row("standard", 1, "xsum", 1, 1.0),
            compare_row("standard", 1, "mine", 1, 2.0),
            compare_row("standard", 0, "rte", 0, 3.0),
            compare_row("pretrained", 0, "cb", 4, 4.0),
            CompareRow { n: 1000, target: "snli".into(), ..compare_row("promot", 0, "cb", 1, 5.0) },
        ];
        let view = CompareView::new(&rows, false).unwrap();
        assert_eq!((view.targets(), view.seeds()), (&["rte", "snli"][..], &[0, 1][..]));
        assert_eq!((view.methods("rte"), view.methods("snli")), (vec!["pretrained", "standard"], vec!["promot"]));
        assert_eq!((view.shots("rte"), view.shots("none")), (vec![1, 4], vec![]));
        assert_eq!((view.tasks("rte", 1), view.tasks("rte", 4)), (vec!["xsum", "mine"], vec!["cb"]));
        assert!(view.is_matched("rte", "cb") && !view.is_matched("rte", "xsum"));
        assert_eq!(view.target("rte", "standard", 0).unwrap().score, 3.0);
        assert_eq!((view.target("rte", "standard", 1), view.target("snli", "promot", 0)), (None, None));
        assert_eq!(view.signature(), "rte, snli, seeds 0, 1, 277 target examples, 200–1000 examples per evaluation");
    }

    #[test]
    fn of_both_kinds_one_counts_and_of_two_metrics_the_first() {
        let plain = compare_row("promot", 0, "cb", 1, 40.0);
        let attached = CompareRow { prompt_attached: 1, score: 60.0, ..plain.clone() };
        let beside = CompareRow { metric: "other".into(), score: 1.0, ..plain.clone() };
        let rows = [plain, beside, attached, compare_row("standard", 0, "cb", 1, 50.0)];
        for (attach, counts, other) in [(false, 40.0, 60.0), (true, 60.0, 40.0)] {
            let view = CompareView::new(&rows, attach).unwrap();
            assert_eq!(view.row("rte", "promot", 0, "cb", 1).unwrap().score, counts);
            assert_eq!(view.other_row("rte", "promot", 0, "cb", 1).unwrap().score, other);
            assert_eq!(view.row("rte", "standard", 0, "cb", 1).unwrap().score, 50.0);
            assert_eq!(view.other_row("rte", "standard", 0, "cb", 1), None);
        }
    }

    #[test]
    fn no_rows_and_doubled_rows_are_errors() {
        let error = |rows: &[_]| CompareView::new(rows, false).err().unwrap().to_string();
        let row = compare_row("promot", 0, "cb", 1, 40.0);
        assert!(error(&[]).contains("no rows"));
        assert!(error(&[row.clone(), row]).contains("two rows of promot, seed 0, cb 1-shot, accuracy"));
    }
}
