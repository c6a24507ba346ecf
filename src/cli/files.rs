//! Data files as typed: `TASK.SPLIT=PATH` on the command line, a `[files]` table in a config.

use std::fmt;
use std::path::PathBuf;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

/// The splits that a task may have.
const SPLITS: [&str; 3] = ["train", "validation", "test"];

/// The file of a task's split.
#[derive(Debug, Clone, PartialEq)]
pub struct DataFile {
    /// `task.split`.
    pub key: String,
    /// Where it lies.
    pub path: PathBuf,
}

impl DataFile {
    /// The file at `path` of the split `key`; the error says what is wrong with `key`.
    fn new(key: &str, path: &str) -> Result<Self, String> {
        // The task may be a path with dots in it, a split never has one.
        let known = key.rsplit_once('.').is_some_and(|(task, split)| !task.is_empty() && SPLITS.contains(&split));
        match (known, path.is_empty()) {
            (true, false) => Ok(Self { key: key.to_owned(), path: path.into() }),
            (true, true) => Err(format!("`{key}` has no path")),
            (false, _) => {
                Err(format!("`{key}` is not a task and its split ({}) with a dot between", SPLITS.join(", ")))
            }
        }
    }

    /// Reads `trivia_qa.validation=path/to/file.jsonl`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (key, path) =
            text.split_once('=').ok_or("write TASK.SPLIT=PATH, such as trivia_qa.validation=path/to/file.jsonl")?;
        Self::new(key, path)
    }
}

/// A table of paths, by `"task.split"` or by task and then by split, which is how TOML reads a dotted key.
pub fn table<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<DataFile>>, D::Error> {
    Under(String::new()).deserialize(deserializer).map(Some)
}

/// What stands under a key: a path, or a table of more keys.
struct Under(String);

impl<'de> DeserializeSeed<'de> for Under {
    type Value = Vec<DataFile>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Under {
    type Value = Vec<DataFile>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self.0.is_empty() {
            true => formatter.write_str("a table of paths, such as \"trivia_qa.validation\" = \"path/to/file.jsonl\""),
            false => formatter.write_str("a path in quotes"),
        }
    }

    fn visit_str<E: Error>(self, path: &str) -> Result<Self::Value, E> {
        if self.0.is_empty() {
            return Err(E::invalid_type(serde::de::Unexpected::Str(path), &self));
        }
        DataFile::new(&self.0, path).map(|file| vec![file]).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut files = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let key = if self.0.is_empty() { name } else { format!("{}.{name}", self.0) };
            files.extend(map.next_value_seed(Under(key))?);
        }
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_its_task_and_split() {
        let file = |key: &str, path: &str| Ok(DataFile { key: key.into(), path: path.into() });
        assert_eq!(DataFile::parse("rte.train=a=b.tsv"), file("rte.train", "a=b.tsv"));
        assert_eq!(DataFile::parse("tasks/own.toml.test=t"), file("tasks/own.toml.test", "t"));
        for (wrong, why) in [
            ("rte.train", "write TASK.SPLIT=PATH"),
            ("rte.train=", "`rte.train` has no path"),
            ("rte.dev=x", "`rte.dev` is not a task and its split (train, validation, test)"),
            (".train=x", "`.train` is not"),
            ("train=x", "`train` is not"),
        ] {
            let said = DataFile::parse(wrong).unwrap_err();
            assert!(said.starts_with(why), "{said}");
        }
    }
}
