//! A text to pretrain on.

/// One pretraining document: sentinels (`<extra_id_0>`, …) in it are text, which the tokenizer turns into their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What the model reads.
    pub source: String,
    /// What it is to write.
    pub target: String,
    /// What kind of document it is.
    pub family: &'static str,
}
