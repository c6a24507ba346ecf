//! What the cache holds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::RepoKind;
use super::id::is_commit;
use crate::error::{Error, Result};

/// A repository in the cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CachedRepo {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: RepoKind,
    /// What there is of it, by commit.
    pub revisions: Vec<CachedRevision>,
    /// Bytes of its files, each counted once.
    pub bytes: u64,
    /// Bytes of files that have not wholly arrived.
    pub incomplete_bytes: u64,
    /// Its folder.
    pub path: PathBuf,
}

/// A repository's files at a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CachedRevision {
    /// The commit.
    pub commit: String,
    /// Branches and tags that last came to it.
    pub references: Vec<String>,
    /// How many of its files there are.
    pub files: usize,
}

/// The repositories in the cache at `cache`, by name. A cache that is not there holds none.
///
/// # Errors
/// If it cannot be read.
pub fn inventory(cache: &Path) -> Result<Vec<CachedRepo>> {
    let mut found = Vec::new();
    let failed = |source| Error::io("read", cache, source);
    let entries = match fs::read_dir(cache) {
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let folder = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        for kind in [RepoKind::Model, RepoKind::Dataset] {
            if let Some(name) = folder.strip_prefix(&format!("{}s--", kind.name())).filter(|_| path.is_dir()) {
                found.push(repo(&path, name.replace("--", "/"), kind));
            }
        }
    }
    found.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    Ok(found)
}

/// What cannot be read is not there.
fn repo(path: &Path, name: String, kind: RepoKind) -> CachedRepo {
    let (mut bytes, mut incomplete_bytes) = (0, 0);
    for blob in paths(&path.join("blobs")) {
        let length = fs::metadata(&blob).map_or(0, |file| file.len());
        match blob.extension().is_some_and(|extension| extension == "incomplete") {
            true => incomplete_bytes += length,
            false => bytes += length,
        }
    }
    let references = references(&path.join("refs"));
    let mut revisions = Vec::new();
    for snapshot in paths(&path.join("snapshots")) {
        let Some(commit) = snapshot.file_name().and_then(|name| name.to_str()).filter(|name| is_commit(name)) else {
            continue;
        };
        let references = references.get(commit).cloned().unwrap_or_default();
        revisions.push(CachedRevision { commit: commit.to_string(), references, files: count(&snapshot) });
    }
    CachedRepo { name, kind, revisions, bytes, incomplete_bytes, path: path.to_path_buf() }
}

/// What is in a folder, sorted.
fn paths(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Every reference under a folder, by the commit that it came to.
fn references(refs: &Path) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut left = paths(refs);
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(paths(&path));
        } else if let (Ok(commit), Ok(name)) = (fs::read_to_string(&path), path.strip_prefix(refs)) {
            found.entry(commit.trim().to_string()).or_default().push(name.display().to_string().replace('\\', "/"));
        }
    }
    found.values_mut().for_each(|names| names.sort());
    found
}

/// The files under a folder whose links lead somewhere.
fn count(folder: &Path) -> usize {
    paths(folder).iter().map(|path| if path.is_dir() { count(path) } else { path.is_file().into() }).sum()
}
