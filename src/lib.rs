//! `fsa`: format-specialization analysis.
//!
//! Fine-tuning a language model on one task makes it forget how to do others, and a large part of that is *format
//! specialization*: the model learns the task's output format first and then answers everything in it. This library
//! measures it (Wang et al., "Two-stage LLM fine-tuning with less specialization and more generalization", ICLR 2024).
//!
//! # Words
//! Shapes use `B` batch, `S` source length, `T` target length, `H` model width, `P` prompt length, `V` vocabulary, and for
//! packed batches (no padding) `N` source tokens and `M` target tokens of a whole batch.
//! - **full gradient** g: of the loss on the true labels; **format gradient** g_format: of the loss on shuffled labels,
//!   same inputs, same weights.
//! - **probe**: a measurement at a training step on fixed batches.
//! - **method**: how the model is fine-tuned (`pretrained`, `standard`, `prompt-tuning`, `promot`, …).
//! - **target task**: the fine-tuned one; **off-task**: every other evaluation task.
//! - **lane**: one assignment of labels to a batch's examples; a loss is a mixture of lanes ([`model::batch`]).
//!
//! # Layers (arrows run downward only)
//! ```text
//! main → cli → experiment → train, grad, measure, report, plot
//!              train, grad → model → data, tokenizer → model_folder, measure → hub, spec, error
//! ```
//! `measure`, `plot`, `data` and `spec` know nothing of candle; nothing imports `cli`; `machine` knows nothing of the rest.

pub mod data;
pub mod error;
pub mod experiment;
pub mod fuzz;
pub mod grad;
pub(crate) mod guard;
pub mod hub;
pub mod machine;
pub mod measure;
pub mod model;
pub mod model_folder;
pub mod plot;
pub mod report;
pub mod spec;
pub mod tokenizer;
pub mod train;

pub use error::{Error, Kind, Result};
