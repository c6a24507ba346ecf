//! `rows.jsonl`: every row of a run, one JSON object per line, appended the moment it is measured.
//!
//! A line counts once its line feed is there. What a killed process left after the last line feed is torn, and is dropped:
//! by the reader, and by the next run that appends.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::folder::write_atomic;
use super::table::{Table, check_finite};
use crate::error::{Error, Result};

/// What [`RowsFile`] needs of a file; tests put a disk that fills up in its place.
trait Disk: Write {
    /// Cuts what lies after `length` bytes.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// Returns once the bytes are on the disk.
    fn sync(&mut self) -> io::Result<()>;
}

impl Disk for File {
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// An open `rows.jsonl`, for appending.
pub struct RowsFile {
    disk: Box<dyn Disk + Send>,
    path: PathBuf,
    /// Bytes of the whole lines so far.
    length: u64,
}

impl RowsFile {
    /// Opens the file to append to it, makes it if there is none, and cuts a torn last line off.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let open = || {
            let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
            let length = whole_lines(&mut file)?;
            if length < file.metadata()?.len() {
                file.set_len(length)?;
            }
            Ok((file, length))
        };
        let (file, length) = open().map_err(|source| Error::io("append to", path, source))?;
        Ok(Self { disk: Box::new(file), path: path.to_path_buf(), length })
    }

    /// Appends the rows of a probe in one write and waits until they are on the disk. Where that fails, for instance on a
    /// full disk, the file is cut back to the rows before them.
    pub fn append<R: Table + Serialize>(&mut self, rows: &[R]) -> Result<()> {
        check_finite(rows)?;
        let mut lines = Vec::new();
        for row in rows {
            serde_json::to_writer(&mut lines, row).map_err(|source| {
                Error::check(format!("internal error: the row of {} is not JSON: {source}", row.describe()))
                    .next("please report it with the command that led to it")
                    .caused_by(source)
            })?;
            lines.push(b'\n');
        }
        match self.disk.write_all(&lines).and_then(|()| self.disk.flush()).and_then(|()| self.disk.sync()) {
            Ok(()) => {
                self.length += lines.len() as u64;
                Ok(())
            }
            Err(source) => {
                // If even this fails, the torn line that stays is dropped by whoever reads or appends next.
                let _ = self.disk.truncate(self.length);
                let remedy = match source.kind() {
                    ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space",
                    _ => "check the disk",
                };
                Err(Error::io("write", &self.path, source)
                    .next(format!("the rows so far are complete: {remedy}, then go on with --resume")))
            }
        }
    }
}

