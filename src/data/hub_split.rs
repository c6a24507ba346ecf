//! A task's split on the Hugging Face hub: what names it, which files of which revision it is, and how these come here.
//!
//! `hub` is the split that is asked for, of the data set that the task's description names; `hub:SPLIT` another one of it, by the
//! hub's name; `hub:TASK/SPLIT` one of another task's; and `@REVISION` behind any of them a branch, tag or commit. Without a
//! revision (there or in the description), `main` is looked through for parquet, and then `refs/convert/parquet`, where the hub
//! keeps what it has converted itself. It must not know how files are fetched or read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::example::{Origin, Split};
use super::read::places::{SPLITS, fits, missing_shard, natural, shard};
use super::task::Draw;
use super::{Hub, MiniSplit, Task};
use crate::error::{Error, Kind, Result};
use crate::hub::{self, MAIN, Progress, Repo, RepoKind, Silent};

/// What stands for a task's data set on the hub.
const HUB: &str = "hub";
/// Where the hub keeps what it has converted to parquet.
const CONVERTED: &str = "refs/convert/parquet";
/// The ending of the files in both places.
const PARQUET: &str = ".parquet";

/// A split of a data set, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    task: Option<String>,
    split: Option<String>,
    revision: Option<String>,
}

/// The files of a split, which are here.
pub(super) struct Fetched {
    /// What stands for them.
    path: PathBuf,
    /// The repository that has them.
    pub repo: Repo,
    /// The branch or tag by which it was found.
    revision: String,
    /// Their paths in it.
    names: Vec<String>,
    /// Where they are.
    pub files: Vec<PathBuf>,
    /// Rows that they should have.
    expected: Option<u64>,
}

