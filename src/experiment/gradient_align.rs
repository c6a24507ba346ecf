//! `fsa gradient-align`: fine-tune, and at each probe step compare the full gradient with the format gradient.

use std::path::PathBuf;

use serde::Serialize;

use super::{Events, Existing};
use crate::error::Result;
use crate::spec::GradientAlign;

/// What a run leaves behind.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The run folder.
    pub out: PathBuf,
    /// Every file written, in the folder's order.
    pub files: Vec<PathBuf>,
    /// What decides the numbers, in one line.
    pub signature: String,
    /// Rows written.
    pub rows: usize,
    /// A short table of the first and the last probe, for people.
    #[serde(skip)]
    pub table: String,
    /// The cosine of `model_without_embeddings` at the first and last probe, by estimator, for machines.
    pub summary: Vec<Summary>,
}

/// One line of the machine-readable summary.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Probe step.
    pub step: u64,
    /// Estimator.
    pub estimator: String,
    /// Cosine of `model_without_embeddings`.
    pub cosine: Option<f64>,
    /// Its interval's lower end.
    pub cosine_lo: Option<f64>,
    /// Its interval's upper end.
    pub cosine_hi: Option<f64>,
}

/// What `--dry-run` prints.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// Training steps.
    pub steps: u64,
    /// Probe steps.
    pub probe_steps: Vec<u64>,
    /// Examples in the training split.
    pub train_examples: usize,
    /// Numbers in the model.
    pub params: u64,
    /// Losses whose gradients are compared in a probe batch.
    pub losses: usize,
    /// Estimated peak memory in MiB.
    pub memory_mib: u64,
    /// What decides the numbers, in one line.
    pub signature: String,
    /// Warnings that the run would give.
    pub warnings: Vec<String>,
}
