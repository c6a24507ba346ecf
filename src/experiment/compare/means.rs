//! Mean scores of a checkpoint over the tasks of one kind.

use super::data::Target;
use crate::data::metric::Metric;
use crate::experiment::asking::Asked;
use crate::report::{CheckpointRow, CompareRow};
use crate::spec::Compare;

/// Scores by kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Means {
    classification: Vec<f64>,
    qa: Vec<f64>,
    translation: Vec<f64>,
    summarization: Vec<f64>,
    matched: Vec<f64>,
    mismatched: Vec<f64>,
}

impl Means {
    /// Adds the score of `asked`.
    pub fn add(&mut self, asked: &Asked, target: &Target, score: f64) {
        let kind = match asked.task.metric() {
            Some(Metric::Accuracy) => &mut self.classification,
            Some(Metric::EmTrivia | Metric::EmSquad) => &mut self.qa,
            Some(Metric::Bleu) => &mut self.translation,
            Some(Metric::Rouge2) => &mut self.summarization,
            // invariant: refused when it was read
            None => return,
        };
        kind.push(score);
        let format = if target.is_matched(asked) { &mut self.matched } else { &mut self.mismatched };
        format.push(score);
    }

    /// Of the rows of a model that nothing was trained of, asked as checkpoints of `spec` are.
    pub fn of_rows(rows: &[CompareRow], target: &Target, spec: &Compare) -> Self {
        let mut means = Self::default();
        for asked in target.evaluations.iter().filter(|asked| Some(asked.shots) == spec.trade_off_shots()) {
            let of_task = |row: &&CompareRow| row.task == asked.task.name() && row.shots == asked.shots as u64;
            rows.iter().find(of_task).into_iter().for_each(|row| means.add(asked, target, row.score));
        }
        means
    }

    /// The row of a checkpoint.
    pub fn row(&self, target: &Target, method: &str, stage: u64, step: u64, target_score: f64) -> CheckpointRow {
        let mean = |scores: &[f64]| (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64);
        CheckpointRow {
            target: target.name.clone(),
            method: method.to_string(),
            seed: target.seed,
            stage,
            step,
            target_score,
            mean_classification: mean(&self.classification),
            mean_qa: mean(&self.qa),
            mean_translation: mean(&self.translation),
            mean_summarization: mean(&self.summarization),
            mean_matched: mean(&self.matched),
            mean_mismatched: mean(&self.mismatched),
        }
    }
}
