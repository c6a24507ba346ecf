//! Result rows of `fsa compare`. Scores are 0–100, ratios and masses 0–1. A missing value is `None`, never zero.

use serde::{Deserialize, Serialize};

use super::table::{Column, Table};

/// One row of `compare.csv`: how the kept checkpoint of a method does on a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompareRow {
    /// The fine-tuned task.
    pub target: String,
    /// The method's name.
    pub method: String,
    /// Root seed.
    pub seed: u64,
    /// Steps of its last stage after which the kept checkpoint was written; none where nothing was trained.
    pub checkpoint_step: Option<u64>,
    /// Whether what the method attaches (soft prompt, LoRA) was attached while the task was asked: 0 or 1.
    pub prompt_attached: u64,
    /// The evaluated task; the target itself is one, in its training format.
    pub task: String,
    /// Examples in the prompt.
    pub shots: u64,
    /// Evaluated examples.
    pub n: u64,
    /// Which score, as in `label_ratio.csv`.
    pub metric: String,
    /// The score.
    pub score: f64,
    /// Lower end of its 95 % interval over examples (Wilson for proportions, bootstrap for BLEU and ROUGE).
    pub score_lo: Option<f64>,
    /// Upper end.
    pub score_hi: Option<f64>,
    /// Share of trimmed outputs that are one of the target's label words; none where the target has no closed label set.
    pub label_ratio: Option<f64>,
    /// Mean probability that the output begins with a label word.
    pub label_mass: Option<f64>,
    /// Whether the task's label words overlap the target's: 0 or 1; the target's own row has 1.
    pub matched: u64,
}

/// One row of `checkpoints.csv`: the trade-off between the target and all else along training. Means are of the tasks of one
/// kind, of those there are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointRow {
    /// The fine-tuned task.
    pub target: String,
    /// The method's name.
    pub method: String,
    /// Root seed.
    pub seed: u64,
    /// Stage of the method, from 1.
    pub stage: u64,
    /// Optimizer steps of that stage.
    pub step: u64,
    /// The target's score on the split that checkpoints are chosen by.
    pub target_score: f64,
    /// Mean accuracy of classification tasks other than the target.
    pub mean_classification: Option<f64>,
    /// Mean exact match of question answering tasks.
    pub mean_qa: Option<f64>,
    /// Mean BLEU of translation tasks other than the target.
    pub mean_translation: Option<f64>,
    /// Mean ROUGE-2 of summarization tasks.
    pub mean_summarization: Option<f64>,
    /// Mean score of tasks whose label words overlap the target's.
    pub mean_matched: Option<f64>,
    /// Mean score of all others.
    pub mean_mismatched: Option<f64>,
}

/// One row of `summary.csv`: a measure of a method over seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompareSummaryRow {
    /// The fine-tuned task.
    pub target: String,
    /// The method's name.
    pub method: String,
    /// Examples in the prompts of the evaluations; none for the target.
    pub shots: Option<u64>,
    /// `target`, `norm_avg`, `matched`, `mismatched`, `label_ratio` (of mismatched tasks), or a task's name; of a task that was
    /// asked both with the prompt attached and without, the one that does not count is `TASK:attached` or `TASK:detached`.
    pub measure: String,
    /// Root seeds.
    pub seeds: u64,
    /// Mean over seeds.
    pub mean: f64,
    /// Lower end of the 95 % t interval over seeds (seeds − 1 degrees of freedom); none with one seed.
    pub lo: Option<f64>,
    /// Upper end.
    pub hi: Option<f64>,
}

/// One row of `paired.csv`: two methods on the same items of one task and seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairedRow {
    /// The fine-tuned task.
    pub target: String,
    /// Root seed.
    pub seed: u64,
    /// The evaluated task.
    pub task: String,
    /// Examples in the prompt.
    pub shots: u64,
    /// One method.
    pub method: String,
    /// The other.
    pub other: String,
    /// Items.
    pub n: u64,
    /// Which score.
    pub metric: String,
    /// Score of `method` minus score of `other`.
    pub difference: f64,
    /// Lower end of its 95 % bootstrap interval over items; none with fewer than two.
    pub difference_lo: Option<f64>,
    /// Upper end.
    pub difference_hi: Option<f64>,
    /// Two-sided p of no difference; none with fewer than two items.
    pub p: Option<f64>,
    /// `mcnemar` (exact, for right and wrong answers) or `paired-bootstrap`.
    pub test: String,
}

