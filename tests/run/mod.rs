//! `fsa gradient-align`, `plot` and `dump` from end to end on a tiny model, as a shell sees them.

mod bad_data;
mod bad_model;
mod bad_out;
mod bench;
mod dump;
mod embedded;
mod mutations;
mod numbers;
mod outputs;
mod repeats;
#[cfg(unix)]
mod resume;
mod series;
pub(crate) mod support;
mod trainable;
