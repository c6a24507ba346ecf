//! Resolved, serialisable descriptions of runs: the one home of every default, and their validation.
//!
//! A spec is complete: nothing is filled in after it. It must not know clap (arguments as typed live in `cli`) or candle.

use std::path::Path;

pub mod align_methods;
pub mod compare;
pub mod config;
pub mod decoding;
pub mod gradient_align;
pub mod label_ratio;
pub mod limit;
pub mod method;
pub(crate) mod nearest;
pub mod paper;
pub mod preset;
pub mod pretrain;
pub mod seeds;
mod trainable;
pub mod training;

pub use compare::Compare;
pub use decoding::{Decoding, LengthPenalty};
pub use gradient_align::{Estimand, Estimator, GradientAlign, ProbeSplit};
pub use label_ratio::{Evaluation, LabelRatio};
pub use method::Method;
pub use paper::Paper;
pub use preset::{Defaults, Preset};
pub use pretrain::Pretrain;
pub use seeds::Seeds;
pub use training::{AdafactorState, Optimizer, Schedule, Smoothing, Training};

/// The task fine-tuned where none is named: the paper's.
pub const TASK: &str = "rte";
/// What stands for fsa's own in the place of a model's folder (the embedded model) or of a data file (the mini world).
pub const MINI: &str = "mini";
/// The seed of the world that commands mean by [`MINI`].
pub const MINI_SEED: u64 = 0;
/// What goes with every number of the embedded model.
pub const MINI_NOTE: &str =
    "The embedded model, unlike mT5, has seen the formats of the evaluation tasks in pretraining.";

/// Whether `path` is [`MINI`], as it is written; a file or folder of that name is reached as `./mini`.
pub fn is_mini(path: &Path) -> bool {
    path.as_os_str() == MINI
}

/// What differs between two specs, a line for each side; where a run lies, and how much memory it may take, do not count.
pub(crate) fn differences<S: serde::Serialize>(ours: &S, theirs: &S) -> Vec<String> {
    let lines = |spec: &S| -> Vec<String> {
        // invariant: a spec is plain data and serialises
        let text = toml::to_string(spec).unwrap_or_default();
        let counts = |line: &&str| !line.starts_with("out = ") && !line.starts_with("low_memory = ");
        text.lines().filter(counts).map(String::from).collect()
    };
    let (ours, theirs) = (lines(ours), lines(theirs));
    let only = |a: &[String], b: &[String]| a.iter().filter(|line| !b.contains(line)).cloned().collect::<Vec<_>>();
    let then = only(&theirs, &ours).into_iter().map(|line| format!("`{line}` then"));
    then.chain(only(&ours, &theirs).into_iter().map(|line| format!("`{line}` now"))).collect()
}
