//! Documents to pretrain on: a corpus is a function from numbers to documents, so that any of them can be made again, by any
//! thread, in any order. What a corpus is about is its own module's business, and how texts become ids is the tokenizer's.

use super::example::Split;
use super::mini::World;
use super::task::Task;
use crate::error::{Error, Result};
use crate::spec::{MINI, MINI_SEED};

/// One document of text-to-text pretraining. Sentinels stand in it as text (`<extra_id_0>`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What the model reads.
    pub source: String,
    /// What it should write.
    pub target: String,
    /// Which kind of document it is, by which losses are reported.
    pub family: String,
}

/// The split of a task that prompts take their shots from.
pub const SHOTS: &str = "train";
/// The split that is asked.
pub const ASKED: &str = "test";

/// A source of documents, with the tasks that a model of it can be asked.
pub trait Corpus: Sync {
    /// Its name in specs and signatures.
    fn name(&self) -> &str;

    /// Document number `index` of training; the same for the same index.
    fn document(&self, index: u64) -> Document;

    /// Document number `index` of those that training never shows.
    fn held_out(&self, index: u64) -> Document;

    /// The pieces that its texts consist of, for a tokenizer: `▁` and a word for one that follows a space, the text alone for
    /// one that follows another piece (`.`, `ville`). None twice.
    fn pieces(&self) -> Vec<String>;

    /// The tasks, each with a number of shots, whose scores show what the model can do.
    fn evaluations(&self) -> Vec<(String, usize)>;

    /// The description of the task `name`; a registered one unless the corpus has its own.
    fn task(&self, name: &str) -> Result<Task> {
        Task::resolve(name)
    }

    /// The split [`SHOTS`] or [`ASKED`] of the task `name`.
    ///
    /// # Errors
    /// If the corpus says nothing about that task.
    fn split(&self, name: &str, split: &str) -> Result<Split>;
}

/// The names of the corpora that come with fsa.
pub const NAMES: [&str; 1] = [MINI];

/// The corpus `name` that comes with fsa.
///
/// # Errors
/// If there is none of that name.
pub fn named(name: &str) -> Result<Box<dyn Corpus>> {
    match name {
        MINI => Ok(Box::new(World::new(MINI_SEED))),
        _ => {
            let known = NAMES.join(", ");
            Err(Error::input(format!("there is no corpus `{name}` (known: {known})")).flag("--corpus"))
        }
    }
}
