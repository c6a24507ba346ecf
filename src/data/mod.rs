//! Examples, readers, task registry and templates, label sets, shuffles, and batches as plain integers.
//!
//! A file becomes [`read::Record`]s, a [`Task`] turns records into [`Example`]s (a prompt, a target, a label), and
//! everything after that is integers: the order of training, the probe batches, the labels that replace the true ones.
//! This module must not know candle, a model or a tokenizer; whoever has a tokenizer hands in a closure.

pub mod batch;
pub mod corpus;
pub mod cut;
pub mod example;
mod hub_split;
pub mod labels;
pub mod metric;
pub mod mini;
pub mod order;
pub mod prompt;
pub mod read;
pub mod shuffle;
pub mod source;
pub mod task;
pub mod template;
pub mod trim;

pub use batch::Tokenized;
pub use corpus::{Corpus, Document};
pub use example::{Example, Origin, Split};
pub use labels::LabelSet;
pub use metric::Metric;
pub use mini::{MiniSplit, World};
pub use order::{Order, probe_batches};
pub use prompt::{FewShot, Layout, Prompt, Prompts};
pub use source::Reading;
pub use task::{Hub, Splits, Task};

#[cfg(test)]
pub(crate) mod testing;
