//! The rows of the runs that are done, together, with what they amount to.

use std::collections::BTreeSet;
use std::path::Path;

use super::Plan;
use crate::error::{Error, Result};
use crate::experiment::compare_summary::{by_seed, summary_rows};
use crate::experiment::{compare, fine_tune};
use crate::model_folder::EMBEDDED;
use crate::report::compare_view::CompareView;
use crate::report::files::{ROWS, TARGET_ROWS};
use crate::report::names::PRETRAINED;
use crate::report::rows_file::read_rows;
use crate::report::run_info::{RunInfo, hash_bytes};
use crate::report::{
    CheckpointRow, CompareRow, CompareSummaryRow, GradientAlignRow, LabelRatioRow, RunFolder, TargetRow,
};
use crate::spec::paper::{SubRun, SubSpec};
use crate::spec::{Compare, MINI};

/// What all runs that are done have measured.
pub struct Results {
    /// The root seeds.
    pub seeds: Vec<u64>,
    /// Answers to other tasks along fine-tuning.
    pub answers: Vec<LabelRatioRow>,
    /// The target's score along it.
    pub targets: Vec<TargetRow>,
    /// Gradients along it.
    pub gradients: Vec<GradientAlignRow>,
    /// Names and signatures of the runs, in order.
    pub signatures: Vec<(String, String)>,
    /// Runs that are not done.
    pub missing: Vec<(&'static str, String)>,
    embedded: Scored,
    second: Scored,
}

/// Comparisons of one model.
#[derive(Default)]
pub struct Scored {
    /// Scores of kept checkpoints.
    pub rows: Vec<CompareRow>,
    /// All checkpoints.
    pub checkpoints: Vec<CheckpointRow>,
    /// Means over tasks and seeds.
    pub summary: Vec<CompareSummaryRow>,
    by_seed: Vec<(u64, Vec<CompareSummaryRow>)>,
}

impl Results {
    /// Those of the runs of `plan` that are done.
    pub fn read(plan: &Plan) -> Result<Self> {
        let mut results = Self {
            seeds: plan.spec.root_seeds().collect(),
            answers: Vec::new(),
            targets: Vec::new(),
            gradients: Vec::new(),
            signatures: Vec::new(),
            missing: Vec::new(),
            embedded: Scored::default(),
            second: Scored::default(),
        };
        for run in &plan.runs {
            if !is_done(run)? {
                results.missing.push((run.family, run.name.clone()));
                continue;
            }
            let folder = RunFolder::open(run.spec.out())?;
            results.signatures.push((run.name.clone(), folder.read_run()?.signature));
            match &run.spec {
                SubSpec::Pretrain(_) => (),
                SubSpec::LabelRatio(_) => {
                    let rows: Vec<LabelRatioRow> = read_rows(folder.file(ROWS))?.rows;
                    results.answers.extend(rows.into_iter().filter(|row| row.task != row.target));
                    results.targets.extend(read_rows::<TargetRow>(folder.file(TARGET_ROWS))?.rows);
                }
                SubSpec::GradientAlign(_) => results.gradients.extend(read_rows(folder.file(ROWS))?.rows),
                SubSpec::Compare(spec) => {
                    let (rows, checkpoints) = compare::rows(spec)?;
                    let second = spec.model == plan.spec.second_model();
                    let scored = if second { &mut results.second } else { &mut results.embedded };
                    let rows = if spec.target.len() > 1 { together(rows) } else { rows };
                    scored.add(spec, rows, checkpoints);
                }
            }
        }
        results.embedded.sum_up()?;
        results.second.sum_up()?;
        Ok(results)
    }

    /// Those of the embedded model, or of the second.
    pub fn scored(&self, second: bool) -> &Scored {
        if second { &self.second } else { &self.embedded }
    }

    /// The runs of `families` that are not done.
    pub fn missing(&self, families: &[&str]) -> Vec<&str> {
        let of = |(family, _): &&(&'static str, String)| families.contains(family);
        self.missing.iter().filter(of).map(|(_, name)| name.as_str()).collect()
    }
}

impl Scored {
    /// Adds a comparison. Where it is of LoRA, the rank is in the method's name, since there are several; of methods that another
    /// comparison of the target has too (the pretrained model), the first one's rows stay.
    fn add(&mut self, spec: &Compare, rows: Vec<CompareRow>, checkpoints: Vec<CheckpointRow>) {
        let named = |method: String| match method.as_str() {
            "promot-lora" => format!("{method}-r{}", spec.lora.rank),
            _ => method,
        };
        let rows: Vec<CompareRow> =
            rows.into_iter().map(|row| CompareRow { method: named(row.method), ..row }).collect();
        let has =
            |row: &CompareRow| self.rows.iter().any(|old| (&old.target, &old.method) == (&row.target, &row.method));
        let new: Vec<CompareRow> = rows.into_iter().filter(|row| !has(row)).collect();
        self.rows.extend(new);
        self.checkpoints.extend(checkpoints.into_iter().map(|row| CheckpointRow { method: named(row.method), ..row }));
    }

