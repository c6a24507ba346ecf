//! `fsa mini`: the mini world, looked at and written out for use elsewhere.

mod baselines;
mod export;
mod report;

pub use baselines::{Baseline, baselines};
pub use export::{Export, Exported, export, export_model};
pub use report::report;

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::tasks::{Rendered, rendered};
use crate::data::{Corpus, Document, FewShot, Layout, MiniSplit, Task, World};
use crate::error::{Error, Result};
use crate::report::folder::stream_atomic;
use crate::spec::Seeds;

/// The first `limit` examples of `split` of the world's `task`, as the model reads them in training: no shots, no sentinel.
///
/// # Errors
/// If there is no such task, or the world has no such split of it.
pub fn show(task: &str, split: MiniSplit, limit: usize, seed: u64) -> Result<Vec<Rendered>> {
    let task = Task::named(task).map_err(|error| error.flag("TASK"))?;
    let split = World::new(seed).split(&task, split).map_err(|error| error.flag("--split"))?;
    let layout = Layout { sentinel: false, ..Layout::default() };
    let few = FewShot { task: &task, train: None, shots: 0, layout: &layout, seeds: Seeds::new(seed) };
    rendered(&few, &split, limit)
}

/// Pretraining documents to write out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// How many: the first ones.
    pub limit: u64,
    /// The world's seed.
    pub seed: u64,
}

/// A line of the file of documents.
#[derive(Debug, Serialize)]
struct Line<'a> {
    source: &'a str,
    target: &'a str,
    family: &'a str,
}

impl Documents {
    /// Them, as JSON lines, each with its line end; made as they are asked for.
    pub fn lines(&self) -> impl Iterator<Item = Result<String>> {
        let world = World::new(self.seed);
        (0..self.limit).map(move |index| line(&world.document(index)))
    }

    /// Writes them into the file at `path`, whole or not at all; one that is there stays, unless `force`.
    pub fn write(&self, path: &Path, force: bool) -> Result<()> {
        refuse_existing(&[path.to_path_buf()], force)?;
        let mut failure = None;
        let written = stream_atomic(path, |file| {
            for line in self.lines() {
                match line {
                    Ok(line) => file.write_all(line.as_bytes())?,
                    // The cause, which an error of the system's cannot carry.
                    Err(error) => return Err(std::io::Error::other(failure.insert(error).to_string())),
                }
            }
            Ok(())
        });
        match failure {
            Some(error) => Err(error),
            None => written.map_err(|error| error.flag("--out")),
        }
    }
}

fn line(document: &Document) -> Result<String> {
    let line = Line { source: &document.source, target: &document.target, family: &document.family };
    serde_json::to_string(&line).map(|line| line + "\n").map_err(|source| {
        Error::check(format!("cannot write this document as JSON: {source}")).next("please report it").caused_by(source)
    })
}

/// Errors on the first of `paths` that is there, unless `force`.
fn refuse_existing(paths: &[PathBuf], force: bool) -> Result<()> {
    match paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        Some(path) if !force => Err(Error::input("is there already")
            .at(path)
            .flag("--out")
            .next("choose another place, or overwrite it with --force")),
        _ => Ok(()),
    }
}
