//! Tab-separated values without quoting. GLUE's files hold bare `"` in their fields, so a quote is a plain character, and a
//! field can hold neither a tab nor a line end.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::lines::{Line, Lines, check_columns};
use super::{Header, Record, Records, empty_file, unique_columns, wrong_fields};
use crate::error::{Error, Result};

pub(super) fn open(path: &Path, file: File) -> Result<Records> {
    let mut lines = Lines::new(path, file)?;
    let header = lines.next().transpose()?.ok_or_else(|| empty_file(path.to_path_buf()))?;
    if header.text.is_empty() {
        return Err(Error::input("the first line is empty").at(path).line(1).next("begin the file with a header line"));
    }
    check_columns(path, 1, fields(&header))?;
    let names = header.text.split('\t').map(String::from).collect();
    let columns = unique_columns(path, names, Some(1))?;
    let header = Header { columns: Arc::clone(&columns), line: Some(1) };
    Ok(Records::new(Some(header), Rows { lines, columns }))
}

fn fields(line: &Line) -> usize {
    1 + line.text.bytes().filter(|&byte| byte == b'\t').count()
}

struct Rows {
    lines: Lines,
    columns: Arc<[String]>,
}

impl Rows {
    fn record(&self, line: &Line) -> Result<Record> {
        let found = fields(line);
        if found != self.columns.len() {
            return Err(wrong_fields(self.lines.path(), line.number, self.columns.len(), found, !line.ended));
        }
        let values = line.text.split('\t').map(Value::from).collect();
        Ok(Record::new(line.number, Arc::clone(&self.columns), values))
    }
}

impl Iterator for Rows {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = match self.lines.next()? {
            Ok(line) => line,
            Err(error) => return Some(Err(error)),
        };
        if !line.text.is_empty() {
            return Some(self.record(&line));
        }
        // Empty lines may end a file. One with data after it is a row that lost its fields.
        loop {
            match self.lines.next()? {
                Ok(later) if later.text.is_empty() => {}
                Ok(_) => {
                    let what = "the line is empty and rows follow it";
                    return Some(Err(Error::input(what)
                        .at(self.lines.path())
                        .line(line.number)
                        .next("remove the line")));
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
