//! `fsa label-ratio` from end to end on a tiny model, as a shell sees it.

mod bad_input;
mod checkpoints;
mod free_text;
mod layouts;
mod mass;
mod outputs;
#[cfg(unix)]
mod resume;
mod shots;
pub mod support;
mod tables;
