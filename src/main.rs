//! The `fsa` command: parse, run, exit code.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    fsa::machine::keep_freed_memory();
    cli::exit_code(cli::parse().and_then(cli::run))
}
