//! What commands that evaluate tasks have in common as typed.

use fsa::spec::{LabelRatio, limit};
use serde::Deserialize;

/// Prompts end in a sentinel unless that is switched off: what the model was pretrained to answer.
pub const PROMPT_SENTINEL: bool = LabelRatio::PROMPT_SENTINEL;

/// The most examples to evaluate, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct AtMost(#[serde(with = "limit")] pub Option<usize>);

impl AtMost {
    /// Reads it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        limit::parse(text).map(Self)
    }
}