impl Name {
    /// What `path` names, if it is not a file's.
    pub fn parse(path: &Path) -> Result<Option<Self>> {
        let rest = path.to_str().and_then(|text| text.strip_prefix(HUB));
        let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with([':', '@'])) else { return Ok(None) };
        let (place, revision) = match rest.split_once('@') {
            Some((place, revision)) => (place, Some(revision)),
            None => (rest, None),
        };
        let (task, split) = match place.strip_prefix(':') {
            None => (None, None),
            Some(place) => match place.rsplit_once('/') {
                Some((task, split)) => (Some(task), Some(split)),
                None => (None, Some(place)),
            },
        };
        if [task, split, revision].into_iter().flatten().any(str::is_empty) {
            return Err(Error::input("is not a split on the hub")
                .at(path)
                .next(format!("give {HUB}, {HUB}:SPLIT or {HUB}:TASK/SPLIT, each with @REVISION behind it or not")));
        }
        let own = |text: Option<&str>| text.map(String::from);
        Ok(Some(Self { task: own(task), split: own(split), revision: own(revision) }))
    }

    /// Its examples, as `task` reads them; without a name of its own it is the `split` of `task`.
    pub fn read(&self, task: &Task, split: MiniSplit, draw: Option<&Draw>) -> Result<Split> {
        let Fetched { path, repo, revision, names, files, expected } = self.fetch(task, split, &mut Silent)?;
        let mut read = task.read_files(&path, &files, draw)?;
        let differs = expected.filter(|rows| *rows != read.rows && !repo.is_whole());
        if let (Some(why), Some(expected)) = (repo.without_hub(), differs) {
            let what = format!("its files in the cache have {} rows of {expected}, and {why}", read.rows);
            return Err(Error::input(what)
                .at(path)
                .next(format!("get them with `fsa fetch {}` while online", task.name())));
        }
        read.files = names.into_iter().map(PathBuf::from).zip(read.files.into_iter().map(|(_, hash)| hash)).collect();
        read.origin = Some(Origin { repo: repo.id().name().to_string(), revision, commit: repo.commit, expected });
        Ok(read)
    }

    /// Its files, which are here now.
    pub fn fetch(&self, task: &Task, split: MiniSplit, progress: &mut dyn Progress) -> Result<Fetched> {
        let other = self.task.as_deref().filter(|name| *name != task.name()).map(Task::named).transpose()?;
        let of = other.as_ref().unwrap_or(task);
        let path = |split: &str| -> PathBuf {
            let revision = self.revision.as_ref().map(|revision| format!("@{revision}")).unwrap_or_default();
            format!("{HUB}:{}/{split}{revision}", of.name()).into()
        };
        let Some(hub) = of.hub() else {
            return Err(Error::input(format!("task `{}` names no data set of the hub", of.name()))
                .at(path(split.name()))
                .next("give a file, or a [hub] table in the task's description"));
        };
        let known = hub.splits.iter().find(|(name, _)| *name == split.name()).map(|(_, known)| known);
        let Some(name) = self.split.as_ref().or(known) else {
            let there = hub.splits.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>();
            return Err(Error::input(format!("{} has no {} split with answers", hub.id, split.name()))
                .at(path(split.name()))
                .next(format!("it has {}: give {HUB}:SPLIT with one of them, or a file", there.join(", "))));
        };
        let (repo, revision, names) = self.find(hub, name, progress)?;
        let files = names.iter().map(|file| repo.file(file, progress)).collect::<Result<Vec<_>>>()?;
        Ok(Fetched { path: path(name), repo, revision, names, files, expected: hub.rows.get(name).copied() })
    }

    /// The repository that has the split `name`, the revision by which that was found, and the split's files in it.
    fn find(&self, hub: &Hub, name: &str, progress: &mut dyn Progress) -> Result<(Repo, String, Vec<String>)> {
        let begun = || [MAIN, CONVERTED].into_iter().find(|revision| begun_with(&hub.id, revision).is_some());
        let revision = self.revision.as_deref().or(hub.revision.as_deref()).or_else(begun);
        let revisions = revision.map_or_else(|| vec![MAIN, CONVERTED], |revision| vec![revision]);
        let mut first = None;
        for revision in revisions {
            let found = repository(&hub.id, revision, progress).and_then(|repo| {
                let paths: Vec<&str> = repo.files().iter().map(|file| file.path.as_str()).collect();
                let files = files(&paths, hub, name).map_err(|what| match repo.without_hub() {
                    None => {
                        Error::input(format!("{}: {what}", repo.id())).next("give another split or revision, or a file")
                    }
                    // The cache is no witness of what there is.
                    Some(why) => Error::input(format!("{}, as the cache has it: {what}, and {why}", repo.id()))
                        .next("get it with `fsa fetch TASK` while online, or give a file"),
                })?;
                Ok((repo, revision.to_string(), files))
            });
            match found {
                Ok(found) => return Ok(found),
                Err(error) if error.kind() == Kind::Interrupted => return Err(error),
                // The first place is the one that people know.
                Err(error) => drop(first.get_or_insert(error)),
            }
        }
        // invariant: there is a revision, and each was found or has failed
        Err(first.unwrap_or_else(|| Error::input("no revision to look at")))
    }
}

/// What data sets are in this process, decided once: all splits of a run are of one commit, and a branch that moves on meanwhile
/// changes nothing.
struct Known {
    /// By name and revision.
    repos: BTreeMap<(String, String), Repo>,
    /// The commits that a run which goes on has begun with, by name and revision.
    commits: BTreeMap<(String, String), String>,
}

static KNOWN: Mutex<Known> = Mutex::new(Known { repos: BTreeMap::new(), commits: BTreeMap::new() });

fn known() -> MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on `revision` of the data set `repo` is `commit`, whatever it has come to.
pub(super) fn keep(repo: &str, revision: &str, commit: &str) {
    known().commits.insert((repo.to_string(), revision.to_string()), commit.to_string());
}

fn begun_with(repo: &str, revision: &str) -> Option<String> {
    known().commits.get(&(repo.to_string(), revision.to_string())).cloned()
}

/// The data set `id` at `revision`.
fn repository(id: &str, revision: &str, progress: &mut dyn Progress) -> Result<Repo> {
    let key = (id.to_string(), revision.to_string());
    if let Some(repo) = known().repos.get(&key) {
        return Ok(repo.clone());
    }
    let commit = begun_with(id, revision);
    let hub = hub::Hub::from_env()?;
    let repo = hub.repo(RepoKind::Dataset, id, Some(commit.as_deref().unwrap_or(revision)), progress)?;
    known().repos.insert(key, repo.clone());
    Ok(repo)
}

