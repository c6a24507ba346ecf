//! The built command, as a shell sees it.

mod docs;
mod generate;
mod score;
mod tasks;
mod usage;

use std::process::{Command, Output};

/// Runs `fsa` with `arguments`, split at white space.
fn fsa(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fsa")).args(arguments.split_whitespace()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
