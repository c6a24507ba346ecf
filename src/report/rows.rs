//! Result rows: the interface of every command. A missing value is `None`: empty in CSV, null in JSON, never zero.

use serde::{Deserialize, Serialize};

/// What a row of `gradient_align.csv` speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One parameter, by its Hugging Face path.
    Parameter,
    /// One group of a layer, such as `decoder.7/cross.query`.
    Group,
    /// One layer, such as `decoder.7`.
    Layer,
    /// `model` or `model_without_embeddings`.
    Model,
}

/// One row of `gradient_align.csv`: how far the full gradient and the format gradient point the same way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GradientAlignRow {
    /// The fine-tuned task.
    pub target: String,
    /// How the model was fine-tuned (`standard`, `promot`, …).
    pub method: String,
    /// Stage of the method, from 1: its last.
    pub stage: u32,
    /// Root seed of the run.
    pub seed: u64,
    /// Optimizer steps taken before this probe.
    pub step: u64,
    /// `dataset`, `batch`, `flip` or `expected`.
    pub estimator: String,
    /// What `name` is.
    pub scope: Scope,
    /// A parameter's Hugging Face path, `decoder.7/cross.query`, `decoder.7`, `model` or `model_without_embeddings`.
    pub name: String,
    /// The parameter's or the group's group, such as `cross.query`; none for layers, the model, embedding and head.
    pub group: Option<String>,
    /// Mean over probe batches and shuffles of the cosine between the two summed gradients; none if either is zero.
    pub cosine: Option<f64>,
    /// Lower end of the 95 % bootstrap interval of `cosine`; none where nothing varies (one batch, one shuffle).
    pub cosine_lo: Option<f64>,
    /// Upper end.
    pub cosine_hi: Option<f64>,
    /// Mean cosine between two shuffles' format gradients: what "all format" looks like; none with a single shuffle.
    pub yardstick: Option<f64>,
    /// Mean over probe batches of the full gradient's norm, per example.
    pub norm_full: f64,
    /// Mean over probe batches and shuffles of the format gradient's norm, per example.
    pub norm_format: f64,
    /// Numbers in the parameters that the row covers.
    pub params: u64,
    /// Probe examples, over all probe batches.
    pub examples: u64,
    /// Shuffles of this estimator in each probe batch.
    pub shuffles: u64,
}

/// One row of `label_ratio.csv`: how a checkpoint answers one off-task (or the target) evaluation. Ratios, masses and shares are
/// 0–1, scores 0–100.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelRatioRow {
    /// The fine-tuned task.
    pub target: String,
    /// How the model was fine-tuned (`standard`, or `checkpoints` for somebody else's).
    pub method: String,
    /// Root seed of the run.
    pub seed: u64,
    /// Optimizer steps taken.
    pub step: u64,
    /// The evaluated task.
    pub task: String,
    /// Examples in the prompt.
    pub shots: u64,
    /// Evaluated examples.
    pub n: u64,
    /// Share of trimmed outputs that are one of the target's label words; none where the target has no closed label set.
    pub label_ratio: Option<f64>,
    /// Lower end of its 95 % Wilson interval.
    pub label_ratio_lo: Option<f64>,
    /// Upper end.
    pub label_ratio_hi: Option<f64>,
    /// Share of outputs whose first word is a label word.
    pub label_ratio_first_word: Option<f64>,
    /// Mean probability that the output begins with a label word, sentinel or not.
    pub label_mass: Option<f64>,
    /// The task's score.
    pub score: f64,
    /// Lower end of its 95 % interval (Wilson for proportions, bootstrap for BLEU and ROUGE).
    pub score_lo: Option<f64>,
    /// Upper end.
    pub score_hi: Option<f64>,
    /// Which score: `accuracy`, `em-trivia`, `em-squad`, `bleu-13a`, `bleu-intl`, `rouge2`.
    pub metric: String,
    /// Share of outputs that are a label word of the target.
    pub out_label: Option<f64>,
    /// Share of empty outputs.
    pub out_empty: f64,
    /// Share of outputs that hit the length limit.
    pub out_runaway: f64,
    /// Share of outputs that copy the input or a shot.
    pub out_copy: f64,
    /// Share of outputs in another language or script than the task's; none where the task has none.
    pub out_wrong_language: Option<f64>,
    /// Share of all others.
    pub out_other: f64,
}

/// One row of `target.csv`: how a checkpoint does on the fine-tuned task itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetRow {
    /// The fine-tuned task.
    pub target: String,
    /// How the model was fine-tuned.
    pub method: String,
    /// Root seed of the run.
    pub seed: u64,
    /// Optimizer steps taken.
    pub step: u64,
    /// Evaluated examples.
    pub n: u64,
    /// The target's score, 0–100, 0-shot in its training format.
    pub score: f64,
    /// Lower end of its 95 % interval.
    pub score_lo: Option<f64>,
    /// Upper end.
    pub score_hi: Option<f64>,
    /// Which score.
    pub metric: String,
    /// Mean loss per target token on those examples, without dropout, with the training loss's options.
    pub loss: f64,
}

/// One row of `pretrain.csv`: how far pretraining has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PretrainRow {
    /// Root seed of the run.
    pub seed: u64,
    /// Optimizer steps taken.
    pub step: u64,
    /// The kind of documents that the loss is of; `all` for all of them.
    pub family: String,
    /// Mean training loss of the steps since the row before, with the training loss's options; none at step 0, and none for one
    /// family.
    pub training_loss: Option<f64>,
    /// Mean cross-entropy per target token on documents that training never shows, without dropout.
    pub held_out_loss: f64,
    /// Those documents.
    pub documents: u64,
    /// Their target tokens.
    pub target_tokens: u64,
}

/// One row of `scores.csv`: how a model under pretraining answers prompts of a task. Scores are 0–100.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// Root seed of the run.
    pub seed: u64,
    /// Optimizer steps taken.
    pub step: u64,
    /// The task.
    pub task: String,
    /// Examples in the prompt.
    pub shots: u64,
    /// Evaluated examples.
    pub n: u64,
    /// The task's score.
    pub score: f64,
    /// Lower end of its 95 % interval (Wilson for proportions, bootstrap for BLEU and ROUGE).
    pub score_lo: Option<f64>,
    /// Upper end.
    pub score_hi: Option<f64>,
    /// Which score, as in `label_ratio.csv`.
    pub metric: String,
    /// Share of answers that ended before the length limit, 0–1.
    pub ended: f64,
}
