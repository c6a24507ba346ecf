//! The run folder: one folder per run, with the spec that made it, what is known about the run, its rows, tables and
//! figures. Knows how to write files safely (their names are in [`files`](super::files)); nothing of what they hold.
//!
//! Files appear whole or not at all: each is written beside its place and moved there.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use super::files::{FIGURES, GRADIENT_ALIGN, LABEL_RATIO, OUTPUTS, ROWS, RUN, SPEC, TARGET, TARGET_ROWS};
use super::run_info::RunInfo;
use crate::error::{Error, Result};

/// A run folder that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
    /// How many folders this process made for it: it and those above it that were not there.
    made: usize,
}

impl RunFolder {
    /// Makes the folder and its parents, and checks that it can be written to, before any work is done.
    ///
    /// A folder that holds anything is an error and stays as it is, unless `overwrite`; what is in it then stays until
    /// [`RunFolder::clear`].
    pub fn create(path: impl AsRef<Path>, overwrite: bool) -> Result<Self> {
        let path = path.as_ref();
        if path.exists() && !path.is_dir() {
            return Err(Error::input("is a file, so no run folder can be made there")
                .at(path)
                .flag("--out")
                .next("choose another place"));
        }
        let above = path.ancestors().filter(|folder| !folder.as_os_str().is_empty());
        let folder = Self { path: path.to_path_buf(), made: above.take_while(|folder| !folder.exists()).count() };
        if let Err(source) = fs::create_dir_all(path) {
            folder.abandon();
            return Err(Error::io("create", path, source).flag("--out"));
        }
        if !overwrite && !is_empty(path).map_err(|source| Error::io("read", path, source).flag("--out"))? {
            return Err(Error::input("the folder is not empty")
                .at(path)
                .flag("--out")
                .next("choose another, give --force to write into it, or --resume to go on with the run in it"));
        }
        match folder.probe() {
            Ok(()) => Ok(folder),
            Err(error) => {
                folder.abandon();
                Err(error)
            }
        }
    }

    /// A folder that a run has left, to draw from or to go on with.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Ok(Self { path: path.to_path_buf(), made: 0 }),
            Ok(_) => Err(Error::input("is a file, not a run folder").at(path).next("give the folder that holds it")),
            Err(source) => Err(Error::io("read", path, source)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of the file `name` in it; `name` may lie in a sub-folder (`figures/figure3.svg`).
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes the file `name` whole or not at all, and returns its path; a sub-folder in `name` is made.
    pub fn write_atomic(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.file(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|source| Error::io("create", parent, source))?;
        }
        write_atomic(&path, bytes)?;
        Ok(path)
    }

    /// Writes `spec.toml`.
    pub fn write_spec<S: Serialize>(&self, spec: &S) -> Result<PathBuf> {
        let text = toml::to_string(spec).map_err(|source| {
            Error::input(format!("the spec cannot be written as TOML: {source}"))
                .at(self.file(SPEC))
                .next("a path must be valid Unicode")
                .caused_by(source)
        })?;
        self.write_atomic(SPEC, text.as_bytes())
    }

    /// Reads `spec.toml`.
    pub fn read_spec<S: DeserializeOwned>(&self) -> Result<S> {
        let path = self.file(SPEC);
        let text = fs::read_to_string(&path).map_err(|source| Error::io("read", &path, source))?;
        toml::from_str(&text).map_err(|source| {
            let line = source.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let error = Error::input(format!("is not this command's spec: {}", source.message()))
                .at(&path)
                .next("give a folder that this command and version of fsa has written");
            match line {
                Some(line) => error.line(line),
                None => error,
            }
            .caused_by(source)
        })
    }

    /// Writes `run.json`.
    pub fn write_run(&self, run: &RunInfo) -> Result<PathBuf> {
        let mut text = serde_json::to_vec_pretty(run).map_err(|source| {
            Error::input(format!("the run description cannot be written as JSON: {source}"))
                .at(self.file(RUN))
                .next("a path must be valid Unicode")
                .caused_by(source)
        })?;
        text.push(b'\n');
        self.write_atomic(RUN, &text)
    }

    /// Reads `run.json`.
    pub fn read_run(&self) -> Result<RunInfo> {
        let path = self.file(RUN);
        let text = fs::read(&path).map_err(|source| Error::io("read", &path, source))?;
        serde_json::from_slice(&text).map_err(|source| {
            Error::input(format!("is not a run description: {source}"))
                .at(&path)
                .line(source.line())
                .next("give a folder that this version of fsa has written")
                .caused_by(source)
        })
    }

