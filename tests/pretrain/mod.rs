//! Pretraining from end to end on a corpus of a few sentences.

mod resume;
pub(crate) mod support;
mod whole;
