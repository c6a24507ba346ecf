//! Tasks: how a file's records become prompts and targets. A task is data, a description in TOML, and never a code path.
//!
//! ```toml
//! name = "mine"
//! template = "Q: {question} A:"    # what the model reads; {{ and }} are single braces
//! metric = "em-squad"              # with labels, `accuracy` unless it says otherwise
//! prefix = "Q:"                    # how its prompts begin, where an output that goes on with another one is cut
//! language = "en"                  # the language its outputs should be in
//! max_source_tokens = 1024         # articles are cut to fit; without it nothing is
//! cut_column = "question"          # which column is the article; needed only if the template has several
//!
//! [columns]                        # the template's columns, and what files call them (dotted paths reach into objects
//! question = ["question", "text"]  # and lists: `translation.en`, `choices.text.0`); the first that a file has is taken
//!
//! [target]
//! columns = ["answer.value"]       # what files call the target
//! references = ["answer.aliases"]  # a list of further answers that count as right
//! drop = ["<unk>"]                 # targets whose rows are left out
//! labels = ["True", "False"]       # the label words; without them the target is free text
//!
//! [target.codes]                   # what files hold for a label word, besides the word itself
//! 0 = "True"
//! 1 = "False"
//!
//! [splits]                         # a task's own files, relative to the description, or `hub`, `mini` and the like
//! train = "train.jsonl"
//! validation = "validation.jsonl"
//! test = "test.jsonl"
//!
//! [hub]                            # where the data are on the Hugging Face hub
//! id = "owner/name"
//! config = "main"
//!
//! revision = "main"                # without it, main and then refs/convert/parquet are looked through
//!
//! [hub.splits]                     # the hub's names of the splits that carry answers
//! train = "train"
//!
//! [hub.files]                      # files there that are called otherwise than the hub's own parquet, a * standing for what
//! train = "data/train-*.jsonl.gz"  # differs, by the hub's name of the split
//!
//! [hub.rows]                       # how many rows a split has, by the hub's name of it: other numbers are warned of
//! train = 2490
//! ```
//!
//! Only `name`, `template`, `[columns]` and `columns` under `[target]` must be there.

mod description;
mod reading;
mod registry;
mod row;
#[cfg(test)]
mod tests;

pub(in crate::data) use reading::Draw;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::labels::LabelSet;
use super::metric::Metric;
use super::template::Template;
use super::trim::PREFIXES;
use crate::error::Result;

/// One task.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    name: String,
    template: Template,
    /// Template column → what files call it, in order of preference.
    columns: BTreeMap<String, Vec<String>>,
    target: Target,
    metric: Option<Metric>,
    prefix: Option<String>,
    language: Option<String>,
    limit: Option<Limit>,
    splits: Splits<PathBuf>,
    hub: Option<Hub>,
}

#[derive(Debug, Clone, PartialEq)]
struct Target {
    columns: Vec<String>,
    references: Vec<String>,
    drop: Vec<String>,
    labels: Option<Labels>,
}

#[derive(Debug, Clone, PartialEq)]
struct Labels {
    set: LabelSet,
    /// What files hold → class.
    codes: BTreeMap<String, usize>,
}

/// How long a source may be, and which of the template's columns is cut to that end.
#[derive(Debug, Clone, PartialEq)]
struct Limit {
    tokens: usize,
    column: String,
}

/// What a task has of each split: a file, or the hub's name for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Splits<T> {
    /// For fine-tuning, and for the shots of few-shot prompts.
    pub train: Option<T>,
    /// For choosing a checkpoint.
    pub validation: Option<T>,
    /// For results; where there is none, validation serves.
    pub test: Option<T>,
}

impl<T> Default for Splits<T> {
    fn default() -> Self {
        Self { train: None, validation: None, test: None }
    }
}

impl<T> Splits<T> {
    /// Those that there are, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &T)> {
        let all = [("train", &self.train), ("validation", &self.validation), ("test", &self.test)];
        all.into_iter().filter_map(|(name, split)| Some((name, split.as_ref()?)))
    }

    /// The split that results are given on: test, or where there is none with answers, validation.
    pub fn evaluation(&self) -> Option<&T> {
        self.test.as_ref().or(self.validation.as_ref())
    }
}

/// Where a task's data are on the Hugging Face hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hub {
    /// `owner/name`.
    pub id: String,
    /// The configuration, where the data set has several.
    pub config: Option<String>,
    /// The branch, tag or commit; without it, where data are by the hub's conventions.
    pub revision: Option<String>,
    /// The hub's names of the splits that carry answers; others may exist.
    pub splits: Splits<String>,
    /// The files of a split, by the hub's name of it, where they are not called as the hub calls them.
    pub files: BTreeMap<String, String>,
    /// The rows of a split, by the hub's name of it.
    pub rows: BTreeMap<String, u64>,
}

impl Task {
    /// The names of the tasks that come with fsa.
    pub fn names() -> impl Iterator<Item = &'static str> {
        registry::BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The task `name` that comes with fsa.
    pub fn named(name: &str) -> Result<Self> {
        let (known, text) = registry::find(name)?;
        description::parse(text, Path::new(&format!("{known}.toml")))
    }

    /// The task that the TOML file at `path` describes.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        description::parse(&registry::read(path)?, path)
    }

    /// [`from_file`](Self::from_file) for what ends in `.toml`, [`named`](Self::named) for anything else.
    pub fn resolve(name_or_path: &str) -> Result<Self> {
        match name_or_path.ends_with(".toml") {
            true => Self::from_file(name_or_path),
            false => Self::named(name_or_path),
        }
    }

    /// The description, in TOML, that [`resolve`](Self::resolve) reads for this name or path.
    pub fn description(name_or_path: &str) -> Result<String> {
        match name_or_path.ends_with(".toml") {
            true => registry::read(Path::new(name_or_path)),
            false => registry::find(name_or_path).map(|(_, text)| text.to_string()),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its template.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The template's columns, and what files call each, in order of preference.
    pub fn columns(&self) -> &BTreeMap<String, Vec<String>> {
        &self.columns
    }

    /// What files call the target, in order of preference.
    pub fn target_columns(&self) -> &[String] {
        &self.target.columns
    }

    /// What files call the list of further answers, in order of preference.
    pub fn reference_columns(&self) -> &[String] {
        &self.target.references
    }

    /// Its label words, or `None` where targets are free text.
    pub fn labels(&self) -> Option<&LabelSet> {
        self.target.labels.as_ref().map(|labels| &labels.set)
    }

    /// How its outputs are scored; `None` for free text whose description does not say.
    pub fn metric(&self) -> Option<Metric> {
        self.metric
    }

    /// How its prompts begin, where the description says so.
    pub fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    /// The prefixes at which its outputs are [trimmed](super::trim::trim): the paper's, and its own.
    pub fn prefixes(&self) -> Vec<&str> {
        let own = self.prefix().filter(|own| !PREFIXES.contains(own));
        PREFIXES.into_iter().chain(own).collect()
    }

    /// The language its outputs should be in, as an ISO 639 code.
    pub fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }

    /// The most tokens a source may have; longer ones have their article [cut](super::cut). `None`: nothing is cut.
    pub fn max_source_tokens(&self) -> Option<usize> {
        self.limit.as_ref().map(|limit| limit.tokens)
    }

    /// The files that its description names, as paths from the working folder.
    pub fn splits(&self) -> &Splits<PathBuf> {
        &self.splits
    }

    /// Where its data are on the hub.
    pub fn hub(&self) -> Option<&Hub> {
        self.hub.as_ref()
    }
}
