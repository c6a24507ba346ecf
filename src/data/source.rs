//! Where a task's split comes from: a file that was given, a file that the task's description names, the hub, or the mini world.
//!
//! Wherever a data file's path may stand, `mini` stands for that split of the mini world's analog of the task, and
//! `mini:TASK/SPLIT` for the one it names; `hub`, `hub:SPLIT` and `hub:TASK/SPLIT`, each with `@REVISION` or without, stand
//! for a split of the task's data set on the Hugging Face hub. A folder, or a name with a `*` in it, stands for several files.

use std::path::{Path, PathBuf};

use super::read::places::files;
use super::task::Draw;
use super::{Example, MiniSplit, Split, Splits, Task, World, hub_split};
use crate::error::{Error, Result};
use crate::hub::{Progress, Repo};
use crate::spec::{MINI, MINI_SEED, Seeds, is_mini};

/// The first of `splits` that there is something for, and what: what is `given`, else a file that the description of `task`
/// names; and for none of them either, the mini world's, if `model` is fsa's own.
pub fn of(
    task: &Task,
    model: &Path,
    splits: &[MiniSplit],
    given: impl Fn(MiniSplit) -> Option<PathBuf>,
) -> Option<(MiniSplit, PathBuf)> {
    let file = |&split: &MiniSplit| Some((split, given(split).or_else(|| named(task, split))?));
    splits.iter().find_map(file).or_else(|| {
        let split = splits.iter().copied().find(|&split| World::has(task.name(), split));
        split.filter(|_| is_mini(model)).map(|split| (split, World::path(task.name(), split)))
    })
}

/// The file of `split` that the description of `task` names.
fn named(task: &Task, split: MiniSplit) -> Option<PathBuf> {
    task.splits().iter().find(|(name, _)| *name == split.name()).map(|(_, path)| path.clone())
}

/// What is read of a task.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The task.
    pub task: &'a Task,
    /// The split that plain `mini` and `hub` stand for, and that is taken of a folder with several.
    pub split: MiniSplit,
    /// Rows to read, at most: a sample that depends on the seed, the task, the split and the number of its rows alone, so that
    /// it holds the same rows whatever the format and however they are cut into files.
    pub sample: Option<usize>,
    /// Where the sample comes from.
    pub seeds: Seeds,
}

impl Reading<'_> {
    /// The examples at `path`. What is not here yet of a data set on the hub is fetched; [`fetch`] lets somebody watch that.
    pub fn read(&self, path: &Path) -> Result<Split> {
        let stream = format!("sample.{}.{}", self.task.name(), self.split.name());
        let draw = self.sample.map(|size| Draw { size, seeds: self.seeds, stream });
        if let Some(mini) = Mini::parse(path, self.task.name(), self.split)? {
            return World::new(MINI_SEED).split_drawn(&mini.task, self.task, mini.split, draw.as_ref());
        }
        match hub_split::Name::parse(path)? {
            Some(name) => name.read(self.task, self.split, draw.as_ref()),
            None => self.task.read_files(path, &files(path, self.split.name())?, draw.as_ref()),
        }
    }
}

/// Fetches the files of what `path` names on the hub, for whatever reads them later: where they are, and the repository. Any other
/// path needs nothing.
pub fn fetch(
    task: &Task,
    path: &Path,
    split: MiniSplit,
    progress: &mut dyn Progress,
) -> Result<Option<(Repo, Vec<PathBuf>)>> {
    let name = hub_split::Name::parse(path)?;
    let fetched = name.map(|name| name.fetch(task, split, progress)).transpose()?;
    Ok(fetched.map(|fetched| (fetched.repo, fetched.files)))
}

/// From here on `revision` of the data set `repo` on the hub is `commit` in this process: for a run that goes on with what it began
/// with.
pub fn keep(repo: &str, revision: &str, commit: &str) {
    hub_split::keep(repo, revision, commit);
}

/// The split that `path` stands for where none is asked for: the test split, or of the hub's those that carry answers, another one.
pub fn shown(task: &Task, path: &Path) -> MiniSplit {
    let hub = task.hub().filter(|_| is_hub(path));
    match hub.map(|hub| &hub.splits) {
        Some(Splits { test: None, validation: Some(_), .. }) => MiniSplit::Validation,
        Some(Splits { test: None, validation: None, train: Some(_) }) => MiniSplit::Train,
        _ => MiniSplit::Test,
    }
}

/// The first `count` examples of the split of the mini world that `path` stands for, where plain `mini` is `split` of the task
/// called `task`; `None` if `path` is a file's.
pub fn first_of_world(path: &Path, task: &str, split: MiniSplit, count: usize) -> Result<Option<Vec<Example>>> {
    let Some(mini) = Mini::parse(path, task, split)? else { return Ok(None) };
    let task = Task::named(&mini.task).map_err(|error| error.at(path))?;
    let mut split = World::new(MINI_SEED).split_named(&mini.task, &task, mini.split)?;
    split.examples.truncate(count);
    Ok(Some(split.examples))
}

/// Whether `path` stands for a split on the hub, or is meant to.
pub fn is_hub(path: &Path) -> bool {
    !matches!(hub_split::Name::parse(path), Ok(None))
}

