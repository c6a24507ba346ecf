//! A task's split of the world as a file would hold it, and as a task reads it: the same bytes, by the same code.

use std::path::{Path, PathBuf};

use super::{MiniSplit, World};
use crate::data::task::Draw;
use crate::data::{Split, Task};
use crate::error::{Error, Result};
use crate::spec::MINI;

impl World {
    /// Whether it has `split` of the registry's task `task`.
    pub fn has(task: &str, split: MiniSplit) -> bool {
        Self::tasks().any(|known| known == task) && (task, split) != ("web_questions", MiniSplit::Validation)
    }

    /// What a file of [`records`](Self::records) holds: one JSON object per line.
    pub fn json_lines(&self, task: &str, split: MiniSplit) -> String {
        self.records(task, split).iter().map(|record| format!("{record}\n")).collect()
    }

    /// The examples of `split` of the world's analog of `task`.
    ///
    /// # Errors
    /// If the world has none.
    pub fn split(&self, task: &Task, split: MiniSplit) -> Result<Split> {
        self.split_named(task.name(), task, split)
    }

    /// What `task` makes of `split` of the world's analog of the registry's task `name`: for descriptions of one's own.
    ///
    /// # Errors
    /// If the world has none, or its columns are not those of `task`.
    pub fn split_named(&self, name: &str, task: &Task, split: MiniSplit) -> Result<Split> {
        self.split_drawn(name, task, split, None)
    }

    /// As [`split_named`](Self::split_named), of a sample of its rows.
    pub(in crate::data) fn split_drawn(
        &self,
        name: &str,
        task: &Task,
        split: MiniSplit,
        draw: Option<&Draw>,
    ) -> Result<Split> {
        let path = Self::path(name, split);
        if !Self::has(name, split) {
            return Err(no_split(&path, name, split));
        }
        task.read_lines(&path, &self.json_lines(name, split), draw)
    }

    /// What stands for a file's path: `mini:rte/train`.
    pub fn path(task: &str, split: MiniSplit) -> PathBuf {
        format!("{MINI}:{task}/{}", split.name()).into()
    }
}

fn no_split(path: &Path, task: &str, split: MiniSplit) -> Error {
    let known = World::tasks().filter(|task| World::has(task, split)).collect::<Vec<_>>().join(", ");
    let split = split.name();
    Error::input(format!("the mini world has no {split} split of a task `{task}`"))
        .at(path)
        .next(format!("give {MINI}:TASK/{split} with one of {known}, or a file"))
}
