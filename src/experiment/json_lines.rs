//! A command's `--input`: JSON lines, one object each (empty lines are skipped), or the first examples of the mini world.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::data::{Example, MiniSplit, source};
use crate::error::{Error, Result};
use crate::spec::TASK;

/// Examples of the mini world that stand for an input.
pub(super) const OF_WORLD: usize = 8;

/// The first examples of the mini world where `path` stands for it.
pub(super) fn of_world(path: &Path, split: MiniSplit) -> Result<Option<Vec<Example>>> {
    source::first_of_world(path, TASK, split, OF_WORLD).map_err(|error| error.flag("--input"))
}

/// The objects in the file at `path`; `shape` shows one, for errors.
///
/// # Errors
/// If the file cannot be read, a line is not such an object, or there is none.
pub(super) fn read<T: DeserializeOwned>(path: &Path, shape: &str) -> Result<Vec<T>> {
    let bytes = std::fs::read(path).map_err(|error| Error::io("read", path, error).flag("--input"))?;
    let next = format!("give {shape} on each line");
    let mut objects = Vec::new();
    for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        objects.push(serde_json::from_slice::<T>(line).map_err(|error| {
            // serde_json counts lines within the text it is given, which is always line 1 here.
            let text = error.to_string();
            let what = text.split(" at line ").next().unwrap_or(&text);
            Error::input(format!("character {}: {what}", error.column()))
                .at(path)
                .line(number + 1)
                .next(&next)
                .caused_by(error)
        })?);
    }
    if objects.is_empty() {
        return Err(Error::input("it has no examples").at(path).flag("--input").next(next));
    }
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Word {
        word: String,
    }

    fn read_text(text: &str) -> Result<Vec<Word>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in.jsonl");
        std::fs::write(&path, text).unwrap();
        read(&path, "a word").map_err(|error| error.to_string().replace(path.to_str().unwrap(), "in.jsonl"))
    }

    #[test]
    fn empty_lines_are_skipped_and_counted() {
        let words = read_text("\n{\"word\": \"a\"}\r\n \n{\"word\": \"b\"}").unwrap();
        assert_eq!(words.iter().map(|word| word.word.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let wrong = read_text("\n{\"word\": \"a\"}\n{\"word\": 1}").unwrap_err();
        assert!(wrong.starts_with("in.jsonl:3: character 10: invalid type: integer `1`"), "{wrong}");
        assert!(wrong.ends_with("; give a word on each line") && !wrong.contains(" at line "), "{wrong}");
        assert_eq!(read_text(" \n").unwrap_err(), "in.jsonl: --input: it has no examples; give a word on each line");
    }
}
