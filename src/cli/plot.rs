//! `fsa plot`: redraw a run's figures.

use std::path::PathBuf;

use clap::Args;
use fsa::Result;
use fsa::experiment::redraw;
use serde::Serialize;

use super::term;

/// Redraw a run folder's figures from its rows, without the model
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  fsa plot reports/gradient-align-rte-seed0\n  fsa plot reports/label-ratio-rte-seed0\n  fsa plot reports/compare-rte-seed0 --paper"
)]
pub struct Arguments {
    /// The run folder, of gradient-align, label-ratio or compare
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Mark the paper's own numbers in the figures of a comparison
    #[arg(long, help_heading = "Output")]
    paper: bool,
    /// Print one JSON object on stdout instead of the paths
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Redrawn {
    files: Vec<PathBuf>,
}

impl Arguments {
    /// Redraws, and prints the figures' paths.
    pub fn run(self) -> Result<()> {
        let files = redraw::run(&self.dir, self.paper)?;
        if self.json {
            return term::print_json(&Redrawn { files });
        }
        term::print(term::paths(&files).as_bytes())
    }
}
