//! The descriptions that come with fsa, and the reading of others.

use std::path::Path;

use super::Task;
use crate::error::{Error, Result};
use crate::spec::nearest::nearest;

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../tasks/", $name, ".toml")))),*]
    };
}

/// By name, in the order that lists show.
pub(super) const BUILT_IN: [(&str, &str); 12] = built_in![
    "rte",
    "cb",
    "wic",
    "snli",
    "openbookqa",
    "trivia_qa",
    "web_questions",
    "wmt14_enfr",
    "wmt16_ende",
    "wmt16_enro",
    "xsum",
    "wiki_lingua",
];

/// The name and the description of the built-in task `name`.
pub(super) fn find(name: &str) -> Result<(&'static str, &'static str)> {
    if let Some(found) = BUILT_IN.iter().find(|(known, _)| *known == name) {
        return Ok(*found);
    }
    let meant = nearest(name, Task::names()).map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
    let known = Task::names().collect::<Vec<_>>().join(", ");
    Err(Error::input(format!("there is no task `{name}`{meant}"))
        .flag("--task")
        .next(format!("give one of {known}, or the path of a task's description ending in .toml")))
}

/// The text of the description at `path`.
pub(super) fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|source| Error::io("read", path, source))?;
    String::from_utf8(bytes).map_err(|source| {
        let before = &source.as_bytes()[..source.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        Error::input("the text is not UTF-8").at(path).line(line).next("save the file as UTF-8").caused_by(source)
    })
}
