//! `fsa cache`: what of the hub is on this disk.

use std::path::PathBuf;

use clap::Args;
use fsa::Result;
use fsa::hub::{CachedRepo, CachedRevision, Hub, inventory};
use serde::Serialize;

use super::table;
use super::term::{self, size};

/// List the models and data sets in the hub's cache
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  fsa cache\n\nThe cache is that of every program that uses the Hugging Face hub; HF_HOME or HF_HUB_CACHE says where."
)]
pub struct Arguments {
    /// Print one JSON object on stdout instead of a table
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Outcome {
    cache: PathBuf,
    repositories: Vec<CachedRepo>,
}

impl Arguments {
    /// Prints the list.
    pub fn run(self) -> Result<()> {
        let cache = Hub::from_env()?.cache().to_path_buf();
        let repositories = inventory(&cache)?;
        if self.json {
            return term::print_json(&Outcome { cache, repositories });
        }
        if repositories.is_empty() {
            return term::print(format!("{}  no models and no data sets\n", cache.display()).as_bytes());
        }
        term::print(table::columns(repositories.iter().map(row).collect()).as_bytes())
    }
}

fn row(repo: &CachedRepo) -> [String; 5] {
    let revision = |of: &CachedRevision| {
        let references = if of.references.is_empty() { String::new() } else { format!(" {}", of.references.join(" ")) };
        format!("{}{references}", &of.commit[..12])
    };
    let revisions: Vec<String> = repo.revisions.iter().map(revision).collect();
    let incomplete = match repo.incomplete_bytes {
        0 => String::new(),
        bytes => format!(" + {} incomplete", size(bytes)),
    };
    [
        repo.kind.name().to_string(),
        repo.name.clone(),
        revisions.join(", "),
        format!("{}{incomplete}", size(repo.bytes)),
        repo.path.display().to_string(),
    ]
}
