//! `fsa compare` from the command line to its folders.

mod bad_input;
#[cfg(unix)]
mod full_disk;
mod gradients;
#[cfg(unix)]
mod jobs;
mod methods;
mod resume;
pub(crate) mod support;
