//! A folder of checkpoints that another trainer wrote: `checkpoint-100`, `checkpoint-200`, …

use std::path::{Path, PathBuf};

use super::Probes;
use crate::error::{Error, Kind, Result};
use crate::experiment::Events;
use crate::experiment::fine_tune::Probing;
use crate::model::{self, T5};
use crate::report::run_info::{HashedFile, hash_file};

/// One of them.
pub(super) struct Found {
    pub step: u64,
    path: PathBuf,
}

/// What a folder holds.
pub(super) struct Listing {
    /// By rising step.
    pub checkpoints: Vec<Found>,
    /// What is odd about it, a line each.
    pub warnings: Vec<String>,
    /// How many entries are not checkpoints, or are missing.
    pub skipped: usize,
}

impl Listing {
    /// How many entries are left out, with the checkpoints that were not `measured`.
    pub fn left_out(&self, measured: impl Fn(u64) -> bool) -> usize {
        self.skipped + self.checkpoints.iter().filter(|found| !measured(found.step)).count()
    }
}

/// Lists the checkpoints in `dir`.
///
/// # Errors
/// If the folder cannot be read or holds none.
pub(super) fn list(dir: &Path) -> Result<Listing> {
    let read_error = |error| Error::io("read", dir, error).flag("--checkpoints");
    let mut checkpoints = Vec::new();
    let mut foreign = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(read_error)? {
        let entry = entry.map_err(read_error)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let step = name.strip_prefix("checkpoint-").and_then(|step| step.parse().ok());
        // `checkpoint-08` would be a second one of step 8.
        let plain = |step: &u64| name == format!("checkpoint-{step}") && entry.path().is_dir();
        match step.filter(plain) {
            Some(step) => checkpoints.push(Found { step, path: entry.path() }),
            None => foreign.push(name),
        }
    }
    checkpoints.sort_by_key(|found| found.step);
    if checkpoints.is_empty() {
        return Err(Error::input("it has no checkpoint-N folder in it")
            .at(dir)
            .flag("--checkpoints")
            .next("give the output folder of the trainer"));
    }
    foreign.sort();
    let mut warnings = Vec::new();
    if !foreign.is_empty() {
        warnings.push(format!("{}: skipped what is no checkpoint: {}", dir.display(), foreign.join(", ")));
    }
    let steps: Vec<u64> = checkpoints.iter().map(|found| found.step).collect();
    let missing = gaps(&steps);
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(|step| format!("checkpoint-{step}")).collect();
        warnings.push(format!("{}: missing in the series: {}", dir.display(), names.join(", ")));
    }
    Ok(Listing { checkpoints, warnings, skipped: foreign.len() + missing.len() })
}

impl Found {
    /// Its model; that of `base` if it cannot be loaded.
    pub fn load_or(&self, base: &Path) -> Result<T5> {
        model::load_checkpoint(&self.path, base).or_else(|_| model::load(base)).map(|(model, _)| model)
    }

    /// Its files with weights, hashed, so that a run that goes on sees whether they changed.
    pub fn hashes(&self) -> Result<Vec<HashedFile>> {
        let read_error = |error| Error::io("read", &self.path, error);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(read_error)? {
            let path = entry.map_err(read_error)?.path();
            if path.extension().is_some_and(|extension| extension == "safetensors") && path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        files.iter().map(|path| hash_file(path)).collect()
    }
}

/// Steps that are missing from a series of equal distances: the smallest distance is taken for the series' own. An irregular
/// series has no gaps.
fn gaps(steps: &[u64]) -> Vec<u64> {
    const MOST: usize = 100;
    let distances: Vec<u64> = steps.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let Some(smallest) = distances.iter().copied().min().filter(|&distance| distance > 0) else { return Vec::new() };
    // The last checkpoint of a run often stands alone.
    let inner = &distances[..distances.len() - 1];
    if inner.iter().any(|distance| distance % smallest != 0) {
        return Vec::new();
    }
    let missing = steps.windows(2).filter(|pair| (pair[1] - pair[0]) % smallest == 0);
    missing.flat_map(|pair| (pair[0] + smallest..pair[1]).step_by(smallest as usize)).take(MOST).collect()
}

/// Measures each, from the smallest step on; what cannot be loaded is warned of, skipped and counted.
pub(super) fn measure(
    listing: &Listing,
    model_dir: &Path,
    probes: &mut Probes,
    skipped: &mut usize,
    events: &mut dyn Events,
) -> Result<()> {
    let units = probes.units();
    let mut done = listing.checkpoints.iter().filter(|found| probes.has(found.step)).count() as u64 * units;
    events.begin(listing.checkpoints.len() as u64 * units, done);
    let mut measured = done > 0;
    for found in &listing.checkpoints {
        let name = found.path.display();
        if probes.has(found.step) {
            // Rows rise in steps, so that what an earlier part of the run left out stays out.
            if !probes.rows.measured(found.step) {
                events.warn(&format!(
                    "{name} was skipped: it could not be measured before the run was resumed; start anew to try it again"
                ));
                *skipped += 1;
            }
            continue;
        }
        let loaded = model::load_checkpoint(&found.path, model_dir);
        // One with a config of its own may be of another model.
        let model = match loaded.and_then(|(model, _)| probes.fits(&model).map(|()| model)) {
            Ok(model) => model,
            Err(error) => {
                events.warn(&format!("{name} was skipped: {error}"));
                *skipped += 1;
                done += units;
                continue;
            }
        };
        let before = done;
        let result = probes.probe(&model, found.step, &mut |what| {
            events.advance(done, &format!("checkpoint-{}: {what}", found.step));
            done += 1;
            match events.interrupted() {
                true => Err(Error::interrupted(format!("stopped at checkpoint-{}", found.step))
                    .next("go on with --resume; rows and tables so far are complete")),
                false => Ok(()),
            }
        });
        match result {
            Ok(()) => measured = true,
            // Weights that are not numbers belong to this checkpoint and not to the others.
            Err(error) if error.kind() == Kind::Check => {
                events.warn(&format!("{name} was skipped: {error}"));
                *skipped += 1;
                done = before + units;
            }
            Err(error) => return Err(error),
        }
        events.advance(done, &format!("measured checkpoint-{}", found.step));
    }
    match measured {
        true => Ok(()),
        false => Err(Error::input("none of its checkpoints could be measured")
            .flag("--checkpoints")
            .next("look at the warnings above")),
    }
}

#[cfg(test)]
mod tests {
    use super::gaps;

    #[test]
    fn a_gap_is_a_missing_multiple() {
        assert_eq!(gaps(&[100, 200, 400, 500]), [300]);
        assert_eq!(gaps(&[100, 200, 300]), [] as [u64; 0]);
        // The last one of a run of 1037 steps.
        assert_eq!(gaps(&[500, 1000, 1037]), [] as [u64; 0]);
        assert_eq!(gaps(&[100, 225, 300]), [] as [u64; 0]);
        assert_eq!(gaps(&[7]), [] as [u64; 0]);
    }
}
