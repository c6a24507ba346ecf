//! What a task makes of a file: prompts, targets and labels, with where they came from.

use std::ops::Range;
use std::path::PathBuf;

use serde::Serialize;

/// One example: what the model reads and what it should answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Index of its row in the file, from 0 after any header; dropped rows count.
    pub row: usize,
    /// The prompt: the task's template filled in.
    pub source: String,
    /// The answer: a label word, or free text.
    pub target: String,
    /// Every answer that counts as right, the target first, none twice and none blank.
    pub references: Vec<String>,
    /// Index of the answer in the task's label set; `None` for free text.
    pub label: Option<usize>,
    /// The bytes of the source that may be cut to make it short enough, where the task says so: an article.
    pub article: Option<Range<usize>>,
}

/// The examples of one split. It holds at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// What it was read from: a file, a folder, or a name that stands for data.
    pub path: PathBuf,
    /// The examples, in the file's order.
    pub examples: Vec<Example>,
    /// Rows left out because the task drops their label.
    pub dropped: usize,
    /// Rows of its files, whether they were read or not.
    pub rows: u64,
    /// SHA-256 of the file, in lower-case hexadecimal; of several files, that of a line for each with its hash.
    pub sha256: String,
    /// Its files, if they are several: names, and their hashes.
    pub files: Vec<(PathBuf, String)>,
    /// Where it came from, if that is the hub.
    pub origin: Option<Origin>,
}

/// A data set of the hub at one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// `owner/name`.
    pub repo: String,
    /// The branch or tag that was asked for, or the commit.
    pub revision: String,
    /// The commit that it came to.
    pub commit: String,
    /// The rows that the task's description says the split has.
    pub expected: Option<u64>,
}

impl Split {
    /// The examples of one file, all rows of which were read; `sha256` is its hash.
    pub fn of_file(path: PathBuf, examples: Vec<Example>, dropped: usize, sha256: String) -> Self {
        let rows = (examples.len() + dropped) as u64;
        Self { path, examples, dropped, rows, sha256, files: Vec::new(), origin: None }
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.examples.len()
    }

    /// Whether there are no examples; a split from [`Task::read`](super::Task::read) always has some.
    pub fn is_empty(&self) -> bool {
        self.examples.is_empty()
    }

    /// Whether only some of its rows were read.
    pub fn is_sample(&self) -> bool {
        ((self.examples.len() + self.dropped) as u64) < self.rows
    }

    /// What should be said of where it comes from.
    pub fn warning(&self) -> Option<String> {
        let expected = self.origin.as_ref()?.expected.filter(|&expected| expected != self.rows)?;
        let (path, rows) = (self.path.display(), self.rows);
        Some(format!(
            "{path}: it has {rows} rows, and the task's description says {expected}: the data set has changed"
        ))
    }

    /// Every example's label, or `None` where the targets are free text.
    pub fn labels(&self) -> Option<Vec<usize>> {
        self.examples.iter().map(|example| example.label).collect()
    }
}
