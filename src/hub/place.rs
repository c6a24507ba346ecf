//! Where the cache has a repository: `huggingface_hub`'s layout, so that files fetched by one program serve the other.
//!
//! ```text
//! models--OWNER--NAME/blobs/HASH                  what a file holds
//!                     snapshots/COMMIT/PATH       a link to it
//!                     refs/REVISION               the commit that a branch or tag last came to
//! .locks/models--OWNER--NAME/HASH.lock            held by whoever fetches it
//! ```

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::id::{is_commit, is_hexadecimal};
use super::retry::sleep;
use super::{Id, Progress, RepoKind};
use crate::error::{Error, Result};

/// How often to look whether another process has done its work.
const LOOK: Duration = Duration::from_millis(100);

/// A repository's folder in the cache.
#[derive(Debug, Clone)]
pub struct Place {
    root: PathBuf,
    locks: PathBuf,
}

impl Place {
    pub fn new(cache: &Path, kind: RepoKind, id: &Id) -> Self {
        let folder = format!("{}s--{}", kind.name(), id.name().replace('/', "--"));
        Self { root: cache.join(&folder), locks: cache.join(".locks").join(folder) }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn blob(&self, hash: &str) -> PathBuf {
        self.root.join("blobs").join(hash)
    }

    pub fn snapshot(&self, commit: &str) -> PathBuf {
        self.root.join("snapshots").join(commit)
    }

    /// The commit that `revision` last came to, if there is anything of it.
    pub fn commit_of(&self, revision: &str) -> Option<String> {
        let commit = match is_commit(revision) {
            true => revision.to_string(),
            false => std::fs::read_to_string(self.reference(revision)).ok()?.trim().to_string(),
        };
        (is_commit(&commit) && self.snapshot(&commit).is_dir()).then_some(commit)
    }

    /// Notes that `revision` has come to `commit`.
    pub fn refer(&self, revision: &str, commit: &str) -> Result<()> {
        let path = self.reference(revision);
        if is_commit(revision) || std::fs::read_to_string(&path).is_ok_and(|known| known == commit) {
            return Ok(());
        }
        write_whole(&path, commit)
    }

    /// Notes that these are all files of `commit`: a split of which some files came here must not pass for the whole of it. Other
    /// programs that use the cache look at nothing of this name.
    pub fn note_listing(&self, commit: &str, paths: &mut dyn Iterator<Item = &str>) -> Result<()> {
        let path = self.listing_file(commit);
        if path.is_file() {
            return Ok(());
        }
        write_whole(&path, &paths.flat_map(|path| [path, "\n"]).collect::<String>())
    }

    /// All files of `commit`, if they were noted.
    pub fn listing(&self, commit: &str) -> Option<Vec<String>> {
        let text = std::fs::read_to_string(self.listing_file(commit)).ok()?;
        Some(text.lines().filter(|path| is_path(path)).map(String::from).collect())
    }

    fn listing_file(&self, commit: &str) -> PathBuf {
        self.root.join("fsa-listings").join(commit)
    }

    fn reference(&self, revision: &str) -> PathBuf {
        self.root.join("refs").join(revision)
    }

    /// Makes `link` lead to the blob `hash`, whatever it is now.
    pub fn link(&self, hash: &str, link: &Path) -> Result<()> {
        make_folder_of(link)?;
        let blob = self.blob(hash);
        let new = with_ending(link, &format!("{}.tmp", std::process::id()));
        let failed = |source| Error::io("create", link, source);
        let _ = std::fs::remove_file(&new);
        make_link(&self.root, &blob, link, &new).and_then(|()| std::fs::rename(&new, link)).map_err(failed)
    }

    /// Waits until no other process fetches the blob `hash`, and keeps others from it until the file is dropped; `name` is its name for
    /// people. None where the disk knows no locks.
    pub fn lock(&self, hash: &str, name: &str, progress: &mut dyn Progress) -> Result<Option<File>> {
        let path = self.locks.join(format!("{hash}.lock"));
        make_folder_of(&path)?;
        let open = OpenOptions::new().create(true).write(true).truncate(false).open(&path);
        let file = open.map_err(|source| Error::io("create", &path, source))?;
        let mut has_said = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::Error(_)) => return Ok(None),
                Err(TryLockError::WouldBlock) if !has_said => {
                    has_said = true;
                    progress.warn(&format!("another process is fetching {name}; waiting for it"));
                }
                Err(TryLockError::WouldBlock) => sleep(LOOK, progress)?,
            }
        }
    }
}