    fn sum_up(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let view = CompareView::new(&self.rows, false)?;
        self.summary = summary_rows(&view, view.seeds());
        self.by_seed = by_seed(&view);
        Ok(())
    }

    /// A measure of one seed.
    pub fn of_seed(&self, seed: u64, target: &str, method: &str, shots: Option<u64>, measure: &str) -> Option<f64> {
        let (_, rows) = self.by_seed.iter().find(|(of, _)| *of == seed)?;
        let mut rows = rows.iter().filter(|row| row.target == target && row.method == method);
        rows.find(|row| row.shots == shots && row.measure == measure).map(|row| row.mean)
    }

    /// A measure over seeds.
    pub fn over_seeds(
        &self,
        target: &str,
        method: &str,
        shots: Option<u64>,
        measure: &str,
    ) -> Option<&CompareSummaryRow> {
        let mut rows = self.summary.iter().filter(|row| row.target == target && row.method == method);
        rows.find(|row| row.shots == shots && row.measure == measure)
    }
}

/// The rows of targets that are trained on together. The pretrained model is asked each target's tasks apart; here it is as if it
/// were one method more: each target's own row, and other tasks as the first target's rows have them.
fn together(rows: Vec<CompareRow>) -> Vec<CompareRow> {
    let mixed: BTreeSet<String> =
        rows.iter().filter(|row| row.target.contains('+')).map(|row| row.target.clone()).collect();
    let mut all: Vec<CompareRow> = rows.iter().filter(|row| row.target.contains('+')).cloned().collect();
    for target in mixed {
        let mut parts = target.split('+');
        let first = parts.next().unwrap_or_default();
        let alone = rows.iter().filter(|row| row.method == PRETRAINED);
        let counts = |row: &&CompareRow| row.target == first || row.task == row.target;
        let matched = |task: &str| rows.iter().any(|row| row.target == target && row.task == task && row.matched == 1);
        all.extend(alone.filter(counts).map(|row| CompareRow {
            target: target.clone(),
            matched: matched(&row.task).into(),
            ..row.clone()
        }));
    }
    all
}

/// Whether the run is done, with the spec that the plan has.
pub fn is_done(run: &SubRun) -> Result<bool> {
    let out = run.spec.out();
    let done = match &run.spec {
        SubSpec::Pretrain(spec) => fine_tune::done(out, spec),
        SubSpec::LabelRatio(spec) => fine_tune::done(out, spec),
        SubSpec::GradientAlign(spec) => fine_tune::done(out, spec),
        SubSpec::Compare(spec) => fine_tune::done(out, spec),
    };
    match done? {
        Some(info) if is_of_another_model(&info) => {
            Err(Error::input("the run in it was of another embedded model than this fsa's")
                .at(out)
                .next("start anew with --force, or choose another --out"))
        }
        done => Ok(done.is_some()),
    }
}

/// Whether the run was of an embedded model that is not the one of now.
fn is_of_another_model(info: &RunInfo) -> bool {
    let read = info.model.iter().flat_map(|model| &model.files);
    EMBEDDED.iter().any(|(name, bytes)| {
        let path = Path::new(MINI).join(name);
        let mut then = read.clone().filter(|file| file.path == path);
        then.next().is_some_and(|then| *then != hash_bytes(&path, bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::compare_view::tests::compare_row;

    #[test]
    fn the_pretrained_model_stands_beside_methods_of_several_targets() {
        let of = |target: &str, method: &str, task: &str, shots| CompareRow {
            target: target.into(),
            ..compare_row(method, 0, task, shots, 50.0)
        };
        let both = "rte+wmt14_enfr";
        let rows = vec![
            of("rte", PRETRAINED, "rte", 0),
            of("rte", PRETRAINED, "cb", 1),
            of("wmt14_enfr", PRETRAINED, "wmt14_enfr", 0),
            of("wmt14_enfr", PRETRAINED, "cb", 1),
            of(both, "multitask", "rte", 0),
            of(both, "multitask", "wmt14_enfr", 0),
            of(both, "multitask", "cb", 1),
        ];
        let all = together(rows);
        let names: Vec<(&str, &str, &str)> =
            all.iter().map(|row| (row.target.as_str(), row.method.as_str(), row.task.as_str())).collect();
        let expected = ["multitask", PRETRAINED].into_iter();
        let expected: Vec<_> =
            expected.flat_map(|method| ["rte", "wmt14_enfr", "cb"].map(|task| (both, method, task))).collect();
        assert_eq!(names.len(), 6);
        assert!(expected.iter().all(|row| names.contains(row)), "{names:?}");
        let mut scored = Scored { rows: all, ..Scored::default() };
        scored.sum_up().unwrap();
        assert_eq!(scored.of_seed(0, both, PRETRAINED, Some(1), "norm_avg"), Some(50.0));
        assert_eq!(scored.of_seed(0, both, PRETRAINED, Some(0), "rte"), Some(50.0));
    }
}
