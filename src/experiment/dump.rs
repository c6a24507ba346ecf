//! `fsa dump`: one batch's tensors, logits, loss and every gradient in a safetensors file.

use std::path::PathBuf;

use serde::Serialize;

use crate::spec::Smoothing;

/// What to dump.
#[derive(Debug, Clone)]
pub struct Dump {
    /// Folder of the model, in Hugging Face layout.
    pub model: PathBuf,
    /// JSON lines, `{"source": "…", "target": "…"}` each.
    pub input: PathBuf,
    /// The safetensors file to write.
    pub out: PathBuf,
    /// Overwrite `out` if it exists.
    pub force: bool,
    /// Dropout rate; 0 for none.
    pub dropout: f64,
    /// Label smoothing ε; 0 for none.
    pub label_smoothing: f64,
    /// Which definition of label smoothing.
    pub smoothing: Smoothing,
    /// Root seed (of the dropout masks).
    pub seed: u64,
}

/// What was dumped.
#[derive(Debug, Serialize)]
pub struct Dumped {
    /// The file.
    pub out: PathBuf,
    /// Examples in the batch.
    pub examples: usize,
    /// Mean loss over target tokens.
    pub loss: f64,
    /// Number of gradients.
    pub gradients: usize,
}
