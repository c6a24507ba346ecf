//! Lines of a text file: UTF-8, with or without a byte-order mark, ended by `\n` or `\r\n`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::format::{failed, unpacked};
use crate::error::{Error, Result};

/// The longest line, and the longest record, in bytes: a small packed file may unpack to a line without end.
pub(super) const LONGEST: usize = 8 << 20;
/// The most columns of a table: a field takes one byte in a file that is packed well, and some tens in memory.
const MOST_COLUMNS: usize = 10_000;

/// A line without its end.
pub(super) struct Line {
    /// From 1.
    pub number: usize,
    pub text: String,
    /// Whether a line end followed; only the last line may lack it.
    pub ended: bool,
}

/// The lines of a file, in order.
pub(super) struct Lines {
    path: PathBuf,
    input: BufReader<Box<dyn Read>>,
    number: usize,
}

impl Lines {
    pub(super) fn new(path: &Path, file: File) -> Result<Self> {
        Ok(Self { path: path.to_path_buf(), input: BufReader::new(unpacked(path, file)?), number: 0 })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Why the record that begins in line `number` cannot be read.
pub(super) fn too_long(path: &Path, number: usize) -> Error {
    Error::input(format!("the line is longer than {} MiB", LONGEST >> 20))
        .at(path)
        .line(number)
        .next("check that the file is text, with a record in each line")
}

/// Errors if line `number`, which has `count` fields, has more than any table; asked before they get room.
pub(super) fn check_columns(path: &Path, number: usize, count: usize) -> Result<()> {
    match count > MOST_COLUMNS {
        true => Err(Error::input(format!("the line has {count} fields, and no table has more than {MOST_COLUMNS}"))
            .at(path)
            .line(number)
            .next("check that the file is what its extension says")),
        false => Ok(()),
    }
}

impl Iterator for Lines {
    type Item = Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = Vec::new();
        self.number += 1;
        match self.input.by_ref().take(LONGEST as u64 + 1).read_until(b'\n', &mut bytes) {
            Ok(0) => return None,
            Ok(length) if length > LONGEST => return Some(Err(too_long(&self.path, self.number))),
            Ok(_) => {}
            Err(source) => return Some(Err(failed(&self.path, source))),
        }
        if self.number == 1 && bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        let ended = bytes.last() == Some(&b'\n');
        if ended {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        let line = match String::from_utf8(bytes) {
            Ok(text) => Ok(Line { number: self.number, text, ended }),
            Err(source) => {
                let byte = source.utf8_error().valid_up_to() + 1;
                Err(Error::input(format!("the text is not UTF-8 (byte {byte} of the line)"))
                    .at(&self.path)
                    .line(self.number)
                    .next("save the file as UTF-8")
                    .caused_by(source))
            }
        };
        Some(line)
    }
}

/// UTF-8's byte-order mark, which spreadsheet programs write.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// All lines of a text file, without their ends. A last line that is empty is none.
pub fn text_lines(path: impl AsRef<Path>) -> Result<Vec<String>> {
    let path = path.as_ref();
    Lines::new(path, super::open_file(path)?)?.map(|line| line.map(|line| line.text)).collect()
}
