//! Readers: a file of any known format becomes a stream of [`Record`]s, one at a time.
//!
//! The format is chosen by the file's extension. Readers know nothing of tasks: a record is an ordered row of named values.
//! No file, however broken, makes them panic; each error names the file, the line (the row, for parquet) and what to do.

mod csv;
mod jsonl;
mod lines;
mod parquet;
mod tsv;

#[cfg(test)]
mod tests;

pub use jsonl::json_lines;
pub use lines::text_lines;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Tab-separated values with a header and no quoting: `"` is a character like any other, as in GLUE's files.
    Tsv,
    /// Comma-separated values with a header and the quoting of RFC 4180.
    Csv,
    /// One JSON object per line.
    JsonLines,
    /// Apache Parquet, as on the Hugging Face hub.
    Parquet,
}

impl Format {
    /// The extensions that are known, without dots.
    const EXTENSIONS: [(&'static str, Self); 6] = [
        ("tsv", Self::Tsv),
        ("csv", Self::Csv),
        ("jsonl", Self::JsonLines),
        ("ndjson", Self::JsonLines),
        ("json", Self::JsonLines),
        ("parquet", Self::Parquet),
    ];

    /// The format that `path`'s extension stands for, in either case.
    pub fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        let known = Self::EXTENSIONS.iter().find(|(known, _)| Some(*known) == extension.as_deref());
        if let Some((_, format)) = known {
            return Ok(*format);
        }
        let what = match extension {
            Some(extension) => format!("files ending in .{extension} cannot be read"),
            None => "the file has no extension to tell its format by".into(),
        };
        let list = Self::EXTENSIONS.map(|(known, _)| format!(".{known}")).join(", ");
        Err(Error::input(what).at(path).next(format!("give one of {list} (the JSON ones hold one object per line)")))
    }
}

/// One row of a file: named values in the file's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where it starts: the line in the file from 1, or for parquet the row from 1.
    pub line: usize,
    columns: Arc<[String]>,
    values: Vec<Value>,
}

impl Record {
    /// A record of as many `values` as `columns`.
    fn new(line: usize, columns: Arc<[String]>, values: Vec<Value>) -> Self {
        Self { line, columns, values }
    }

    /// The columns' names, in the file's order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The values, in the order of [`columns`](Self::columns).
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The value under `name`: a column's name, or a dotted path into one (`translation.en`, `choices.text.0`). A column whose
    /// whole name is `name` comes first.
    pub fn get(&self, name: &str) -> Option<&Value> {
        if let Some(value) = self.column(name) {
            return Some(value);
        }
        let mut parts = name.split('.');
        let first = self.column(parts.next()?)?;
        parts.try_fold(first, |value, part| match value {
            Value::Object(fields) => fields.get(part),
            Value::Array(items) => items.get(part.parse::<usize>().ok()?),
            _ => None,
        })
    }

    fn column(&self, name: &str) -> Option<&Value> {
        let index = self.columns.iter().position(|column| column == name)?;
        self.values.get(index)
    }
}

/// The columns that a file declares for all its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Their names, in order.
    pub columns: Arc<[String]>,
    /// The line they stand in, where they stand in one.
    pub line: Option<usize>,
}

/// The records of one file, read as they are asked for. After an error it ends.
pub struct Records {
    header: Option<Header>,
    rows: Box<dyn Iterator<Item = Result<Record>>>,
    ended: bool,
}

impl Records {
    fn new(header: Option<Header>, rows: impl Iterator<Item = Result<Record>> + 'static) -> Self {
        Self { header, rows: Box::new(rows), ended: false }
    }

    /// The columns, where the format declares them once; JSON lines name them in every record.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }
}

impl Iterator for Records {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let record = self.rows.next();
        self.ended = !matches!(record, Some(Ok(_)));
        record
    }
}

/// Opens `path` by the reader that its extension stands for.
pub fn open(path: impl AsRef<Path>) -> Result<Records> {
    let path = path.as_ref();
    let file = open_file(path)?;
    match Format::of(path)? {
        Format::Tsv => tsv::open(path, file),
        Format::Csv => csv::open(path, file),
        Format::JsonLines => jsonl::open(path, file),
        Format::Parquet => parquet::open(path, file),
    }
}

/// The SHA-256 of the file's bytes, in lower-case hexadecimal. The file is streamed.
pub fn sha256(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    let mut file = open_file(path)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => hash.update(&chunk[..length]),
            Err(source) if source.kind() == std::io::ErrorKind::Interrupted => {}
            Err(source) => return Err(Error::io("read", path, source)),
        }
    }
    Ok(hexadecimal(hash))
}

/// The SHA-256 of `bytes`, as that of a file that holds them.
pub fn sha256_of(bytes: impl AsRef<[u8]>) -> String {
    hexadecimal(Sha256::new().chain_update(bytes))
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn open_file(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(|source| Error::io("read", path, source))?;
    let metadata = file.metadata().map_err(|source| Error::io("read", path, source))?;
    if metadata.is_dir() {
        return Err(Error::input("this is a folder, not a file").at(path).next("give one of the files in it"));
    }
    Ok(file)
}

/// The names of a header line, or an error where one stands twice. Unnamed columns (such as a written-out row index) may.
fn unique_columns(path: &Path, names: Vec<String>, line: Option<usize>) -> Result<Arc<[String]>> {
    for (index, name) in names.iter().enumerate() {
        if !name.is_empty() && names[..index].contains(name) {
            let error = Error::input("the file has two columns of this name").at(path).column(name);
            return Err(line.into_iter().fold(error, Error::line).next("rename one of them"));
        }
    }
    Ok(names.into())
}

/// Why the header of `path` cannot be read: there is nothing in it.
fn empty_file(path: PathBuf) -> Error {
    Error::input("the file is empty").at(path).next("give a file with examples in it")
}

/// The error for a row with other than `wanted` fields. `cut` says that it is the file's last line and has no line end.
fn wrong_fields(path: &Path, line: usize, wanted: usize, found: usize, cut: bool) -> Error {
    let next = match cut && found < wanted {
        true => "the file ends within this line and was probably cut off: get it again",
        false => "correct the line",
    };
    Error::input(format!("the line has {found} fields and the header has {wanted}")).at(path).line(line).next(next)
}
