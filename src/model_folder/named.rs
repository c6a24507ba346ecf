//! Models by their name on a hub: the files that fsa reads of one, fetched, and the folder that the name stands for from then on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use super::WEIGHTS;
use crate::error::{Error, Kind, Result};
use crate::hub::{Hub, Id, Progress, Repo, RepoKind};
use crate::spec::is_mini;

const CONFIG: &str = "config.json";
const ADAPTER: &str = "adapter_config.json";
/// What an adapter's weights are in, the first that there is.
const ADAPTER_WEIGHTS: [&str; 2] = ["adapter_model.safetensors", "adapter_model.bin"];
/// What is read beside the weights.
const BESIDE: [&str; 8] = [
    CONFIG,
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "spiece.model",
    ADAPTER,
];

/// A model that is known by a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name, and the revision asked for.
    pub id: Id,
    /// The commit that the revision came to.
    pub commit: String,
    /// Where its files are.
    pub folder: PathBuf,
    /// Those that fsa reads.
    pub files: Vec<PathBuf>,
}

/// What every name stands for in this process, decided once: a branch that moves on meanwhile changes nothing.
static NAMED: Mutex<BTreeMap<PathBuf, Named>> = Mutex::new(BTreeMap::new());

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// What `model` stands for, if it is a name and has been fetched.
pub fn known(model: &Path) -> Option<Named> {
    NAMED.lock().unwrap_or_else(PoisonError::into_inner).get(model).cloned()
}

/// The name that `model` is: `OWNER/NAME` or `OWNER/NAME@REVISION`, and nothing on this disk.
pub fn name(model: &Path) -> Option<Id> {
    let id = model.to_str().and_then(Id::parse)?;
    (!is_mini(model) && !model.exists()).then_some(id)
}

/// Fetches what is missing of the model, where it is a name; from here on this name is a folder to whoever reads models. At
/// `commit`, if it is given, whatever the revision has come to since.
///
/// # Errors
/// If it cannot be had, or is nothing that fsa reads.
pub fn fetch(model: &Path, commit: Option<&str>, progress: &mut dyn Progress) -> Result<Option<Named>> {
    let Some(id) = name(model) else { return Ok(None) };
    // A run that goes on may want another commit than the newest, by which its adapter was found.
    if let Some(known) = known(model).filter(|known| commit.is_none_or(|commit| *commit == known.commit)) {
        return Ok(Some(known));
    }
    let hub = Hub::from_env()?;
    let revision = commit.or(id.given_revision());
    let repo = hub.repo(RepoKind::Model, id.name(), revision, progress).map_err(|error| match error.kind() {
        Kind::Interrupted => error,
        // It may have been meant as a path.
        _ => Error::input(format!("there is no such folder, and {error}")).at(model).caused_by(error),
    })?;
    let files = files(&repo, progress)?;
    let named = Named { id, commit: repo.commit.clone(), folder: repo.snapshot(), files };
    NAMED.lock().unwrap_or_else(PoisonError::into_inner).insert(model.to_path_buf(), named.clone());
    Ok(Some(named))
}

/// As [`fetch`], if what `model` names is an adapter. Anything else is left alone: a run that goes on knows which commit of it.
///
/// # Errors
/// As [`fetch`]. A hub that does not answer is none: whoever fetches the model will hear of it.
pub fn fetch_adapter(model: &Path, progress: &mut dyn Progress) -> Result<Option<Named>> {
    let Some(id) = name(model) else { return Ok(None) };
    let repo = match Hub::from_env()?.repo(RepoKind::Model, id.name(), id.given_revision(), progress) {
        Ok(repo) => repo,
        Err(error) if error.kind() == Kind::Interrupted => return Err(error),
        Err(_) => return Ok(None),
    };
    match repo.files().iter().any(|file| file.path == ADAPTER) {
        true => fetch(model, Some(&repo.commit), progress),
        false => Ok(None),
    }
}

/// The files that fsa reads, which are on disk then.
fn files(repo: &Repo, progress: &mut dyn Progress) -> Result<Vec<PathBuf>> {
    let has = |name: &str| repo.files().iter().any(|file| file.path == name);
    let id = repo.id();
    if !has(CONFIG) && !has(ADAPTER) {
        if let Some(why) = repo.without_hub() {
            return Err(not_cached(repo, CONFIG, why));
        }
        let names: Vec<&str> = repo.files().iter().map(|file| file.path.as_str()).take(8).collect();
        let there = if names.is_empty() { "nothing".to_string() } else { names.join(", ") };
        return Err(Error::input(format!("`{id}` is no model that fsa reads: it has no {CONFIG} (it has {there})"))
            .next("give the name of a T5 or mT5 in Hugging Face layout"));
    }
    let mut files = Vec::new();
    let mut get = |name: &str| -> Result<PathBuf> {
        let path = repo.file(name, progress)?;
        files.push(path.clone());
        Ok(path)
    };
    BESIDE.into_iter().filter(|name| has(name)).try_for_each(|name| get(name).map(drop))?;
    let adapter = ADAPTER_WEIGHTS.into_iter().find(|name| has(ADAPTER) && has(name));
    adapter.map(&mut get).transpose()?;
    match WEIGHTS.into_iter().find(|(single, index)| has(single) || has(index)) {
        Some((single, _)) if has(single) => get(single).map(drop)?,
        Some((_, index)) => shards(&get(index)?)?.iter().try_for_each(|shard| get(shard).map(drop))?,
        None if adapter.is_some() => {}
        None => return Err(no_weights(repo)),
    }
    Ok(files)
}

/// The files that the index at `path` names.
fn shards(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read(path).map_err(|source| Error::io("read", path, source))?;
    let index: Index = serde_json::from_slice(&text).map_err(|source| {
        Error::input(format!("it is not an index of shards: {source}"))
            .at(path)
            .line(source.line())
            .next("the repository is damaged: give another revision of it")
            .caused_by(source)
    })?;
    let mut shards: Vec<String> = index.weight_map.into_values().collect();
    shards.sort();
    shards.dedup();
    Ok(shards)
}

fn not_cached(repo: &Repo, what: &str, why: &str) -> Error {
    let id = repo.id();
    Error::input(format!("the cache has no {what} of `{id}`, and {why}"))
        .at(repo.snapshot())
        .next(format!("get it with `fsa fetch {id}` while online"))
}

fn no_weights(repo: &Repo) -> Error {
    if let Some(why) = repo.without_hub() {
        return not_cached(repo, "weights", why);
    }
    let id = repo.id();
    let read = WEIGHTS.map(|(single, _)| single).join(" or ");
    let endings = [".safetensors", ".bin", ".h5", ".msgpack", ".ckpt", ".pt", ".gguf"];
    let others: Vec<&str> = repo.files().iter().map(|file| file.path.as_str()).collect();
    let others: Vec<&str> =
        others.into_iter().filter(|name| endings.iter().any(|ending| name.ends_with(ending))).take(8).collect();
    let others = if others.is_empty() { String::new() } else { format!(" (it has {})", others.join(", ")) };
    Error::input(format!("`{id}` has no weights that fsa reads, no {read} in one piece or in shards{others}"))
        .next("give another revision, or save it with save_pretrained(DIR) and give the folder")
}
