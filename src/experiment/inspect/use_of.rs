//! What fsa can do with a folder, and what memory that takes.

use serde::Serialize;

use super::Inspected;
use crate::model::T5Config;
use crate::model::memory::{self, AtOnce};
use crate::spec::Training;

/// Source tokens of an example, where nobody has counted them.
pub const SOURCE_TOKENS: usize = 128;

/// What one kind of work needs.
#[derive(Debug, Serialize)]
pub struct Memory {
    /// `alignment` or `training`.
    pub work: &'static str,
    /// Examples of a batch.
    pub batch_size: usize,
    /// Source tokens of each.
    pub source_tokens: usize,
    /// Estimated peak in MiB.
    pub mib: u64,
    /// The same with `--low-memory`.
    pub low_memory_mib: u64,
}

/// Estimates for a model of `params` numbers, with the default batch and optimizer.
pub(super) fn memory(config: &T5Config, params: u64) -> Vec<Memory> {
    let batch_size = Training::default().batch_size;
    let of = |(work, losses): (&'static str, usize)| {
        let at_once =
            AtOnce { source_tokens: batch_size * SOURCE_TOKENS, examples: batch_size, losses, ..AtOnce::default() };
        let mib = |low_memory: bool| {
            let training = Training { low_memory, ..Training::default() };
            memory::estimate_mib(config, params, at_once, &training)
        };
        Memory { work, batch_size, source_tokens: SOURCE_TOKENS, mib: mib(false), low_memory_mib: mib(true) }
    };
    [("alignment", 2), ("training", 1)].map(of).into()
}

/// The commands that take the folder; `sound` if nothing is wrong with it.
pub(super) fn commands(inspected: &Inspected, sound: bool) -> Vec<&'static str> {
    let Some(model) = &inspected.model else {
        let readable = inspected.checkpoints.iter().any(|checkpoint| checkpoint.kind.is_some());
        return if readable { vec!["label-ratio --checkpoints"] } else { Vec::new() };
    };
    let weights = model.weights.as_ref().is_some_and(|weights| {
        let read = weights.dtypes.iter().all(|stored| stored.is_read);
        weights.tensors.missing.is_empty() && weights.tensors.misshapen.is_empty() && read
    });
    let tokenizer = model.tokenizer.as_ref();
    let mut commands = Vec::new();
    if sound || (weights && tokenizer.is_some_and(|it| it.spare_rows >= 0) && inspected.adapter.is_none()) {
        commands.extend(["generate", "dump", "label-ratio", "gradient-align"]);
        // Whose methods attach soft prompts of their own.
        let is_prompt = inspected.adapter.as_ref().is_some_and(|adapter| adapter.rows.is_some());
        commands.extend((!is_prompt).then_some("compare"));
    }
    if weights && (sound || inspected.adapter.is_none()) {
        commands.push("bench");
    }
    if tokenizer.is_some() {
        commands.push("tokenize");
    }
    if inspected.checkpoints.iter().any(|checkpoint| checkpoint.kind.is_some()) {
        commands.push("label-ratio --checkpoints");
    }
    commands
}