impl Table for CompareRow {
    const COLUMNS: &'static [(&'static str, Column<Self>)] = &[
        ("target", Column::Text(|row| Some(&row.target))),
        ("method", Column::Text(|row| Some(&row.method))),
        ("seed", Column::Integer(|row| Some(row.seed))),
        ("checkpoint_step", Column::Integer(|row| row.checkpoint_step)),
        ("prompt_attached", Column::Integer(|row| Some(row.prompt_attached))),
        ("task", Column::Text(|row| Some(&row.task))),
        ("shots", Column::Integer(|row| Some(row.shots))),
        ("n", Column::Integer(|row| Some(row.n))),
        ("metric", Column::Text(|row| Some(&row.metric))),
        ("score", Column::Number(|row| Some(row.score))),
        ("score_lo", Column::Number(|row| row.score_lo)),
        ("score_hi", Column::Number(|row| row.score_hi)),
        ("label_ratio", Column::Number(|row| row.label_ratio)),
        ("label_mass", Column::Number(|row| row.label_mass)),
        ("matched", Column::Integer(|row| Some(row.matched))),
    ];

    fn describe(&self) -> String {
        format!("{}, seed {}, {} {}-shot, {}", self.method, self.seed, self.task, self.shots, self.metric)
    }
}

impl Table for CheckpointRow {
    const COLUMNS: &'static [(&'static str, Column<Self>)] = &[
        ("target", Column::Text(|row| Some(&row.target))),
        ("method", Column::Text(|row| Some(&row.method))),
        ("seed", Column::Integer(|row| Some(row.seed))),
        ("stage", Column::Integer(|row| Some(row.stage))),
        ("step", Column::Integer(|row| Some(row.step))),
        ("target_score", Column::Number(|row| Some(row.target_score))),
        ("mean_classification", Column::Number(|row| row.mean_classification)),
        ("mean_qa", Column::Number(|row| row.mean_qa)),
        ("mean_translation", Column::Number(|row| row.mean_translation)),
        ("mean_summarization", Column::Number(|row| row.mean_summarization)),
        ("mean_matched", Column::Number(|row| row.mean_matched)),
        ("mean_mismatched", Column::Number(|row| row.mean_mismatched)),
    ];

    fn describe(&self) -> String {
        format!("{}, seed {}, stage {}, step {}", self.method, self.seed, self.stage, self.step)
    }
}

impl Table for CompareSummaryRow {
    const COLUMNS: &'static [(&'static str, Column<Self>)] = &[
        ("target", Column::Text(|row| Some(&row.target))),
        ("method", Column::Text(|row| Some(&row.method))),
        ("shots", Column::Integer(|row| row.shots)),
        ("measure", Column::Text(|row| Some(&row.measure))),
        ("seeds", Column::Integer(|row| Some(row.seeds))),
        ("mean", Column::Number(|row| Some(row.mean))),
        ("lo", Column::Number(|row| row.lo)),
        ("hi", Column::Number(|row| row.hi)),
    ];

    fn describe(&self) -> String {
        format!("{}, {}", self.method, self.measure)
    }
}

impl Table for PairedRow {
    const COLUMNS: &'static [(&'static str, Column<Self>)] = &[
        ("target", Column::Text(|row| Some(&row.target))),
        ("seed", Column::Integer(|row| Some(row.seed))),
        ("task", Column::Text(|row| Some(&row.task))),
        ("shots", Column::Integer(|row| Some(row.shots))),
        ("method", Column::Text(|row| Some(&row.method))),
        ("other", Column::Text(|row| Some(&row.other))),
        ("n", Column::Integer(|row| Some(row.n))),
        ("metric", Column::Text(|row| Some(&row.metric))),
        ("difference", Column::Number(|row| Some(row.difference))),
        ("difference_lo", Column::Number(|row| row.difference_lo)),
        ("difference_hi", Column::Number(|row| row.difference_hi)),
        ("p", Column::Number(|row| row.p)),
        ("test", Column::Text(|row| Some(&row.test))),
    ];

    fn describe(&self) -> String {
        format!("{} and {}, seed {}, {}", self.method, self.other, self.seed, self.task)
    }
}
