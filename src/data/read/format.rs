//! What a file's name says of how it is written: its format, and how it is packed.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::empty_file;
use crate::error::{Error, Result};

/// How many times its size a packed parquet file may have once it is unpacked, and how many bytes on top of that: its pages are
/// packed or encoded already, so that packing it again gains little. A file of zeros would fill the disk.
const RATIO: u64 = 100;
const SPARE: u64 = 64 << 20;

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

    /// The format that `path`'s extension stands for, in either case; one that says how the file is packed is left out.
    pub fn of(path: &Path) -> Result<Self> {
        let inner = Packing::of(path).1;
        if let Some(format) = Self::named(&inner) {
            return Ok(format);
        }
        let what = match inner.extension() {
            Some(extension) => {
                format!("files ending in .{} cannot be read", extension.to_string_lossy().to_lowercase())
            }
            None => "the file has no extension to tell its format by".into(),
        };
        let list = Self::EXTENSIONS.map(|(known, _)| format!(".{known}")).join(", ");
        Err(Error::input(what).at(path).next(format!(
            "give one of {list} (the JSON ones hold one object per line), each also with .gz or .zst behind it"
        )))
    }

    /// Whether `path` has an extension that can be read.
    pub(super) fn is_known(path: &Path) -> bool {
        Self::named(&Packing::of(path).1).is_some()
    }

    fn named(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_string_lossy().to_lowercase();
        Self::EXTENSIONS.iter().find(|(known, _)| *known == extension).map(|(_, format)| *format)
    }
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Not,
    Gzip,
    Zstd,
}

impl Packing {
    /// What the last extension of `path` says, and the path without it.
    fn of(path: &Path) -> (Self, PathBuf) {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("gz") => (Self::Gzip, path.with_extension("")),
            Some("zst") => (Self::Zstd, path.with_extension("")),
            _ => (Self::Not, path.to_path_buf()),
        }
    }
}

/// The bytes that `file`, which was opened at `path`, holds once it is unpacked.
pub(super) fn unpacked(path: &Path, mut file: File) -> Result<Box<dyn Read>> {
    let packing = Packing::of(path).0;
    if packing == Packing::Not {
        return Ok(Box::new(file));
    }
    if is_empty(path, &mut file)? {
        return Err(empty_file(path.to_path_buf()));
    }
    match packing {
        Packing::Zstd => {
            let unpacked = zstd::stream::read::Decoder::new(file).map_err(|source| failed(path, source))?;
            Ok(Box::new(unpacked))
        }
        _ => Ok(Box::new(MultiGzDecoder::new(BufReader::new(file)))),
    }
}

/// As [`unpacked`], for a reader that needs all of it at hand: in a file without a name, which goes when it is closed.
pub(super) fn spooled(path: &Path, file: File) -> Result<File> {
    if Packing::of(path).0 == Packing::Not {
        return Ok(file);
    }
    let length = file.metadata().map_err(|source| Error::io("read", path, source))?.len();
    spool(path, &mut unpacked(path, file)?, length.saturating_mul(RATIO).saturating_add(SPARE))
}

/// What `input`, from `path`, holds, if it is not more than `most` bytes.
fn spool(path: &Path, input: &mut dyn Read, most: u64) -> Result<File> {
    let write = |source| Error::io("unpack", path, source).next("free some space where temporary files go (TMPDIR)");
    let mut output = tempfile::tempfile().map_err(write)?;
    let (mut piece, mut left) = (vec![0; 1 << 16], most);
    loop {
        match input.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => {
                left = left.checked_sub(length as u64).ok_or_else(|| {
                    Error::input(format!(
                        "it unpacks to more than {most} bytes, far more than parquet gains by packing"
                    ))
                    .at(path)
                    .next("unpack it yourself, if it is what you expect, and give the unpacked file")
                })?;
                std::io::Write::write_all(&mut output, &piece[..length]).map_err(write)?;
            }
            Err(source) if source.kind() == std::io::ErrorKind::Interrupted => {}
            Err(source) => return Err(failed(path, source)),
        }
    }
    output.rewind().map_err(write)?;
    Ok(output)
}

/// Why `path` could not be read: what unpacks it has no better word for damage than an error of reading.
pub(super) fn failed(path: &Path, source: std::io::Error) -> Error {
    let what = match Packing::of(path).0 {
        Packing::Gzip => "gzip",
        Packing::Zstd => "zstd",
        Packing::Not => return Error::io("read", path, source),
    };
    if source.raw_os_error().is_some() {
        return Error::io("read", path, source);
    }
    Error::input(format!("cannot unpack it as {what}: {source}"))
        .at(path)
        .next("the file may be cut off or damaged: get it again")
        .caused_by(source)
}

fn is_empty(path: &Path, file: &mut File) -> Result<bool> {
    let length = file.seek(SeekFrom::End(0)).and_then(|length| file.rewind().map(|()| length));
    length.map(|length| length == 0).map_err(|source| Error::io("read", path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_unpacked_than_is_allowed() {
        let spool = |length: usize| spool(Path::new("a.parquet.gz"), &mut &vec![0; length][..], 100_000);
        assert_eq!(spool(100_000).unwrap().metadata().unwrap().len(), 100_000);
        assert_eq!(
            spool(100_001).unwrap_err().to_string(),
            "a.parquet.gz: it unpacks to more than 100000 bytes, far more than parquet gains by packing; \
             unpack it yourself, if it is what you expect, and give the unpacked file"
        );
    }
}
