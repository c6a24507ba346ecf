//! JSON lines: one object per line. Lines that are empty, or hold white space only, are skipped.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::lines::{Line, Lines};
use super::{Record, Records, empty_file, twice};
use crate::error::{Error, Result};

/// The most values of a record, an object in a list counting twice: one of seven bytes in a file takes 664 in memory.
pub(super) const MOST_VALUES: usize = 200_000;

pub(super) fn open(path: &Path, file: File) -> Result<Records> {
    if file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0) {
        return Err(empty_file(path.to_path_buf()));
    }
    let owner: PathBuf = path.to_path_buf();
    let rows = Lines::new(path, file)?.filter(|line| !matches!(line, Ok(line) if line.text.trim().is_empty()));
    Ok(Records::new(None, rows.map(move |line| record(&owner, &line?))))
}

/// The records of `text`, which is what such a file holds; `name` stands for its path in errors.
pub fn json_lines<'a>(name: &'a Path, text: &'a str) -> impl Iterator<Item = Result<Record>> + 'a {
    let filled = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    filled.map(move |(index, line)| record(name, &Line { number: index + 1, text: line.to_string(), ended: true }))
}

fn record(path: &Path, line: &Line) -> Result<Record> {
    if line.text.trim_start().starts_with('[') {
        return Err(Error::input("the line begins a JSON list; one object per line is read")
            .at(path)
            .line(line.number)
            .next("write each element on a line of its own, without the brackets and commas around them"));
    }
    let count = values(&line.text);
    if count > MOST_VALUES {
        return Err(Error::input(format!("the line has {count} values, and more than {MOST_VALUES} are not read"))
            .at(path)
            .line(line.number)
            .next("leave out the fields that the task does not need"));
    }
    let Fields(fields) = serde_json::from_str(&line.text).map_err(|source| failure(path, line, source))?;
    let (columns, values): (Vec<String>, Vec<Value>) = fields.into_iter().unzip();
    Ok(Record::new(line.number, columns.into(), values))
}

/// How many values a line of JSON has, or rather more: what opens a list or an object, and what separates, outside of texts.
fn values(text: &str) -> usize {
    let (mut count, mut quoted, mut escaped) = (0, false, false);
    for byte in text.bytes() {
        quoted ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && quoted && !escaped;
        count += usize::from(!quoted && matches!(byte, b',' | b'[' | b'{'));
    }
    count
}

fn failure(path: &Path, line: &Line, source: serde_json::Error) -> Error {
    let next = match source.is_eof() {
        // A pretty-printed object looks the same as one that was cut off, until one sees where.
        true if line.ended => "write one whole object per line",
        true => "the file ends within this line and was probably cut off: get it again",
        false => "correct the line: one JSON object",
    };
    // serde_json counts lines within the text it is given, which is always line 1 here.
    let text = source.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    Error::input(format!("bad JSON at character {} of the line: {what}", source.column()))
        .at(path)
        .line(line.number)
        .next(next)
        .caused_by(source)
}

/// An object's fields in the file's order, which `serde_json::Map` does not keep.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields: Vec<(String, Value)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            fields.push((name, value));
        }
        match twice(fields.iter().map(|(name, _)| name)) {
            Some(name) => Err(A::Error::custom(format!("the key `{name}` stands twice"))),
            None => Ok(Fields(fields)),
        }
    }
}
