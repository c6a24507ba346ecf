//! What a task makes of a file: prompts, targets and labels, with where they came from.

use std::ops::Range;
use std::path::PathBuf;

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

/// The examples of one file. It holds at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The file they were read from.
    pub path: PathBuf,
    /// The examples, in the file's order.
    pub examples: Vec<Example>,
    /// Rows left out because the task drops their label.
    pub dropped: usize,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
}

impl Split {
    /// Number of examples.
    pub fn len(&self) -> usize {
        self.examples.len()
    }

    /// Whether there are no examples; a split from [`Task::read`](super::Task::read) always has some.
    pub fn is_empty(&self) -> bool {
        self.examples.is_empty()
    }

    /// Every example's label, or `None` where the targets are free text.
    pub fn labels(&self) -> Option<Vec<usize>> {
        self.examples.iter().map(|example| example.label).collect()
    }
}
