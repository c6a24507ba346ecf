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
    /// How the model was fine-tuned (`standard`).
    pub method: String,
    /// Stage of the method, from 1.
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
