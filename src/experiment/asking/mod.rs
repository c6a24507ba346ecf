//! Asking a model the examples of a task, and what its answers amount to: what every command that evaluates tasks shares.

mod examine;
mod questions;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(super) use examine::{Examiner, Place, most_asked, signatures, ticks};
pub(super) use questions::{Asked, Question, Reader, describe};

use crate::data::{LabelSet, Task};
use crate::error::Result;
use crate::spec::LabelRatio;
use crate::tokenizer::Tokenizer;

/// What decides which questions are asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'a> {
    /// The model's folder.
    pub model: &'a Path,
    /// Data files by task and split, as `task.split`.
    pub files: &'a BTreeMap<String, PathBuf>,
    /// Examples of each task; all of them without.
    pub limit: Option<usize>,
    /// Rows of each split that are read; all of them without.
    pub sample: Option<usize>,
    pub bleu_tokenizer: &'a str,
    pub seed: u64,
}

impl<'a> From<&'a LabelRatio> for Asking<'a> {
    fn from(spec: &'a LabelRatio) -> Self {
        Self {
            model: &spec.model,
            files: &spec.files,
            limit: spec.limit,
            sample: spec.sample,
            bleu_tokenizer: &spec.bleu_tokenizer,
            seed: spec.seed,
        }
    }
}

/// The label words that outputs are compared with.
#[derive(Debug)]
pub(super) struct Labels {
    /// None for free text.
    pub set: Option<LabelSet>,
    /// Ids that outputs would begin with: each label word, and each behind the sentinel.
    ids: Vec<Vec<u32>>,
}

impl Labels {
    /// Those of the fine-tuned task.
    pub fn of(task: &Task, tokenizer: &Tokenizer) -> Result<Self> {
        let set = task.labels().cloned();
        let ids = label_ids(set.as_ref(), tokenizer)?;
        Ok(Self { set, ids })
    }
}

/// The ids of each label word as an output begins with it: alone, and behind `<extra_id_0>`.
fn label_ids(labels: Option<&LabelSet>, tokenizer: &Tokenizer) -> Result<Vec<Vec<u32>>> {
    let sentinel = tokenizer.token_to_id("<extra_id_0>");
    let mut all = Vec::new();
    for word in labels.iter().flat_map(|labels| labels.words()) {
        let mut ids = tokenizer.encode(word)?;
        ids.pop();
        all.extend(sentinel.map(|sentinel| std::iter::once(sentinel).chain(ids.iter().copied()).collect()));
        all.push(ids);
    }
    // An output that begins with `not sure` begins with `not`: counted once.
    let extends = |ids: &Vec<u32>, other: &Vec<u32>| ids.len() > other.len() && ids.starts_with(other);
    let shortest = all.iter().filter(|ids| !all.iter().any(|other| extends(ids, other))).cloned();
    Ok(shortest.collect())
}
