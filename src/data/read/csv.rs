//! Comma-separated values with the quoting of RFC 4180: a quoted field may hold commas, line ends and doubled quotes.
//!
//! Records are framed here and parsed by the csv crate. Left to itself, that crate takes the end of a file for the end of a
//! quoted field (so that a file cut off within one looks whole) and counts lines wrongly where they end in `\r\n`.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use ::csv::{ReaderBuilder, StringRecord, Terminator};
use serde_json::Value;

use super::lines::{LONGEST, Line, Lines, check_columns, too_long};
use super::{Header, Record, Records, empty_file, unique_columns, wrong_fields};
use crate::error::{Error, Result};

pub(super) fn open(path: &Path, file: File) -> Result<Records> {
    let mut frames = Frames { lines: Lines::new(path, file)? };
    let first = frames.next().transpose()?.ok_or_else(|| empty_file(path.to_path_buf()))?;
    let names = first.fields(path)?.iter().map(String::from).collect();
    let columns = unique_columns(path, names, Some(first.line))?;
    let header = Header { columns: Arc::clone(&columns), line: Some(first.line) };
    Ok(Records::new(Some(header), Rows { frames, columns }))
}

struct Rows {
    frames: Frames,
    columns: Arc<[String]>,
}

impl Rows {
    fn record(&self, frame: &Frame) -> Result<Record> {
        let path = self.frames.lines.path();
        let fields = frame.fields(path)?;
        if fields.len() != self.columns.len() {
            return Err(wrong_fields(path, frame.line, self.columns.len(), fields.len(), !frame.ended));
        }
        Ok(Record::new(frame.line, Arc::clone(&self.columns), fields.iter().map(Value::from).collect()))
    }
}

impl Iterator for Rows {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        let frame = self.frames.next()?;
        Some(frame.and_then(|frame| self.record(&frame)))
    }
}

/// The text of one record. Line ends within quotes have become `\n`.
struct Frame {
    /// The line it begins in.
    line: usize,
    text: String,
    /// Whether a line end followed; a file cut off lacks the last one.
    ended: bool,
    /// Whether an even number of quotes came so far.
    balanced: bool,
}

impl Frame {
    fn new(line: Line) -> Self {
        let balanced = pairs(&line.text);
        Self { line: line.number, text: line.text, ended: line.ended, balanced }
    }

    fn push(&mut self, line: &Line) {
        self.text.push('\n');
        self.text.push_str(&line.text);
        self.ended = line.ended;
        self.balanced = self.balanced == pairs(&line.text);
    }

    fn fields(&self, path: &Path) -> Result<StringRecord> {
        check_columns(path, self.line, count(&self.text))?;
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(self.text.len() + 1)
            .from_reader(self.text.as_bytes());
        let bad = |what: String| Error::input(what).at(path).line(self.line).next("check the quotes of this record");
        let mut fields = StringRecord::new();
        let mut rest = StringRecord::new();
        let mut read = |record: &mut StringRecord| {
            reader.read_record(record).map_err(|source| bad(format!("not CSV: {source}")).caused_by(source))
        };
        read(&mut fields)?;
        // A quote within an unquoted field is a plain character to the csv crate and opens nothing, so that a line end that
        // the frame takes for quoted would end the record.
        if read(&mut rest)? {
            return Err(bad("a quote (\") stands within a field that does not begin with one".into()));
        }
        Ok(fields)
    }
}

/// The records of a file as text: a record ends at the first line end that an even number of quotes comes before.
struct Frames {
    lines: Lines,
}

impl Iterator for Frames {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut frame: Option<Frame> = None;
        loop {
            match (self.lines.next(), frame.as_mut()) {
                (None, None) => return None,
                (None, Some(open)) => {
                    let error = Error::input("a quote (\") in the record that begins here is never closed");
                    return Some(Err(error.at(self.lines.path()).line(open.line).next(
                        "close the field and double the quotes inside it, or get the file again if it was cut off",
                    )));
                }
                (Some(Err(error)), _) => return Some(Err(error)),
                (Some(Ok(line)), None) if line.text.is_empty() => continue,
                (Some(Ok(line)), None) => frame = Some(Frame::new(line)),
                (Some(Ok(line)), Some(open)) => open.push(&line),
            }
            if let Some(frame) = frame.as_ref().filter(|frame| frame.text.len() > LONGEST) {
                return Some(Err(too_long(self.lines.path(), frame.line)));
            }
            if let Some(whole) = frame.take_if(|frame| frame.balanced) {
                return Some(Ok(whole));
            }
        }
    }
}

/// How many fields `text` has, as the csv crate cuts it: a quote opens a field at its beginning alone, or goes on with one that it
/// has just closed.
fn count(text: &str) -> usize {
    let (mut fields, mut opens, mut quoted) = (1, true, false);
    for byte in text.bytes() {
        let ends = !quoted && matches!(byte, b',' | b'\n');
        fields += usize::from(ends);
        let quote = byte == b'"' && (opens || quoted);
        opens = ends || (quote && quoted);
        quoted ^= quote;
    }
    fields
}

/// Whether the quotes in `text` come in pairs.
fn pairs(text: &str) -> bool {
    text.bytes().filter(|&byte| byte == b'"').count().is_multiple_of(2)
}
