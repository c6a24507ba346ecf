//! A split's files → its examples: all of them, or those of a sample of the rows.

use std::path::{Path, PathBuf};

use super::Task;
use crate::data::example::Split;
use crate::data::read::{self, Record, places, sample::sample};
use crate::error::{Error, Result};
use crate::hub;
use crate::spec::Seeds;

/// So many rows are not read without being asked for by number: every one of them becomes a text and tokens in memory.
const MOST: u64 = 2_000_000;

/// How many rows are read, and which stream of chance says which ones. It is the same for every way of cutting a split into files.
#[derive(Debug, Clone)]
pub(in crate::data) struct Draw {
    pub size: usize,
    pub seeds: Seeds,
    pub stream: String,
}

impl Draw {
    /// The rows that are read of `rows`; none for all of them.
    fn of(&self, rows: u64) -> Option<Vec<u64>> {
        sample(rows, self.size as u64, &mut self.seeds.rng(&self.stream, &[]))
    }
}

impl Task {
    /// The examples of the file at `path`, or of the files in a folder, by the readers that the extensions say. A file without any
    /// is an error.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Split> {
        let path = path.as_ref();
        self.read_files(path, &places::files(path, "train")?, None)
    }

    /// The examples of `files`, which are one split in this order; `name` stands for them.
    pub(in crate::data) fn read_files(&self, name: &Path, files: &[PathBuf], draw: Option<&Draw>) -> Result<Split> {
        let wanted = self.file_columns();
        let counts = files.iter().map(|file| self.count(file, &wanted, draw)).collect::<Result<Vec<_>>>()?;
        let total = counts.iter().copied().try_fold(0, |sum: u64, count| sum.checked_add(count?));
        let chosen = match (draw, total) {
            (Some(draw), Some(total)) => draw.of(total),
            (None, Some(total @ MOST..)) => return Err(too_many(name, &format!("{total} rows"))),
            _ => None,
        };
        let most = draw.map_or(MOST, |_| u64::MAX);
        let mut split = Split::of_file(name.to_path_buf(), Vec::new(), 0, String::new());
        let mut hashes = Vec::new();
        for (file, count) in files.iter().zip(counts) {
            match (chosen.as_deref(), count) {
                (Some(chosen), Some(count)) => self.read_rows(&mut split, file, count, chosen, &wanted)?,
                _ => self.read_all(&mut split, file, most, &wanted)?,
            }
            // Of what is read in part only, a hash that is known need not be found again.
            let known = draw.and_then(|_| hub::hash_of_cached(file));
            hashes.push((file.clone(), known.map_or_else(|| read::sha256(file), Ok)?));
        }
        if let [(_, only)] = &hashes[..] {
            split.sha256.clone_from(only);
        } else {
            split.sha256 = read::sha256_of(hashes.iter().map(|(_, hash)| format!("{hash}\n")).collect::<String>());
            split.files = hashes;
        }
        filled(split)
    }

    /// Adds the examples of `file` to `split`, as long as that has fewer than `most` rows.
    fn read_all(&self, split: &mut Split, file: &Path, most: u64, wanted: &[&str]) -> Result<()> {
        let records = read::open_columns(file, Some(wanted))?;
        self.check_header(file, &records)?;
        for record in records {
            self.add(split, file, split.rows, &record?)?;
            split.rows += 1;
            // Formats that do not say how many rows they have show it here.
            if split.rows >= most {
                return Err(too_many(&split.path, &format!("{most} rows or more")));
            }
        }
        Ok(())
    }

    /// Adds those of the `count` rows of `file` that are `chosen`, counted from the beginning of the split.
    fn read_rows(&self, split: &mut Split, file: &Path, count: u64, chosen: &[u64], wanted: &[&str]) -> Result<()> {
        let before = split.rows;
        split.rows += count;
        let own = chosen.partition_point(|&row| row < before)..chosen.partition_point(|&row| row < split.rows);
        if own.is_empty() {
            return Ok(());
        }
        let mut records = read::open_columns(file, Some(wanted))?;
        for &row in &chosen[own] {
            let record = records.at(row - before).ok_or_else(|| {
                Error::input("the file has fewer rows than a moment ago").at(file).next("let nobody write it meanwhile")
            })?;
            self.add(split, file, row, &record?)?;
        }
        Ok(())
    }

    /// The examples of JSON lines that are no file, as [`read`](Self::read) would give them; `name` stands for the path.
    pub(in crate::data) fn read_lines(&self, name: &Path, lines: &str, draw: Option<&Draw>) -> Result<Split> {
        let mut split = Split::of_file(name.to_path_buf(), Vec::new(), 0, String::new());
        let records: Vec<Record> = read::json_lines(name, lines).collect::<Result<_>>()?;
        split.rows = records.len() as u64;
        let chosen = draw.and_then(|draw| draw.of(split.rows)).unwrap_or_else(|| (0..split.rows).collect());
        for row in chosen {
            self.add(&mut split, name, row, &records[row as usize])?;
        }
        split.sha256 = read::sha256_of(lines);
        filled(split)
    }

    fn add(&self, split: &mut Split, file: &Path, row: u64, record: &Record) -> Result<()> {
        match self.example(file, row as usize, record)? {
            Some(example) => split.examples.push(example),
            None => split.dropped += 1,
        }
        Ok(())
    }

    /// The rows of `file`, where its format says so, or they have to be known.
    fn count(&self, file: &Path, wanted: &[&str], draw: Option<&Draw>) -> Result<Option<u64>> {
        let mut records = read::open_columns(file, Some(wanted))?;
        self.check_header(file, &records)?;
        match (records.known_rows(), draw) {
            (None, Some(_)) => records.try_fold(0, |rows, record| record.map(|_| rows + 1)).map(Some),
            (count, _) => Ok(count),
        }
    }
}

/// Why the split that `name` stands for is not read whole.
fn too_many(name: &Path, rows: &str) -> Error {
    Error::input(format!("the split has {rows}, and all would be read into memory"))
        .at(name)
        .next("give --sample N, such as --sample 100000")
}

/// The split, if it has examples.
fn filled(split: Split) -> Result<Split> {
    if !split.examples.is_empty() {
        return Ok(split);
    }
    let what = match split.dropped {
        0 => "the file has no examples".to_string(),
        dropped if split.is_sample() => {
            format!("the sample has no examples: all its {dropped} rows have a target that the task drops")
        }
        dropped => format!("the file has no examples: all its {dropped} rows have a target that the task drops"),
    };
    Err(Error::input(what).at(split.path).next("give a file with examples in it"))
}

#[cfg(test)]
mod tests;