/// The SHA-256 of the file at `path`, if it lies in a cache under its hash, where only whole files do.
pub fn hash_of_cached(path: &Path) -> Option<String> {
    let blob = std::fs::canonicalize(path).ok()?;
    let name = blob.file_name()?.to_str().filter(|name| name.len() == 64 && is_hexadecimal(name))?;
    (blob.parent()?.file_name()? == "blobs").then(|| name.to_string())
}

/// The path with an ending more.
pub fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{ending}"));
    path.with_file_name(name)
}

/// Writes the file at `path`: whoever reads it meanwhile finds what it held before or `text`, whole.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    make_folder_of(path)?;
    let new = with_ending(path, &format!("{}.tmp", std::process::id()));
    let failed = |source| Error::io("write", path, source);
    std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, path)).map_err(failed)
}

/// Makes the folder that `path` will lie in.
pub fn make_folder_of(path: &Path) -> Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|source| {
        let next = "check its permissions, or set HF_HOME to a folder that can be written to";
        Error::io("create", folder, source).next(next)
    })
}

/// A link at `new`, which will be renamed to `link`, to `blob`: relative, so that the cache can be moved. Where the disk has no links,
/// the file itself.
#[cfg(unix)]
fn make_link(root: &Path, blob: &Path, link: &Path, new: &Path) -> std::io::Result<()> {
    let within = |path: &Path| path.strip_prefix(root).map(Path::to_path_buf).unwrap_or_default();
    let up: PathBuf = within(link).components().skip(1).map(|_| "..").collect();
    std::os::unix::fs::symlink(up.join(within(blob)), new).or_else(|error| match error.kind() {
        std::io::ErrorKind::StorageFull => Err(error),
        _ => std::fs::copy(blob, new).map(drop),
    })
}

/// Where links need privileges, what the snapshot has is the file itself.
#[cfg(not(unix))]
fn make_link(_: &Path, blob: &Path, _: &Path, new: &Path) -> std::io::Result<()> {
    std::fs::copy(blob, new).map(drop)
}

/// Whether it is a path that stays where it is joined to.
pub fn is_path(path: &str) -> bool {
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(|c: char| c == '\\' || c.is_control());
    // On Windows a colon may lead elsewhere.
    path.split('/').all(plain) && !(cfg!(windows) && path.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(dir: &Path) -> Place {
        Place::new(dir, RepoKind::Model, &Id::parse("a/b").unwrap())
    }

    #[test]
    fn references_and_links_are_those_of_huggingface_hub() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        let commit = "c".repeat(40);
        assert_eq!(place.commit_of("refs/pr/3"), None);
        std::fs::create_dir_all(place.blob("h").parent().unwrap()).unwrap();
        std::fs::write(place.blob("h"), "text").unwrap();
        let link = place.snapshot(&commit).join("sub/file");
        place.link("h", &link).unwrap();
        place.link("h", &link).unwrap();
        assert_eq!(std::fs::read_to_string(&link).unwrap(), "text");
        #[cfg(unix)]
        assert_eq!(std::fs::read_link(&link).unwrap(), Path::new("../../../blobs/h"));
        place.refer("refs/pr/3", &commit).unwrap();
        assert_eq!(std::fs::read_to_string(dir.path().join("models--a--b/refs/refs/pr/3")).unwrap(), commit);
        assert_eq!(place.commit_of("refs/pr/3").as_deref(), Some(commit.as_str()));
        assert_eq!(place.commit_of(&commit), Some(commit));
    }

    #[test]
    fn a_path_stays_within_the_repository() {
        for path in ["config.json", "a/b c.txt", "..a"] {
            assert!(is_path(path), "{path}");
        }
        for path in ["", "/a", "a//b", "../a", "a/..", "./a", "a\\b", "a\n"] {
            assert!(!is_path(path), "{path:?}");
        }
    }
}