/// Those of the files `paths` that are the split `name`, in order. The error says what is there instead.
fn files(paths: &[&str], hub: &Hub, name: &str) -> Result<Vec<String>, String> {
    let mut found: Vec<&str> = match hub.files.get(name) {
        Some(pattern) => paths.iter().copied().filter(|path| fits(pattern, path)).collect(),
        None => {
            let of_config = |place: &&Place| hub.config.as_deref().is_none_or(|config| config == place.config);
            let places: Vec<Place> = paths.iter().filter_map(|path| Place::of(path)).collect();
            let own: Vec<&Place> = places.iter().filter(of_config).filter(|place| place.split == name).collect();
            let mut configs: Vec<&str> = own.iter().map(|place| place.config).collect();
            configs.dedup();
            if let [one, other, ..] = configs[..] {
                return Err(format!(
                    "{name} is a split of {one} and of {other}, and the task's description has no `config`"
                ));
            }
            if own.is_empty() {
                return Err(absent(&places, hub, name));
            }
            own.iter().map(|place| place.path).collect()
        }
    };
    if found.is_empty() {
        return Err(format!("it has no files `{}`", hub.files.get(name).map_or("", String::as_str)));
    }
    found.sort_by(|a, b| natural(a, b));
    let names: Vec<String> = found.iter().map(|path| path.rsplit('/').next().unwrap_or_default().to_string()).collect();
    let gap = || {
        let number =
            |(place, name): (usize, &String)| name.strip_suffix(PARQUET)?.parse().ok().filter(|at| *at != place);
        names.iter().enumerate().find_map(number).map(|_: usize| "its files are not numbered through".to_string())
    };
    match missing_shard(&names).or_else(gap) {
        None => Ok(found.into_iter().map(String::from).collect()),
        Some(what) => Err(format!("the split {name} is not whole: {what}")),
    }
}

/// Why no file is the split `name`: which ones there are.
fn absent(places: &[Place], hub: &Hub, name: &str) -> String {
    const MOST: usize = 12;
    let config = hub.config.as_deref();
    let of_config = |place: &&Place| config.is_none_or(|config| config == place.config);
    let wanted = config.map_or_else(|| name.to_string(), |config| format!("{config}/{name}"));
    let mut there: Vec<String> = match places.iter().any(|place| of_config(&place)) {
        true => places.iter().filter(of_config).map(|place| place.split.to_string()).collect(),
        false => places.iter().map(|place| format!("{}/{}", place.config, place.split)).collect(),
    };
    there.sort();
    there.dedup();
    let more = if there.len() > MOST { ", …" } else { "" };
    there.truncate(MOST);
    match there.is_empty() {
        true => "it has no parquet files by the hub's conventions".to_string(),
        false => format!("it has no split {wanted}; it has {}{more}", there.join(", ")),
    }
}

/// A parquet file by where it lies.
#[derive(Debug, PartialEq, Eq)]
struct Place<'a> {
    path: &'a str,
    config: &'a str,
    split: &'a str,
}

impl<'a> Place<'a> {
    /// What the path says: `CONFIG/SPLIT-00000-of-00001.parquet`, `CONFIG/SPLIT/0000.parquet`, or `CONFIG/train.parquet` and the like.
    fn of(path: &'a str) -> Option<Self> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = name.strip_suffix(PARQUET)?;
        if let Some((split, ..)) = shard(name) {
            return Some(Self { path, config: folder, split });
        }
        if SPLITS.contains(&stem) {
            return Some(Self { path, config: folder, split: stem });
        }
        let (config, split) = folder.split_once('/')?;
        let is_number = !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && !split.contains('/')).then_some(Self { path, config, split })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<(Option<String>, Option<String>, Option<String>)> {
        Name::parse(Path::new(text)).unwrap().map(|name| (name.task, name.split, name.revision))
    }

