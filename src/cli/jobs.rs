//! `--jobs`, and the processes that it starts.

use std::path::Path;
use std::process::Command;

use clap::Args;
use fsa::experiment::compare::Jobs;
use fsa::{Error, Result};

use super::{again, choice};

/// More processes than any machine has a use for.
const MOST: usize = 1024;

/// How many processes a comparison is trained and asked in.
#[derive(Debug, Args)]
pub struct JobsOption {
    /// Processes that train and ask for a comparison at once, each with --threads threads, as many as fit into memory; rows do
    /// not depend on it [default: 1]
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Output")]
    jobs: Option<usize>,
}

impl JobsOption {
    /// How many.
    ///
    /// # Errors
    /// If there cannot be so many.
    pub fn count(&self) -> Result<usize> {
        let count = self.jobs.unwrap_or(1);
        match (1..=MOST).contains(&count) {
            true => Ok(count),
            false => Err(Error::input(format!("must be from 1 to {MOST}, not {count}")).flag("--jobs")),
        }
    }
}

/// `count` processes.
pub fn jobs(count: usize) -> Jobs<'static> {
    Jobs { count, worker: &worker }
}

fn worker(out: &Path) -> Result<Command> {
    let mut command = again::command("compare")?;
    command.arg("--worker").arg(out);
    Ok(command)
}
