//! Repositories of a Hugging Face hub: which files there are at a revision, and the files themselves, in the cache that every
//! program on the machine shares (`models--OWNER--NAME/{blobs,refs,snapshots}`, as the Python package `huggingface_hub` has it).
//!
//! It owns the protocol, the cache's layout and the token. It must not know what is in a file, nor what anybody wants it for; and it
//! does not print: what a person should see goes through [`Progress`].
//!
//! A file is in the cache whole or not at all: it arrives beside its place (`.incomplete`), is held against the hash that the hub
//! announces, and only then gets its name. What an interruption leaves is gone on from.

mod address;
mod check;
mod client;
mod download;
mod env;
mod id;
mod inventory;
mod listing;
mod place;
mod refused;
mod retry;

use std::path::{Path, PathBuf};

use self::client::Client;
pub use self::id::Id;
use self::id::is_commit;
pub use self::inventory::{CachedRepo, CachedRevision, inventory};
use self::listing::Listing;
pub use self::listing::RepoFile;
use self::place::Place;
pub use self::place::hash_of_cached;
use crate::error::{Error, Result};

/// The revision that is meant where none is given.
pub const MAIN: &str = "main";
/// The variable that makes fsa ask no server for anything.
pub const OFFLINE: &str = "HF_HUB_OFFLINE";

/// How downloads talk to whoever waits for them.
pub trait Progress {
    /// The file `name` begins to arrive: its bytes, if known, and how many an earlier attempt left.
    fn begin(&mut self, name: &str, size: Option<u64>, done: u64);
    /// So many of its bytes are on disk.
    fn advance(&mut self, done: u64);
    /// It is whole.
    fn end(&mut self);
    /// Something that the user should know and that does not stop the download.
    fn warn(&mut self, text: &str);
    /// Whether the user asked to stop.
    fn interrupted(&self) -> bool;
}

/// Tells nobody, and is never stopped.
pub struct Silent;

impl Progress for Silent {
    fn begin(&mut self, _: &str, _: Option<u64>, _: u64) {}
    fn advance(&mut self, _: u64) {}
    fn end(&mut self) {}
    fn warn(&mut self, _: &str) {}
    fn interrupted(&self) -> bool {
        false
    }
}

/// What a repository holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RepoKind {
    /// A model.
    Model,
    /// A data set.
    Dataset,
}

impl RepoKind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Dataset => "dataset",
        }
    }

    /// What stands before a repository's name in the addresses of its files.
    fn prefix(self) -> &'static str {
        match self {
            Self::Model => "",
            Self::Dataset => "datasets/",
        }
    }

    /// How to get `id` into the cache: data sets are known by the tasks that read them.
    fn fetched_by(self, id: &Id) -> String {
        match self {
            Self::Model => format!("get it with `fsa fetch {id}` while online"),
            Self::Dataset => "get it with `fsa fetch TASK` while online, TASK being the task that reads it".to_string(),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Dataset => "data set",
        }
    }
}

/// A hub, and the cache of what came from it.
#[derive(Debug, Clone)]
pub struct Hub {
    client: Client,
    cache: PathBuf,
    offline: bool,
}

impl Hub {
    /// The hub that the environment describes, by the variables that `huggingface_hub` reads: `HF_ENDPOINT`, `HF_TOKEN` (or the
    /// file of a login, `$HF_HOME/token`), `HF_HOME` and `HF_HUB_CACHE`, `HF_HUB_OFFLINE`.
    ///
    /// # Errors
    /// If one of them cannot be meant.
    pub fn from_env() -> Result<Self> {
        Self::from_variables(&|name| std::env::var(name).ok())
    }

    /// As [`Hub::from_env`], with the variables' values from elsewhere.
    ///
    /// # Errors
    /// As [`Hub::from_env`].
    pub fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        env::hub(variable)
    }

    /// Whether no server is asked for anything.
    pub fn is_offline(&self) -> bool {
        self.offline
    }

    /// The folder of the cache.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// The repository `name` (`owner/name`) at `revision`, a branch, tag or commit, else [`MAIN`]. Asks the server once; where it
    /// cannot be reached, or must not be, what the cache knows counts.
    ///
    /// # Errors
    /// If there is no such repository or revision, or it may not be seen.
    pub fn repo(
        &self,
        kind: RepoKind,
        name: &str,
        revision: Option<&str>,
        progress: &mut dyn Progress,
    ) -> Result<Repo> {
        let id = Id::new(name, revision)
            .ok_or_else(|| Error::input(format!("`{name}` is no name of a repository")).next("give OWNER/NAME"))?;
        let place = Place::new(&self.cache, kind, &id);
        let with = |listing: Listing| Repo {
            commit: listing.commit.clone(),
            hub: self.clone(),
            kind,
            id: id.clone(),
            place: place.clone(),
            listing,
        };
        if self.offline {
            return Listing::of_cache(&place, kind, &id, &format!("{OFFLINE} is set")).map(with);
        }
        match self.client.listing(kind, &id, progress) {
            Ok(listing) => Ok(with(listing)),
            // A server that is down is no reason not to use what is here; and a commit is what it is, whatever became of the repository.
            Err(failed) if failed.is_unreachable || is_commit(id.revision()) => {
                let cached = Listing::of_cache(&place, kind, &id, "the hub does not give it").map_err(|_| ());
                let Ok(listing) = cached else { return Err(failed.error) };
                let commit = &listing.commit;
                progress.warn(&format!("{}; {id} is taken from the cache, at commit {commit}", failed.error));
                Ok(with(listing))
            }
            Err(failed) => Err(failed.error),
        }
    }
}

/// A repository at one commit.
#[derive(Debug, Clone)]
pub struct Repo {
    /// The commit that the revision came to.
    pub commit: String,
    hub: Hub,
    kind: RepoKind,
    id: Id,
    place: Place,
    listing: Listing,
}

impl Repo {
    /// Its files; where the server was not asked and they were not noted, those that the cache has.
    pub fn files(&self) -> &[RepoFile] {
        &self.listing.files
    }

    /// Why the hub was not asked, and the cache's files are all that there is to have; none if it was.
    pub fn without_hub(&self) -> Option<&str> {
        self.listing.without_hub.as_deref()
    }

    /// Whether [`files`](Self::files) are all of its files, and not only those that the cache has.
    pub fn is_whole(&self) -> bool {
        self.listing.is_whole
    }

    /// Its name and the revision as asked for.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// The folder that its files of this commit lie in.
    pub fn snapshot(&self) -> PathBuf {
        self.place.snapshot(&self.commit)
    }
}
