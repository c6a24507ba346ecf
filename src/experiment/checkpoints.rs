//! A folder of checkpoints that another trainer wrote: `checkpoint-100`, `checkpoint-200`, …

use std::path::{Path, PathBuf};

use super::Events;
use super::attachment::{Attachment, attached};
use super::fine_tune::Probing;
use crate::error::{Error, Kind, Result};
use crate::model::given::other_bases;
use crate::model::peft::{self, is_adapter, read_adapter};
use crate::model::series::Series;
use crate::model::{self, T5};
use crate::report::run_info::{HashedFile, hash_bytes, hash_file};

/// What a command measures of each, by rising step.
pub(super) trait Measuring: Probing {
    /// Whether there are rows of exactly this step.
    fn measured(&self, step: u64) -> bool;

    /// Errors if what `model` is asked has ids that it does not have.
    fn fits(&self, model: &T5) -> Result<()>;
}

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
    /// The steps that there are checkpoints of.
    pub fn steps(&self) -> Vec<u64> {
        self.checkpoints.iter().map(|found| found.step).collect()
    }

    /// Every file with weights, hashed, so that a run that goes on sees whether they changed.
    pub fn hashes(&self) -> Result<Vec<HashedFile>> {
        Ok(self.checkpoints.iter().map(Found::hashes).collect::<Result<Vec<_>>>()?.concat())
    }

    /// How many entries are left out, with the checkpoints that were not `measured`.
    pub fn left_out(&self, measured: impl Fn(u64) -> bool) -> usize {
        self.skipped + self.checkpoints.iter().filter(|found| !measured(found.step)).count()
    }
}

/// Lists the checkpoints in `dir`, which are of the model in `base`.
///
/// # Errors
/// If the folder cannot be read or holds none.
pub(super) fn list(dir: &Path, base: &Path) -> Result<Listing> {
    let read_error = |error| Error::io("read", dir, error).flag("--checkpoints");
    let Series { checkpoints, foreign } = Series::in_folder(dir).map_err(read_error)?;
    let checkpoints: Vec<Found> = checkpoints.into_iter().map(|(step, path)| Found { step, path }).collect();
    if checkpoints.is_empty() {
        return Err(Error::input("it has no checkpoint-N folder in it")
            .at(dir)
            .flag("--checkpoints")
            .next("give the output folder of the trainer"));
    }
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
    let adapters = checkpoints.iter().map(|found| found.path.as_path()).filter(|path| is_adapter(path));
    warnings.extend(other_bases(adapters, base));
    Ok(Listing { checkpoints, warnings, skipped: foreign.len() + missing.len() })
}

/// What the checkpoints are of.
pub(super) struct Base<'a> {
    dir: &'a Path,
    /// What goes with each, unless it is an adapter itself.
    attachment: Option<&'a Attachment>,
    /// The model in it, once it was asked for: a series of adapters shares its weights.
    bare: Option<T5>,
}

impl<'a> Base<'a> {
    /// The model in `dir`.
    pub fn new(dir: &'a Path, attachment: Option<&'a Attachment>) -> Self {
        Self { dir, attachment, bare: None }
    }

    /// It, with what goes with it.
    pub fn load(&self) -> Result<T5> {
        attached(model::load(self.dir)?.0, self.attachment)
    }

    fn bare(&mut self) -> Result<&T5> {
        let loaded = self.bare.take().map_or_else(|| model::load(self.dir).map(|(model, _)| model), Ok)?;
        Ok(self.bare.insert(loaded))
    }
}

impl Found {
    /// Its model: its own weights, or an adapter attached to those of `base`.
    pub fn load(&self, base: &mut Base) -> Result<T5> {
        if !is_adapter(&self.path) {
            return attached(model::load_checkpoint(&self.path, base.dir)?.0, base.attachment);
        }
        if base.attachment.is_some() {
            return Err(Error::input("it is an adapter itself").at(&self.path).flag("--adapter").next("leave it out"));
        }
        base.bare()?.with_adapter(read_adapter(&self.path)?).map_err(|error| error.at(&self.path))
    }

    fn hashes(&self) -> Result<Vec<HashedFile>> {
        let read_error = |error| Error::io("read", &self.path, error);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(read_error)? {
            let path = entry.map_err(read_error)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // Not `training_args.bin` and the like.
            let is_pickled =
                name.ends_with(".bin") && ["pytorch_model", "adapter_model"].iter().any(|it| name.starts_with(it));
            if (name.ends_with(".safetensors") || is_pickled || name == peft::CONFIG) && path.is_file() {
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

/// What a signature says of the checkpoints whose files are `series`; a plan has hashed none.
pub(super) fn signature(series: &[HashedFile]) -> String {
    if series.is_empty() {
        return "checkpoints".to_string();
    }
    let all: String = series.iter().map(|file| file.sha256.as_str()).collect();
    let hash = hash_bytes("".as_ref(), all.as_bytes()).sha256;
    format!("checkpoints:{}", hash.chars().take(12).collect::<String>())
}

/// Errors if entries of `dir` were `skipped` though `strict` asks for all.
pub(super) fn refuse_skipped(dir: &Path, strict: bool, skipped: usize) -> Result<()> {
    match (strict, skipped) {
        (true, 1..) => Err(Error::check(format!("entries that could not be measured: {skipped} (--strict)"))
            .at(dir)
            .next("look at the warnings above; the rows of all others are complete")),
        _ => Ok(()),
    }
}

/// Measures each, from the smallest step on; what cannot be loaded is warned of, skipped and counted.
pub(super) fn measure(
    listing: &Listing,
    base: &mut Base,
    probes: &mut impl Measuring,
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
            if !probes.measured(found.step) {
                events.warn(&format!(
                    "{name} was skipped: it could not be measured before the run was resumed; start anew to try it again"
                ));
                *skipped += 1;
            }
            continue;
        }
        // One with a config of its own may be of another model.
        let model = match found.load(base).and_then(|model| probes.fits(&model).map(|()| model)) {
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
