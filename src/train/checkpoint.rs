//! Checkpoints of a run: weights, optimizer state and step in `checkpoint-N/`, written beside and renamed into place, so that a
//! kill at any moment leaves either the old one or the new one whole. Random streams need no saving: each is a function of
//! seed and step.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Trainer;
use super::trainer::Losses;
use crate::error::{Error, Result};
use crate::model::{T5, Values, Weights, read, update, values, write};

/// A checkpoint on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its folder.
    pub path: PathBuf,
    /// Optimizer steps taken when it was written.
    pub step: u64,
}

#[derive(Serialize, Deserialize)]
struct TrainerState {
    step: u64,
    #[serde(default)]
    losses: Losses,
}

const WEIGHTS: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const STATE: &str = "trainer_state.json";
const PREFIX: &str = "checkpoint-";
const UNFINISHED: &str = ".unfinished";

impl Checkpoint {
    /// Writes the state of `trainer` and `model` into `dir` as `checkpoint-N`, then removes older ones.
    ///
    /// # Errors
    /// If the disk does not take it; an older checkpoint then stays.
    pub fn save(dir: &Path, model: &T5, trainer: &Trainer) -> Result<Self> {
        let step = trainer.steps();
        let path = dir.join(format!("{PREFIX}{step}"));
        let this = Self { path, step };
        // A checkpoint that has its name is whole, and a step has but one state.
        if this.path.exists() {
            return Ok(this);
        }
        let unfinished = dir.join(format!("{PREFIX}{step}{UNFINISHED}"));
        let io = |verb: &'static str| {
            let unfinished = unfinished.clone();
            move |error| Error::io(verb, &unfinished, error)
        };
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(io("remove"))?;
        }
        fs::create_dir_all(&unfinished).map_err(io("create"))?;
        let params = model.params().iter().map(|param| (param.name().to_string(), param));
        write(&unfinished.join(WEIGHTS), values(params)?, None)?;
        let state = trainer.optimizer().state();
        let state = state.map(|(name, values)| (name, Values::of(&[values.len()], values)));
        write(&unfinished.join(OPTIMIZER), state, None)?;
        let json = serde_json::to_vec(&TrainerState { step, losses: trainer.losses() })
            .map_err(|error| Error::check(format!("internal: {error}")).caused_by(error))?;
        fs::write(unfinished.join(STATE), json).map_err(io("write"))?;
        for file in [WEIGHTS, OPTIMIZER, STATE] {
            fs::File::open(unfinished.join(file)).and_then(|file| file.sync_all()).map_err(io("write"))?;
        }
        fs::rename(&unfinished, &this.path).map_err(|error| Error::io("write", &this.path, error))?;
        for other in Self::all(dir)? {
            if other != this {
                other.remove()?;
            }
        }
        Ok(this)
    }

    /// The newest whole checkpoint in `dir`.
    pub fn newest(dir: &Path) -> Result<Option<Self>> {
        Ok(Self::all(dir)?.into_iter().max_by_key(|checkpoint| checkpoint.step))
    }

    fn all(dir: &Path) -> Result<Vec<Self>> {
        let entries = fs::read_dir(dir).map_err(|error| Error::io("read", dir, error))?;
        let mut all = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| Error::io("read", dir, error))?;
            let name = entry.file_name();
            let step = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
            if let Some(step) = step {
                all.push(Self { path: entry.path(), step });
            }
        }
        Ok(all)
    }

    /// Removes every checkpoint in `dir`, unfinished ones too.
    pub fn remove_all(dir: &Path) -> Result<()> {
        Self::all(dir)?.iter().try_for_each(Self::remove)?;
        let entries = fs::read_dir(dir).map_err(|error| Error::io("read", dir, error))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with(PREFIX) && name.ends_with(UNFINISHED) {
                fs::remove_dir_all(&path).map_err(|error| Error::io("remove", &path, error))?;
            }
        }
        Ok(())
    }

    /// Takes its name away first, so that a kill on the way leaves no part of a checkpoint under the name of a whole one.
    fn remove(&self) -> Result<()> {
        let unfinished = self.path.with_file_name(format!("{PREFIX}{}{UNFINISHED}", self.step));
        let remove = || {
            if unfinished.exists() {
                fs::remove_dir_all(&unfinished)?;
            }
            fs::rename(&self.path, &unfinished)?;
            fs::remove_dir_all(&unfinished)
        };
        remove().map_err(|error| Error::io("remove", &self.path, error))
    }

    /// Puts the state back into `model` and `trainer`.
    ///
    /// # Errors
    /// If the checkpoint is damaged or belongs to another model.
    pub fn restore(&self, model: &T5, trainer: &mut Trainer) -> Result<()> {
        let path = self.path.join(STATE);
        let text = fs::read_to_string(&path).map_err(|error| Error::io("read", &path, error))?;
        let state: TrainerState = serde_json::from_str(&text)
            .map_err(|error| Error::input(format!("it is damaged: {error}")).at(&path).caused_by(error))?;
        let weights = Weights::open(&self.path)?;
        for param in model.params().iter() {
            let saved = weights.tensor(param.name(), param.value().dims())?;
            let saved = read(&saved)?;
            update(param.value(), |values| values.copy_from_slice(&saved))?;
        }
        let optimizer = Weights::open_file(self.path.join(OPTIMIZER))?;
        let saved: BTreeMap<String, Vec<f32>> = optimizer
            .names()
            .map(|name| Ok((name.to_string(), read(&optimizer.vector(name)?)?.to_vec())))
            .collect::<Result<_>>()?;
        trainer.restore_losses(state.losses);
        trainer.optimizer_mut().restore(state.step, saved)
    }
}
