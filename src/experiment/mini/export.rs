//! `fsa mini export`: every task's splits as files in the layouts of the hub's, and a config that names them all; `fsa mini
//! export-model`: the embedded model's folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::refuse_existing;
use crate::data::{MiniSplit, World};
use crate::error::{Error, Result};
use crate::model_folder::EMBEDDED;
use crate::report::folder::write_atomic;

/// The config's name: its table `[files]` names every file by task and split.
const CONFIG: &str = "files.toml";

/// What to write, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The folder: each task has one in it, with a file for each split.
    pub out: PathBuf,
    /// The world's seed.
    pub seed: u64,
    /// Whether files that are there are overwritten.
    pub force: bool,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Every file, the config last.
    pub files: Vec<PathBuf>,
}

/// Writes the embedded model's folder in Hugging Face layout into `out`, each file whole or not at all.
///
/// # Errors
/// As [`export`].
pub fn export_model(out: &Path, force: bool) -> Result<Exported> {
    let files: Vec<PathBuf> = EMBEDDED.iter().map(|(name, _)| out.join(name)).collect();
    refuse_existing(&files, force)?;
    std::fs::create_dir_all(out).map_err(|source| Error::io("create", out, source).flag("--out"))?;
    for (path, (_, bytes)) in files.iter().zip(&EMBEDDED) {
        write_atomic(path, bytes).map_err(|error| error.flag("--out"))?;
    }
    Ok(Exported { files })
}

#[derive(Serialize)]
struct Config<'a> {
    files: BTreeMap<String, &'a PathBuf>,
}

/// Writes every split of every task, and the config. Each file appears whole or not at all.
///
/// # Errors
/// If a file is there already and not to be overwritten, before anything is written; or if one cannot be written.
pub fn export(spec: &Export) -> Result<Exported> {
    let splits = World::tasks().flat_map(|task| MiniSplit::ALL.map(|split| (task, split)));
    let splits: Vec<_> = splits.filter(|(task, split)| World::has(task, *split)).collect();
    let file = |(task, split): &(&str, MiniSplit)| spec.out.join(task).join(format!("{}.jsonl", split.name()));
    let mut files: Vec<PathBuf> = splits.iter().map(file).collect();
    let config = config(&splits, &files)?;
    files.push(spec.out.join(CONFIG));
    refuse_existing(&files, spec.force)?;
    let world = World::new(spec.seed);
    for ((task, split), path) in splits.iter().zip(&files) {
        let folder = spec.out.join(task);
        std::fs::create_dir_all(&folder).map_err(|source| Error::io("create", &folder, source).flag("--out"))?;
        write_atomic(path, world.json_lines(task, *split).as_bytes()).map_err(|error| error.flag("--out"))?;
    }
    // Last, so that a config names only what is there.
    write_atomic(&spec.out.join(CONFIG), config.as_bytes()).map_err(|error| error.flag("--out"))?;
    Ok(Exported { files })
}

fn config(splits: &[(&str, MiniSplit)], files: &[PathBuf]) -> Result<String> {
    let key = |(task, split): &(&str, MiniSplit)| format!("{task}.{}", split.name());
    let files = splits.iter().map(key).zip(files).collect();
    toml::to_string(&Config { files }).map_err(|source| {
        Error::input(format!("cannot name these files in a config: {source}"))
            .flag("--out")
            .next("give a folder whose path is valid UTF-8")
            .caused_by(source)
    })
}