/// `objects` as JSON lines.
pub fn json_lines<T: Serialize>(objects: impl IntoIterator<Item = T>) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for object in objects {
        serde_json::to_writer(&mut lines, &object)
            .map_err(|error| Error::check(format!("internal: {error}")).caused_by(error))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// The length of the file up to and with its last line feed.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut piece = [0; 4096];
    let mut end = file.metadata()?.len();
    while end > 0 {
        let start = end.saturating_sub(piece.len() as u64);
        let piece = &mut piece[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(piece)?;
        if let Some(place) = piece.iter().rposition(|&byte| byte == b'\n') {
            return Ok(start + place as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// What [`read_rows`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<R> {
    /// The whole rows, in the file's order.
    pub rows: Vec<R>,
    /// The number of the torn last line, from 1, if there is one; it is not among the rows.
    pub torn_line: Option<usize>,
}

impl<R> Rows<R> {
    /// What to tell the user about a torn line.
    pub fn warning(&self) -> Option<String> {
        self.torn_line.map(|line| format!("line {line} is incomplete, as a killed run leaves it; it is left out"))
    }
}

/// Reads every whole row. A broken line before the end is an error with its place.
pub fn read_rows<R: DeserializeOwned>(path: impl AsRef<Path>) -> Result<Rows<R>> {
    let path = path.as_ref();
    let text = std::fs::read(path).map_err(|source| Error::io("read", path, source))?;
    let (lines, torn_line) = split_lines(&text);
    let rows = lines.iter().enumerate().map(|(index, line)| parse(path, index, line)).collect::<Result<_>>()?;
    Ok(Rows { rows, torn_line })
}

/// Keeps the rows of probes up to and with `step`, byte for byte, and drops the others and a torn line; returns how many
/// whole rows were dropped. A run that goes on from a checkpoint at `step` measures the later ones again. The file changes
/// in one move or not at all; without a file there is nothing to drop.
pub fn truncate_after(path: impl AsRef<Path>, step: u64) -> Result<usize> {
    #[derive(Deserialize)]
    struct Probe {
        step: u64,
    }
    let path = path.as_ref();
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(0),
        Err(source) => return Err(Error::io("read", path, source)),
    };
    let (lines, torn_line) = split_lines(&text);
    let mut kept = Vec::with_capacity(text.len());
    let mut dropped = 0;
    for (index, line) in lines.iter().enumerate() {
        if parse::<Probe>(path, index, line)?.step <= step {
            kept.extend_from_slice(line);
            kept.push(b'\n');
        } else {
            dropped += 1;
        }
    }
    if dropped > 0 || torn_line.is_some() {
        write_atomic(path, &kept)?;
    }
    Ok(dropped)
}

/// The whole lines without their line feeds, and the number of the torn one after them.
fn split_lines(text: &[u8]) -> (Vec<&[u8]>, Option<usize>) {
    let mut lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
    let torn = lines.pop().is_some_and(|rest| !rest.is_empty());
    let torn_line = torn.then_some(lines.len() + 1);
    (lines, torn_line)
}

fn parse<R: DeserializeOwned>(path: &Path, index: usize, line: &[u8]) -> Result<R> {
    serde_json::from_slice(line).map_err(|source| {
        Error::input(format!("is not a row: {source}"))
            .at(path)
            .line(index + 1)
            .column(source.column().to_string())
            .next("repair or remove the line, or make the run again")
            .caused_by(source)
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::report::rows::{GradientAlignRow, Scope};

    /// A row with every value in place.
    pub(crate) fn row(step: u64, name: &str) -> GradientAlignRow {
        let group = name.split_once('/').map(|(_, group)| group.to_string());
        GradientAlignRow {
            target: "rte".into(),
            method: "standard".into(),
            stage: 1,
            seed: 0,
            step,
            estimator: "dataset".into(),
            scope: match (&group, name.starts_with("model")) {
                (Some(_), _) => Scope::Group,
                (None, true) => Scope::Model,
                (None, false) => Scope::Layer,
            },
            name: name.into(),
            group,
            cosine: Some(0.5),
            cosine_lo: Some(0.25),
            cosine_hi: Some(0.75),
            yardstick: Some(0.875),
            norm_full: 1.5,
            norm_format: 0.75,
            params: 1024,
            examples: 256,
            shuffles: 4,
        }
    }

    /// A disk with room for so many bytes.
    struct Full {
        bytes: Arc<Mutex<Vec<u8>>>,
        room: usize,
    }

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut held = self.bytes.lock().unwrap();
            let fits = bytes.len().min(self.room - held.len());
            held.extend_from_slice(&bytes[..fits]);
            if fits == 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(fits) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Disk for Full {
        fn truncate(&mut self, length: u64) -> io::Result<()> {
            self.bytes.lock().unwrap().truncate(length as usize);
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_leaves_whole_rows() {
        let line = serde_json::to_string(&row(0, "model")).unwrap().len() + 1;
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let disk = Full { bytes: bytes.clone(), room: 3 * line + line / 2 };
        let mut file = RowsFile { disk: Box::new(disk), path: "rows.jsonl".into(), length: 0 };
        file.append(&[row(0, "model"), row(0, "model")]).unwrap();
        let error = file.append(&[row(1, "model"), row(1, "model")]).unwrap_err().to_string();
        assert!(
            error.contains("rows.jsonl") && error.contains("the rows so far are complete: free some space"),
            "{error}"
        );
        assert_eq!(bytes.lock().unwrap().len(), 2 * line);
        file.append(&[row(1, "model")]).unwrap();
        assert_eq!(bytes.lock().unwrap().len(), 3 * line);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_device_is_an_error() {
        let disk = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let mut file = RowsFile { disk: Box::new(disk), path: "/dev/full".into(), length: 0 };
        let error = file.append(&[row(0, "model")]).unwrap_err().to_string();
        assert!(error.contains("the rows so far are complete: free some space"), "{error}");
    }

    #[test]
    fn rows_read_back_and_a_torn_line_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let rows = [row(0, "model"), GradientAlignRow { cosine: None, ..row(0, "decoder.7/mlp") }];
        RowsFile::open(&path).unwrap().append(&rows).unwrap();
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(read_rows::<GradientAlignRow>(&path).unwrap(), Rows { rows: rows.to_vec(), torn_line: None });

        let long = format!("{{\"target\":\"{}", "x".repeat(10_000));
        for torn in ["{", "{\"target\":\"rte\"}", long.as_str()] {
            std::fs::write(&path, [whole.as_slice(), torn.as_bytes()].concat()).unwrap();
            let read = read_rows::<GradientAlignRow>(&path).unwrap();
            assert_eq!((read.rows.as_slice(), read.torn_line), (rows.as_slice(), Some(3)));
            assert!(read.warning().unwrap().contains("line 3"));
            RowsFile::open(&path).unwrap().append(&rows[..1]).unwrap();
            let read = read_rows::<GradientAlignRow>(&path).unwrap();
            assert_eq!((read.rows.len(), read.torn_line), (3, None));
        }
        // A first write that was cut short leaves nothing but a torn line.
        std::fs::write(&path, &long).unwrap();
        RowsFile::open(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn a_broken_line_in_the_middle_names_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        RowsFile::open(&path).unwrap().append(&[row(0, "model"), row(1, "model"), row(2, "model")]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap().replace("\"step\":1", "\"step\":x");
        let column = text.lines().nth(1).unwrap().find(":x").unwrap() + 2;
        std::fs::write(&path, &text).unwrap();
        for error in [read_rows::<GradientAlignRow>(&path).unwrap_err(), truncate_after(&path, 0).unwrap_err()] {
            let error = error.to_string();
            assert!(error.contains(&format!("rows.jsonl:2: column {column}:")), "{error}");
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn truncation_keeps_the_bytes_of_earlier_probes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        assert_eq!(truncate_after(&path, 0).unwrap(), 0);
        let mut file = RowsFile::open(&path).unwrap();
        file.append(&[row(0, "model"), row(50, "model")]).unwrap();
        let kept = std::fs::read(&path).unwrap();
        file.append(&[row(100, "model"), row(100, "decoder.7")]).unwrap();
        let mut torn = OpenOptions::new().append(true).open(&path).unwrap();
        torn.write_all(b"{\"target\"").unwrap();
        assert_eq!(truncate_after(&path, 50).unwrap(), 2);
        assert_eq!(std::fs::read(&path).unwrap(), kept);
        assert_eq!(truncate_after(&path, 50).unwrap(), 0);
    }

    #[test]
    fn not_a_number_is_not_written_as_missing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let bad = GradientAlignRow { cosine: Some(f64::NAN), ..row(3, "model") };
        assert!(RowsFile::open(&path).unwrap().append(&[bad]).unwrap_err().to_string().contains("step 3"));
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }
}
