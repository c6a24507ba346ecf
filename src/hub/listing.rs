//! Which files a repository has at a revision: by the hub, or by what the cache has of it.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::address::escaped;
use super::client::{Ask, Client, Failed};
use super::id::is_commit;
use super::place::{Place, is_path};
use super::refused::refused;
use super::{Id, Progress, RepoKind};
use crate::error::{Error, Result};

/// The longest listing: data sets have many files.
const LONGEST: u64 = 256 << 20;

/// A file of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoFile {
    /// Its path in the repository.
    pub path: String,
    /// Its bytes, where the hub says it.
    pub size: Option<u64>,
}

/// The files at a commit.
#[derive(Debug, Clone)]
pub struct Listing {
    pub commit: String,
    pub files: Vec<RepoFile>,
    /// Why the cache's word is taken, and no server asked; none if the hub has said it.
    pub without_hub: Option<String>,
    /// Whether these are all files of the commit, and not only those that the cache has.
    pub is_whole: bool,
}

#[derive(Deserialize)]
struct Info {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    size: Option<u64>,
}

impl Client {
    /// What the hub says of `id`.
    pub fn listing(&self, kind: RepoKind, id: &Id, progress: &mut dyn Progress) -> Result<Listing, Failed> {
        let path = format!("api/{}s/{}/revision/{}?blobs=true", kind.name(), id.name(), escaped(id.revision()));
        let reply = self.ask(Ask::From(0), &self.url(&path), progress)?;
        if reply.status != 200 {
            return Err(refused(self, &reply, kind, id, None).into());
        }
        let strange = |what: &str| {
            Error::input(format!("{} does not answer as a hub does: {what}", self.host()))
                .next("check HF_ENDPOINT and the proxy's variables")
        };
        let mut text = Vec::new();
        let read = reply.into_reader().take(LONGEST).read_to_end(&mut text);
        if let Err(source) = read {
            let error = strange(&self.plain(&format!("its listing of {id} broke off ({source})")));
            return Err(Failed { error, is_unreachable: true });
        }
        let info: Info = serde_json::from_slice(&text).map_err(|_| strange("its listing of files is not one"))?;
        if !is_commit(&info.sha) {
            return Err(strange("it names no commit").into());
        }
        // What is no path within the repository can be no file of it.
        let siblings = info.siblings.into_iter().filter(|file| is_path(&file.rfilename));
        let size = |file: &Sibling| file.lfs.as_ref().and_then(|lfs| lfs.size).or(file.size);
        let files = siblings.map(|file| RepoFile { size: size(&file), path: file.rfilename }).collect();
        Ok(Listing { commit: info.sha, files, without_hub: None, is_whole: true })
    }
}

impl Listing {
    /// What the cache has of `id`; `why` says why the hub is not asked.
    ///
    /// # Errors
    /// If it has nothing of that revision.
    pub fn of_cache(place: &Place, kind: RepoKind, id: &Id, why: &str) -> Result<Self> {
        let absent = || {
            Error::input(format!("the {} `{id}` is not in the cache, and {why}", kind.words()))
                .at(place.root())
                .next(kind.fetched_by(id))
        };
        let commit = place.commit_of(id.revision()).ok_or_else(absent)?;
        let folder = place.snapshot(&commit);
        let noted = place.listing(&commit).filter(|_| kind == RepoKind::Dataset);
        let is_whole = noted.is_some();
        let mut files = noted.unwrap_or_default();
        if !is_whole {
            walk(&folder, "", &mut files).map_err(|_| absent())?;
            files.sort();
        }
        let files = files.into_iter().map(|path| RepoFile { path, size: None }).collect();
        Ok(Self { commit, files, without_hub: Some(why.to_string()), is_whole })
    }
}

/// Whether it is what [`Place::link`] calls a link before it has its name.
fn is_left_over(name: &str) -> bool {
    let number = name.strip_suffix(".tmp").and_then(|rest| rest.rsplit_once('.')).map(|(_, number)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The files under `folder` whose targets are there.
fn walk(folder: &Path, above: &str, files: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(|name| format!("{above}{name}")) else { continue };
        match entry.file_type()?.is_dir() {
            true => walk(&entry.path(), &format!("{name}/"), files)?,
            // A link that a crash has left on its way to its name is none of them.
            false if is_left_over(&name) => {}
            false if entry.path().is_file() => files.push(name),
            false => {}
        }
    }
    Ok(())
}
