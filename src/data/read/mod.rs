//! Readers: a file of any known format becomes a stream of [`Record`]s, one at a time.
//!
//! The format is chosen by the file's extension. Readers know nothing of tasks: a record is an ordered row of named values.
//! No file, however broken, makes them panic; each error names the file, the line (the row, for parquet) and what to do.
//! Nor does a file sit in memory: text is read line by line, parquet by row group, of which those that hold no wanted row are
//! not read at all.

mod claims;
mod csv;
mod format;
mod jsonl;
mod lines;
mod pages;
mod parquet;
pub(super) mod places;
pub(super) mod sample;
mod tsv;

#[cfg(test)]
mod tests;

pub use format::Format;
pub use jsonl::json_lines;
pub use lines::text_lines;

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

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

/// A file's rows, one after the other.
trait Rows {
    /// The next one.
    fn next_row(&mut self) -> Option<Result<Record>>;

    /// Leaves out the next `rows`.
    fn skip_rows(&mut self, rows: u64) -> Result<()> {
        for _ in 0..rows {
            match self.next_row() {
                None => break,
                Some(row) => row.map(drop)?,
            }
        }
        Ok(())
    }
}

impl<I: Iterator<Item = Result<Record>>> Rows for I {
    fn next_row(&mut self) -> Option<Result<Record>> {
        self.next()
    }
}

/// The records of one file, read as they are asked for. After an error it ends.
pub struct Records {
    header: Option<Header>,
    known_rows: Option<u64>,
    rows: Box<dyn Rows>,
    /// The row that comes next, from 0.
    next: u64,
    ended: bool,
}

impl Records {
    fn new(header: Option<Header>, rows: impl Rows + 'static) -> Self {
        Self { header, known_rows: None, rows: Box::new(rows), next: 0, ended: false }
    }

    /// The columns, where the format declares them once; JSON lines name them in every record.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// How many there are, where the format says so before they are read.
    pub fn known_rows(&self) -> Option<u64> {
        self.known_rows
    }

    /// The record of row `row`, from 0; those between it and the last one that was read are left out.
    pub fn at(&mut self, row: u64) -> Option<Result<Record>> {
        let ahead = row.saturating_sub(self.next);
        if let Err(error) = self.rows.skip_rows(ahead) {
            self.ended = true;
            return Some(Err(error));
        }
        self.next += ahead;
        self.next()
    }
}

impl Iterator for Records {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let record = self.rows.next_row();
        self.next += 1;
        self.ended = !matches!(record, Some(Ok(_)));
        record
    }
}

/// Opens `path` by the reader that its extension stands for.
pub fn open(path: impl AsRef<Path>) -> Result<Records> {
    open_columns(path, None)
}

/// As [`open`]; where the format keeps columns apart, those that `wanted` does not name are not read. The header has them all.
pub fn open_columns(path: impl AsRef<Path>, wanted: Option<&[&str]>) -> Result<Records> {
    let path = path.as_ref();
    let file = open_file(path)?;
    match Format::of(path)? {
        Format::Tsv => tsv::open(path, file),
        Format::Csv => csv::open(path, file),
        Format::JsonLines => jsonl::open(path, file),
        Format::Parquet => parquet::open(path, file, wanted),
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
    if let Some(name) = twice(names.iter().filter(|name| !name.is_empty())) {
        let error = Error::input("the file has two columns of this name").at(path).column(name);
        return Err(line.into_iter().fold(error, Error::line).next("rename one of them"));
    }
    Ok(names.into())
}

/// The first of `names` that came before.
fn twice<'a>(mut names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut seen = HashSet::new();
    names.find(|name| !seen.insert(name.as_str()))
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