    #[test]
    fn names() {
        let own = |text: &str| Some(text.to_string());
        assert_eq!(name("hub"), Some((None, None, None)));
        assert_eq!(name("hub:test"), Some((None, own("test"), None)));
        assert_eq!(name("hub@v1"), Some((None, None, own("v1"))));
        assert_eq!(
            name("hub:rte/train@refs/convert/parquet"),
            Some((own("rte"), own("train"), own("refs/convert/parquet")))
        );
        for file in ["./hub", "hub.tsv", "hubble", "a/hub", "mini"] {
            assert_eq!(name(file), None, "{file}");
        }
        for wrong in ["hub:", "hub@", "hub:/train", "hub:rte/", "hub:train@"] {
            let error = Name::parse(Path::new(wrong)).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{wrong}: is not a split on the hub; give hub, hub:SPLIT")), "{error}");
        }
    }

    fn found(task: &str, split: &str, paths: &[&str]) -> Result<Vec<String>, String> {
        files(paths, Task::named(task).unwrap().hub().unwrap(), split)
    }

    #[test]
    fn both_layouts() {
        let native = ["README.md", "cb/train-00000-of-00001.parquet", "rte/train-00000-of-00001.parquet"];
        assert_eq!(found("rte", "train", &native).unwrap(), [native[2]]);
        let shards = ["fr-en/train-00001-of-00002.parquet", "fr-en/train-00000-of-00002.parquet"];
        assert_eq!(found("wmt14_enfr", "train", &shards).unwrap(), [shards[1], shards[0]]);
        let converted = ["rte/train/0000.parquet", "rte/train/0001.parquet", "rte/test/0000.parquet"];
        assert_eq!(found("rte", "train", &converted).unwrap(), converted[..2]);
        let hashed =
            ["rte/train-00000-of-00002-a09b74b3ef9c3b56.parquet", "rte/train-00001-of-00002-0123456789abcdef.parquet"];
        assert_eq!(found("rte", "train", &hashed).unwrap(), hashed);
        assert!(found("rte", "train", &hashed[..1]).unwrap_err().ends_with("file 00001 of 00002 is not there"));
        assert_eq!(found("rte", "train", &["rte/train.parquet", "rte/test.parquet"]).unwrap(), ["rte/train.parquet"]);
        // A data set of one configuration, whatever it is called.
        assert_eq!(found("snli", "test", &["plain_text/test-00000-of-00001.parquet"]).unwrap().len(), 1);
        assert_eq!(found("snli", "test", &["default/test/0000.parquet"]).unwrap().len(), 1);
    }

    #[test]
    fn what_is_not_there() {
        let native = ["rte/train-00000-of-00001.parquet", "rte/test-00000-of-00001.parquet"];
        assert_eq!(found("rte", "dev", &native).unwrap_err(), "it has no split rte/dev; it has test, train");
        assert_eq!(found("cb", "train", &native).unwrap_err(), "it has no split cb/train; it has rte/test, rte/train");
        assert_eq!(found("cb", "train", &["a.py"]).unwrap_err(), "it has no parquet files by the hub's conventions");
        assert_eq!(
            found("rte", "train", &["rte/train-00000-of-00002.parquet"]).unwrap_err(),
            "the split train is not whole: file 00001 of 00002 is not there"
        );
        assert!(found("rte", "train", &["rte/train/0000.parquet", "rte/train/0002.parquet"]).is_err());
        // The first part of a large split, as the hub's own conversion leaves it.
        assert!(
            found("rte", "train", &["rte/partial-train/0000.parquet"]).unwrap_err().contains("it has partial-train")
        );
        assert!(
            found("snli", "test", &["a/test/0000.parquet", "b/test/0000.parquet"])
                .unwrap_err()
                .contains("of a and of b")
        );
    }

    #[test]
    fn files_of_other_names() {
        let text = Task::description("rte").unwrap() + "\n[hub.files]\ntrain = \"data/tr*.jsonl.gz\"\n";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.toml");
        std::fs::write(&path, text).unwrap();
        let task = Task::from_file(&path).unwrap();
        let paths = ["data/train-2.jsonl.gz", "data/train-10.jsonl.gz", "data/test.jsonl.gz"];
        assert_eq!(files(&paths, task.hub().unwrap(), "train").unwrap(), paths[..2]);
        assert_eq!(
            files(&paths[2..], task.hub().unwrap(), "train").unwrap_err(),
            "it has no files `data/tr*.jsonl.gz`"
        );
    }
}
