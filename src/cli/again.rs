//! Starting fsa again, for work that wants a process of its own.

use std::process::{Command, ExitStatus, Stdio};

use fsa::{Error, Result};

use super::term;

/// `fsa SUBCOMMAND`: this same program.
pub fn command(subcommand: &str) -> Result<Command> {
    let program = std::env::current_exe().map_err(|source| {
        Error::input(format!("cannot find this program's own file to start it again: {source}")).caused_by(source)
    })?;
    let mut command = Command::new(program);
    command.arg(subcommand).stdin(Stdio::null());
    Ok(command)
}

/// Runs `command`, which is to do `what`, to its end: what it printed, or the error that it ended with.
pub fn output(command: &mut Command, what: &str) -> Result<Vec<u8>> {
    let output =
        command.output().map_err(|source| Error::input(format!("cannot start {what}: {source}")).caused_by(source))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(failure(what, output.status, &String::from_utf8_lossy(&output.stderr))),
    }
}

/// What a process that did `what` ended with: its own error, if it had the time to say one on `stderr`.
fn failure(what: &str, status: ExitStatus, stderr: &str) -> Error {
    let said = stderr.lines().rev().find_map(|line| line.strip_prefix("fsa: error: "));
    match (said, status.code()) {
        (Some(said), Some(1)) => Error::check(said),
        (Some(said), Some(code)) if code == i32::from(term::INTERRUPTED) => Error::interrupted(said),
        (Some(said), _) => Error::input(said),
        (None, Some(code)) if code == i32::from(term::INTERRUPTED) => Error::interrupted(format!("stopped in {what}")),
        (None, _) => {
            Error::check(format!("{what} ended with {status}")).next("look whether the machine ran out of memory")
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn a_process_that_failed_is_quoted() {
        let of = |status, stderr| failure("the work", ExitStatus::from_raw(status), stderr);
        let said = of(2 << 8, "fsa: warning: w\nfsa: error: --model: there is none\n");
        assert_eq!((said.to_string().as_str(), said.kind()), ("--model: there is none", fsa::Kind::Input));
        assert_eq!(of(1 << 8, "fsa: error: a check\n").kind(), fsa::Kind::Check);
        assert!(of(9, "").to_string().contains("the work ended with signal: 9"));
    }
}
