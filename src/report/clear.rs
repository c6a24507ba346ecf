//! Clearing a run folder for another run: removes what fsa has written into it and nothing else.

use std::fs::{self, FileType};
use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf};

use super::files::{FIGURES, MODEL, OUTPUTS, is_output, is_output_step, written};
use super::folder::{RunFolder, permanent, temporary};
use crate::error::{Error, Result};

impl RunFolder {
    /// Removes the files that fsa itself writes, whichever command ([`files`](super::files) names them), so that no result of
    /// an earlier run stands beside the new ones. Nothing else is touched: `spec.toml` stays until [`RunFolder::write_spec`]
    /// replaces it, so that a run killed in between can be resumed.
    pub fn clear(&self) -> Result<()> {
        for name in written() {
            let path = self.file(&name);
            remove(&temporary(&path))?;
            remove(&path)?;
        }
        let outputs = self.file(OUTPUTS);
        for (step, kind) in entries(&outputs)? {
            // Not through a link: what is behind it is somebody else's.
            if !kind.is_dir() || !file_name(&step).is_some_and(is_output_step) {
                continue;
            }
            for (file, kind) in entries(&step)? {
                let name = file_name(&file).map(|name| permanent(name).unwrap_or(name));
                if !kind.is_dir() && name.is_some_and(is_output) {
                    remove(&file)?;
                }
            }
            let _ = fs::remove_dir(&step);
        }
        // Succeeds only on an empty folder: a user's own file in it keeps it.
        let _ = fs::remove_dir(outputs);
        let _ = fs::remove_dir(self.file(FIGURES));
        let _ = fs::remove_dir(self.file(MODEL));
        Ok(())
    }
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(source) if !absent(&source) => Err(Error::io("replace", path, source).flag("--force")),
        _ => Ok(()),
    }
}

/// What a folder that may not be there holds.
fn entries(path: &Path) -> Result<Vec<(PathBuf, FileType)>> {
    let list =
        || fs::read_dir(path)?.map(|entry| entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))).collect();
    match list() {
        Err(source) if absent(&source) => Ok(Vec::new()),
        found => found.map_err(|source| Error::io("read", path, source).flag("--force")),
    }
}

fn absent(error: &IoError) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn file_name(path: &Path) -> Option<&str> {
    path.file_name().and_then(|name| name.to_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::files::output;
    use crate::report::folder::tests::names;

    #[test]
    fn force_removes_only_what_fsa_writes() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["figures", "model"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        let others = ["notes.csv", "figures/mine.svg", ".rows.jsonl.fsa-tmp"].map(String::from);
        for name in written().chain(others) {
            fs::write(dir.path().join(name), "text").unwrap();
        }
        RunFolder::create(dir.path(), true).unwrap().clear().unwrap();
        assert_eq!(names(dir.path()), ["figures", "notes.csv"]);
        assert_eq!(names(&dir.path().join("figures")), ["mine.svg"]);
        fs::remove_file(dir.path().join("figures/mine.svg")).unwrap();
        RunFolder::create(dir.path(), true).unwrap().clear().unwrap();
        assert_eq!(names(dir.path()), ["notes.csv"]);
    }

    #[test]
    fn force_removes_outputs_but_no_file_of_the_user_beside_them() {
        let dir = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(dir.path(), false).unwrap();
        for step in 0..40 {
            for task in ["trivia_qa", "a/b"] {
                folder.write_atomic(&output(step, task, 1), b"{}").unwrap();
            }
        }
        folder.write_atomic("outputs/step-0/.trivia_qa-1shot.jsonl.fsa-tmp", b"{}").unwrap();
        for mine in ["outputs/step-7/notes.txt", "outputs/step-x/rte-1shot.jsonl", "outputs/rte-1shot.jsonl"] {
            folder.write_atomic(mine, b"mine").unwrap();
        }
        folder.clear().unwrap();
        assert_eq!(names(&folder.file(OUTPUTS)), ["rte-1shot.jsonl", "step-7", "step-x"]);
        assert_eq!(names(&folder.file("outputs/step-7")), ["notes.txt"]);
        assert_eq!(names(&folder.file("outputs/step-x")), ["rte-1shot.jsonl"]);
        fs::remove_dir_all(folder.file(OUTPUTS)).unwrap();
        folder.write_atomic(&output(5, "rte", 0), b"{}").unwrap();
        folder.clear().unwrap();
        assert!(names(dir.path()).is_empty());
        fs::write(folder.file(OUTPUTS), "mine").unwrap();
        folder.clear().unwrap();
        assert_eq!(names(dir.path()), [OUTPUTS]);
    }

    #[cfg(unix)]
    #[test]
    fn force_removes_nothing_behind_a_link() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = RunFolder::create(dir.path(), false).unwrap();
        fs::write(other.path().join("rte-1shot.jsonl"), "mine").unwrap();
        fs::create_dir(folder.file(OUTPUTS)).unwrap();
        std::os::unix::fs::symlink(other.path(), folder.file("outputs/step-0")).unwrap();
        folder.clear().unwrap();
        assert_eq!(names(other.path()), ["rte-1shot.jsonl"]);
    }
}