    /// Writes a few bytes and removes them: permissions, read-only mounts and a full disk show up here.
    fn probe(&self) -> Result<()> {
        let path = temporary(&self.file("probe"));
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(&[0; 512])?;
            file.sync_all()
        });
        let removed = fs::remove_file(&path);
        written.and(removed).map_err(|source| Error::io("write into", &self.path, source).flag("--out"))
    }

    /// Leaves no trace of a run that could not begin: removes the folders that this process made, if nothing is in them.
    pub fn abandon(self) {
        for folder in self.path.ancestors().take(self.made) {
            // Fails on a folder that holds anything, which is then somebody's.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Writes the file at `path` whole or not at all: into a file beside it, onto the disk, then moved into place.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    stream_atomic(path, |file| file.write_all(bytes))
}

/// As [`write_atomic`], for what is too much to be held at once: `write` is given the file.
pub fn stream_atomic(path: &Path, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let temporary = temporary(path);
    let written = File::create(&temporary)
        .and_then(|file| {
            let mut buffer = BufWriter::new(file);
            write(&mut buffer)?;
            buffer.into_inner()?.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if let Err(source) = written {
        // The write's error is the one to report, whether or not this removal works.
        let _ = fs::remove_file(&temporary);
        return Err(Error::io("write", path, source));
    }
    // The move itself reaches the disk with the folder. Not every system lets a folder be synchronised; the file is whole
    // either way.
    if let Some(parent) = path.parent() {
        let _ = File::open(parent).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// How temporary names end.
const TEMPORARY: &str = ".fsa-tmp";

/// The name beside `path` that it is written under; hidden, and one per file, so that a killed run leaves at most one and
/// the next overwrites it.
pub(super) fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}{TEMPORARY}"))
}

/// Whether nothing is in the folder but what a killed run was about to write.
fn is_empty(folder: &Path) -> std::io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if !(name.starts_with('.') && name.ends_with(TEMPORARY)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The name that a file of a temporary name is to have.
pub(super) fn permanent(temporary: &str) -> Option<&str> {
    temporary.strip_prefix('.').and_then(|name| name.strip_suffix(TEMPORARY))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::spec::{Estimand, Estimator, GradientAlign, ProbeSplit, Training};

    fn spec(seed: u64) -> GradientAlign {
        GradientAlign {
            model: "model".into(),
            task: "rte".into(),
            train: "train.tsv".into(),
            method: Vec::new(),
            sample: None,
            dev: None,
            adapter: None,
            checkpoints: None,
            strict: false,
            out: "out".into(),
            seed,
            threads: 1,
            steps: 4,
            probe_every: 2,
            probe_batches: 1,
            probe_split: ProbeSplit::Train,
            probe_dropout: false,
            shuffles: 1,
            estimators: Estimator::ALL.to_vec(),
            estimand: Estimand::PerBatch,
            training: Training::default(),
            stages: None,
        }
    }

    pub fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn makes_parents_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(dir.path().join("a/b"), false).unwrap();
        assert!(names(folder.path()).is_empty());
        let path = folder.write_atomic("figures/figure3.svg", b"<svg/>").unwrap();
        folder.write_atomic("figures/figure3.svg", b"<svg></svg>").unwrap();
        assert_eq!(fs::read(path).unwrap(), b"<svg></svg>");
        assert_eq!(names(&folder.file(FIGURES)), ["figure3.svg"]);
    }

    #[test]
    fn a_folder_with_anything_in_it_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("rows.jsonl"), "mine").unwrap();
        let error = RunFolder::create(dir.path(), false).unwrap_err().to_string();
        assert!(error.contains("--out") && error.contains("not empty") && error.contains("--resume"), "{error}");
        assert_eq!(names(dir.path()), ["rows.jsonl"]);
        assert_eq!(fs::read_to_string(dir.path().join("rows.jsonl")).unwrap(), "mine");
    }

    #[test]
    fn a_file_in_the_way_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "mine").unwrap();
        for path in [file.clone(), file.join("below")] {
            for force in [false, true] {
                let error = RunFolder::create(&path, force).unwrap_err().to_string();
                assert!(error.contains("--out"), "{error}");
            }
        }
        assert!(RunFolder::open(&file).is_err());
        assert!(RunFolder::open(dir.path().join("none")).unwrap_err().to_string().contains("check the path"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    }

    /// /proc accepts no new files from anyone, root included.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_unwritable_place_is_an_error_at_once() {
        let error = RunFolder::create("/proc/self", true).unwrap_err().to_string();
        assert!(error.contains("cannot write into it") && error.contains("--out"), "{error}");
    }

    #[test]
    fn spec_reads_back_and_a_broken_one_names_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(dir.path(), false).unwrap();
        for seed in [u64::MAX, 7] {
            folder.write_spec(&spec(seed)).unwrap();
            assert_eq!(folder.read_spec::<GradientAlign>().unwrap(), spec(seed));
        }
        let text = fs::read_to_string(folder.file(SPEC)).unwrap().replace("seed = 7", "seed = \"seven\"");
        let line = text.lines().position(|line| line.starts_with("seed")).unwrap() + 1;
        folder.write_atomic(SPEC, text.as_bytes()).unwrap();
        let error = folder.read_spec::<GradientAlign>().unwrap_err().to_string();
        assert!(error.contains(&format!("spec.toml:{line}:")), "{error}");
    }
}
