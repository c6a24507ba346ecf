//! A trainer's output folder: `checkpoint-100`, `checkpoint-200`, … It must not know what is in them.

use std::path::{Path, PathBuf};

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Series {
    /// The checkpoints' folders with their steps, by rising step.
    pub checkpoints: Vec<(u64, PathBuf)>,
    /// Names of what else is there, sorted.
    pub foreign: Vec<String>,
}

impl Series {
    /// That in `dir`; without checkpoints, if it holds none.
    pub fn in_folder(dir: &Path) -> std::io::Result<Self> {
        let mut series = Self::default();
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let step: Option<u64> = name.strip_prefix("checkpoint-").and_then(|step| step.parse().ok());
            // `checkpoint-08` would be a second one of step 8.
            let plain = |step: &u64| name == format!("checkpoint-{step}") && entry.path().is_dir();
            match step.filter(plain) {
                Some(step) => series.checkpoints.push((step, entry.path())),
                None => series.foreign.push(name),
            }
        }
        series.checkpoints.sort();
        series.foreign.sort();
        Ok(series)
    }
}
