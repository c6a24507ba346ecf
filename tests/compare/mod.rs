//! `fsa compare` from the command line to its folders.

mod bad_input;
mod methods;
mod resume;
mod support;