/// Whether `path` stands for a split of the mini world.
pub fn is_world(path: &Path) -> bool {
    is_mini(path) || path.to_str().is_some_and(|path| path.starts_with(&format!("{MINI}:")))
}

/// A split of the mini world.
struct Mini {
    task: String,
    split: MiniSplit,
}

impl Mini {
    /// What `path` names, if it is not a file's; plain `mini` is `split` of `task`.
    fn parse(path: &Path, task: &str, split: MiniSplit) -> Result<Option<Self>> {
        if is_mini(path) {
            return Ok(Some(Self { task: task.to_string(), split }));
        }
        let prefix = format!("{MINI}:");
        let Some(rest) = path.to_str().and_then(|path| path.strip_prefix(&prefix)) else { return Ok(None) };
        let parts = rest.split_once('/').and_then(|(task, split)| Some((task, MiniSplit::named(split)?)));
        match parts {
            Some((task, split)) => Ok(Some(Self { task: task.to_string(), split })),
            None => Err(Error::input("is not a split of the mini world")
                .at(path)
                .next(format!("give {MINI}:TASK/SPLIT, such as {}", World::path("rte", split).display()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(task: &Task, path: &Path, split: MiniSplit) -> Result<Split> {
        Reading { task, split, sample: None, seeds: Seeds::new(0) }.read(path)
    }

    fn rte() -> Task {
        Task::named("rte").unwrap()
    }

    #[test]
    fn what_is_given_comes_before_the_world_and_the_world_only_with_its_model() {
        use MiniSplit::{Test, Validation};
        let splits = [Validation, Test];
        let given = |split| (split == Test).then(|| PathBuf::from("t.tsv"));
        let file = Some((Test, PathBuf::from("t.tsv")));
        assert_eq!(of(&rte(), Path::new("model"), &splits, given), file);
        assert_eq!(of(&rte(), Path::new(MINI), &splits, given), file);
        assert_eq!(of(&rte(), Path::new("model"), &splits, |_| None), None);
        assert_eq!(of(&rte(), Path::new(MINI), &splits, |_| None), Some((Validation, "mini:rte/validation".into())));
        let questions = Task::named("web_questions").unwrap();
        let there = of(&questions, Path::new(MINI), &splits, |_| None);
        assert_eq!(there, Some((Test, "mini:web_questions/test".into())));
    }

    #[test]
    fn the_first_of_the_world() {
        let first = |path: &str| first_of_world(Path::new(path), "rte", MiniSplit::Test, 2);
        let test = read(&rte(), Path::new("mini"), MiniSplit::Test).unwrap();
        assert_eq!(first("mini").unwrap().unwrap(), test.examples[..2]);
        assert_eq!(first("mini:cb/train").unwrap().unwrap().len(), 2);
        assert!(first("mini:no/train").unwrap_err().to_string().starts_with("mini:no/train: "));
        assert_eq!(first("./mini").unwrap(), None);
        assert!(is_world(Path::new("mini:cb/train")) && !is_world(Path::new("./mini")));
    }

    #[test]
    fn a_description_names_files_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("own.toml");
        let task = |train: &str| {
            let description = Task::description("rte").unwrap() + &format!("\n[splits]\ntrain = '{train}'\n");
            std::fs::write(&path, description).unwrap();
            Task::from_file(&path).unwrap()
        };
        for name in ["hub", "hub:train@main", "hub:cb/train", "mini", "mini:rte/train"] {
            assert_eq!(named(&task(name), MiniSplit::Train), Some(name.into()));
        }
        for name in ["./hub", "hub.tsv", "mini.tsv", "mini/train.tsv"] {
            assert_eq!(named(&task(name), MiniSplit::Train), Some(dir.path().join(name)));
        }
        let task = task("own.jsonl");
        let own = Some((MiniSplit::Train, dir.path().join("own.jsonl")));
        assert_eq!(of(&task, Path::new(MINI), &[MiniSplit::Train], |_| None), own);
        let given = of(&task, Path::new(MINI), &[MiniSplit::Train], |_| Some("mini".into()));
        assert_eq!(given, Some((MiniSplit::Train, "mini".into())));
    }

    #[test]
    fn mini_is_the_split_that_is_asked_for_unless_it_names_one() {
        let plain = read(&rte(), Path::new("mini"), MiniSplit::Validation).unwrap();
        let named = read(&rte(), Path::new("mini:rte/validation"), MiniSplit::Train).unwrap();
        assert_eq!(plain, named);
        assert_eq!(plain.path, Path::new("mini:rte/validation"));
        let other = read(&rte(), Path::new("mini:cb/test"), MiniSplit::Train).unwrap_err().to_string();
        assert!(other.starts_with("mini:cb/test:"), "{other}");
        for (path, said) in [
            ("mini:rte", "mini:rte: is not a split of the mini world; give mini:TASK/SPLIT, such as mini:rte/train"),
            ("mini:rte/dev", "mini:rte/dev: is not a split"),
            (
                "mini:rtr/train",
                "mini:rtr/train: the mini world has no train split of a task `rtr`; give mini:TASK/train",
            ),
            ("mini:web_questions/validation", "mini:web_questions/validation: the mini world has no validation split"),
        ] {
            let error = read(&rte(), Path::new(path), MiniSplit::Train).unwrap_err().to_string();
            assert!(error.starts_with(said), "{error}");
        }
    }
}
