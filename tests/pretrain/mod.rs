//! Pretraining from end to end on a corpus of a few sentences.

mod resume;
mod support;
mod whole;
