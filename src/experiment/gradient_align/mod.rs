//! `fsa gradient-align`: fine-tune, and at each probe step compare the full gradient with the format gradient; of one method, or of
//! several, one after the other in folders of their own; or of the checkpoints that another trainer left.

mod methods;
mod one;
mod plan;
mod series;
mod together;

use std::path::PathBuf;

use serde::Serialize;

use super::compare::PlannedMethod;
use super::estimate::Time;
use super::{Events, Existing};
use crate::error::Result;
use crate::report::RunFolder;
use crate::report::files::{ROWS, SPEC};
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
    /// What has to be said beside every number of this model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// Rows written.
    pub rows: usize,
    /// Entries of the checkpoints' folder that were not measured, where fsa does not fine-tune itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<usize>,
    /// A short table of the first and the last probe, for people.
    #[serde(skip)]
    pub table: String,
    /// The cosine of `model_without_embeddings` at the first and last probe, by estimator, for machines.
    pub summary: Vec<Summary>,
}

/// One line of the machine-readable summary.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// The method, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
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
    /// Methods with all their stages, where there are any but the one of standard fine-tuning.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<PlannedMethod>,
    /// Training steps, of all stages.
    pub steps: u64,
    /// Probe steps, of the first method.
    pub probe_steps: Vec<u64>,
    /// Examples in the training split.
    pub train_examples: usize,
    /// Numbers in the model.
    pub params: u64,
    /// Losses whose gradients are compared in a probe batch.
    pub losses: usize,
    /// Estimated peak memory in MiB.
    pub memory_mib: u64,
    /// How long it will take, measured just now; none where the run does not fit into memory.
    pub time: Option<Time>,
    /// What decides the numbers, in one line.
    pub signature: String,
    /// Warnings that the run would give.
    pub warnings: Vec<String>,
}

/// Fine-tunes (or takes checkpoints) and probes. `command` is recorded in `run.json`.
///
/// # Errors
/// Of [`crate::Kind::Input`] if it could not run, `Check` if a number is not finite or `strict` skipped something, `Interrupted` if
/// the user stopped it; in the last two cases rows and CSV so far are complete files.
pub fn run(spec: &GradientAlign, existing: Existing, command: &[String], events: &mut dyn Events) -> Result<Outcome> {
    match &spec.checkpoints {
        Some(dir) => series::run(spec, dir, existing, command, events),
        None if spec.is_one_run() => one::run(spec, existing, command, events),
        None => methods::run(spec, existing, command, events),
    }
}

/// Says what [`run`] would do, without writing anything: how long it will take comes from doing some of it.
///
/// # Errors
/// As [`run`], for everything that can be seen before the first step.
pub fn plan(spec: &GradientAlign) -> Result<Plan> {
    if spec.is_one_run() { one::plan(spec) } else { plan::plan(spec) }
}

/// Draws the figure of the run in `folder`, if it is of several methods.
pub(super) fn redraw(folder: &RunFolder) -> Result<Option<Vec<PathBuf>>> {
    // A run of one method has its rows in the folder itself, and needs no spec to be drawn.
    if folder.file(ROWS).is_file() || !folder.file(SPEC).is_file() {
        return Ok(None);
    }
    match folder.read_spec::<GradientAlign>() {
        Ok(spec) if !spec.is_one_run() => together::redraw(&spec, folder).map(Some),
        // Another command's.
        _ => Ok(None),
    }
}
