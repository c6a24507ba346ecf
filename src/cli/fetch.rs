//! `fsa fetch`: models and tasks' data from the hub, before they are wanted.

use clap::Args;
use fsa::Result;
use fsa::experiment::fetch::{self, Fetched};
use serde::Serialize;

use super::table;
use super::term::{self, Downloads, size};

/// Fetch models, and the data of tasks, from the hub into its cache
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Models on the hub, OWNER/NAME or OWNER/NAME@REVISION, and tasks by name or description (*.toml): their splits with answers
    #[arg(value_name = "MODEL|TASK", required = true)]
    names: Vec<String>,
    /// Print one JSON object on stdout instead of a table
    #[arg(long)]
    json: bool,
    /// No progress on stderr; warnings and errors remain
    #[arg(long)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  fsa fetch google/mt5-small
  fsa fetch google/t5-v1_1-xl@refs/pr/3
  fsa fetch rte trivia_qa

Only the files that fsa reads are fetched, into the cache that programs of the Hugging Face hub share; a
download that was cut off goes on where it was. The environment says where and how: HF_HOME or
HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN (for what is private or restricted), HF_HUB_OFFLINE.";

/// What `--json` prints.
#[derive(Serialize)]
struct Outcome {
    fetched: Vec<Fetched>,
}

impl Arguments {
    /// Fetches, and prints what is there now.
    pub fn run(self) -> Result<()> {
        let fetched = {
            let mut downloads = Downloads::new(self.quiet);
            downloads.catch_interrupt();
            fetch::run(&self.names, &mut downloads)?
        };
        if self.json {
            return term::print_json(&Outcome { fetched });
        }
        let row = |of: &Fetched| {
            let files = format!("{} files", of.files);
            [of.id.clone(), of.commit[..12].to_string(), files, size(of.bytes), of.path.display().to_string()]
        };
        term::print(table::columns(fetched.iter().map(row).collect()).as_bytes())
    }
}
