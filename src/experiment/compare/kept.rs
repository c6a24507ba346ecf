//! The checkpoint of a stage that is kept, `kept-N`: a folder that transformers loads, with a soft prompt or LoRA in PEFT's layout
//! in `adapter/`; where the model's own parameters were frozen, the adapter alone. Written beside and renamed into place.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::model::peft::{is_adapter, read_adapter};
use crate::model::{self, T5};
use crate::model_folder;
use crate::spec::method::Trained;

const PREFIX: &str = "kept-";
const UNFINISHED: &str = ".unfinished";
const ADAPTER: &str = "adapter";
const WEIGHTS: &str = "model.safetensors";
/// What transformers wants beside the weights, as far as the model that training began with has it.
const BESIDE: [&str; 7] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "spiece.model",
    "added_tokens.json",
];

/// A kept checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub path: PathBuf,
    /// Optimizer steps of its stage.
    pub step: u64,
}

impl Kept {
    /// That of `step` in the stage's folder `dir`.
    pub fn at(dir: &Path, step: u64) -> Self {
        Self { path: dir.join(format!("{PREFIX}{step}")), step }
    }

    /// The folder of its soft prompt or LoRA.
    pub fn adapter(&self) -> PathBuf {
        self.path.join(ADAPTER)
    }

    /// Writes `model`, of which a stage trained what `trained` says, unless it is there: one that has its name is whole, and a
    /// step has but one state. `base` is the folder that training began with; the model is written `whole` where that holds another.
    ///
    /// # Errors
    /// If the disk does not take it; others then stay.
    pub fn save(&self, model: &T5, trained: Trained, base: &Path, whole: bool) -> Result<()> {
        if self.path.exists() {
            return Ok(());
        }
        let unfinished = self.path.with_file_name(format!("{PREFIX}{}{UNFINISHED}", self.step));
        let io = |verb: &'static str| {
            let unfinished = unfinished.clone();
            move |error| Error::io(verb, &unfinished, error)
        };
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(io("remove"))?;
        }
        fs::create_dir_all(&unfinished).map_err(io("create"))?;
        let write = |path: PathBuf, bytes: &[u8]| -> Result<()> {
            fs::write(&path, bytes)
                .and_then(|()| fs::File::open(&path)?.sync_all())
                .map_err(|error| Error::io("write", &path, error))
        };
        let whole = whole || trained != Trained::Attached;
        if whole {
            for name in BESIDE {
                match model_folder::read(base, name) {
                    Ok(bytes) => write(unfinished.join(name), &bytes)?,
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(Error::io("read", base.join(name), error)),
                }
            }
            let weights = unfinished.join(WEIGHTS);
            model.write_safetensors(&weights)?;
            fs::File::open(&weights)
                .and_then(|file| file.sync_all())
                .map_err(|error| Error::io("write", &weights, error))?;
        }
        // The adapter belongs to the weights beside it, if there are any.
        let base_name = if whole { "..".to_string() } else { base.display().to_string() };
        let files = model.adapter_files(&base_name)?;
        if !files.is_empty() {
            let adapter = unfinished.join(ADAPTER);
            fs::create_dir_all(&adapter).map_err(io("create"))?;
            files.iter().try_for_each(|(name, bytes)| write(adapter.join(name), bytes))?;
        }
        fs::rename(&unfinished, &self.path).map_err(|error| Error::io("write", &self.path, error))
    }

    /// The model in it, with what is attached; `base` is the folder that training began with.
    pub fn load(&self, base: &Path) -> Result<T5> {
        let own = self.path.join(WEIGHTS).is_file();
        let (model, _) = if own { model::load_checkpoint(&self.path, base)? } else { model::load(base)? };
        let adapter = self.adapter();
        if is_adapter(&adapter) { model.with_adapter(read_adapter(&adapter)?) } else { Ok(model) }
    }

    /// Removes every other one in the same folder, unfinished ones too.
    pub fn remove_others(&self) -> Result<()> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        remove(dir, |path| path != self.path)
    }
}

/// Removes every kept checkpoint in `dir`.
pub(super) fn remove_all(dir: &Path) -> Result<()> {
    remove(dir, |_| true)
}

fn remove(dir: &Path, which: impl Fn(&Path) -> bool) -> Result<()> {
    let entries = fs::read_dir(dir).map_err(|error| Error::io("read", dir, error))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(step) = name.strip_prefix(PREFIX) else { continue };
        let known = step.strip_suffix(UNFINISHED).unwrap_or(step).parse::<u64>().is_ok();
        if !known || !which(&path) {
            continue;
        }
        // Takes its name away first: a kill on the way leaves no part of one under the name of a whole one.
        let unfinished = path.with_file_name(format!("{}{UNFINISHED}", name.trim_end_matches(UNFINISHED)));
        let removed = match path == unfinished {
            true => fs::remove_dir_all(&path),
            false => {
                let _ = fs::remove_dir_all(&unfinished);
                fs::rename(&path, &unfinished).and_then(|()| fs::remove_dir_all(&unfinished))
            }
        };
        removed.map_err(|error| Error::io("remove", &path, error))?;
    }
    Ok(())
}
