//! What there is to say of adapters and of checkpoints.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::Result;
use crate::model::T5Config;
use crate::model::peft::{self, Adapter, is_adapter, read_adapter};
use crate::model::weights::describe::{Stored, StoredFile};

/// An adapter.
#[derive(Debug, Serialize)]
pub struct AdapterFacts {
    /// Its folder.
    pub path: PathBuf,
    /// `soft prompt` or `LoRA`.
    pub kind: &'static str,
    /// Rows of a soft prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
    /// Numbers in each of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Rank of LoRA's matrices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// What their products are multiplied by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// How many linear maps they are added to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maps: Option<usize>,
    /// The last parts of those maps' names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Numbers in it.
    pub params: u64,
    /// Its file of tensors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<StoredFile>,
    /// The dtypes in it.
    pub dtypes: Vec<Stored>,
    /// What it calls its base model; none if it names none.
    pub base: Option<String>,
    /// That model's folder; none if it is not here.
    pub base_path: Option<PathBuf>,
}

impl AdapterFacts {
    pub(super) fn of(
        dir: &Path,
        base: Option<&Path>,
        config: Option<&T5Config>,
        problems: &mut Vec<String>,
    ) -> Result<Self> {
        let adapter = read_adapter(dir)?;
        if let Some(config) = config
            && let Err(error) = adapter.check(config)
        {
            problems.push(error.at(dir).to_string());
        }
        let (files, dtypes) = peft::stored(dir)?;
        let mut facts = Self {
            path: dir.to_path_buf(),
            kind: "soft prompt",
            rows: None,
            width: None,
            rank: None,
            scale: None,
            maps: None,
            targets: Vec::new(),
            params: 0,
            files,
            dtypes,
            base: peft::base_name(dir)?,
            base_path: base.map(Path::to_path_buf),
        };
        match adapter {
            Adapter::Prompt(values) => {
                let (rows, width) = values.dims2()?;
                (facts.rows, facts.width, facts.params) = (Some(rows), Some(width), (rows * width) as u64);
            }
            Adapter::Lora(pairs, scale) => {
                facts.kind = "LoRA";
                facts.scale = Some(scale);
                facts.maps = Some(pairs.len());
                facts.rank = pairs.first().map(|(_, a, _)| a.dim(0)).transpose()?;
                facts.params = pairs.iter().map(|(_, a, b)| (a.elem_count() + b.elem_count()) as u64).sum();
                let last = |module: &String| module.rsplit('.').next().unwrap_or_default().to_string();
                facts.targets = pairs.iter().map(|(module, ..)| last(module)).collect();
                facts.targets.sort();
                facts.targets.dedup();
            }
        }
        Ok(facts)
    }
}

/// A checkpoint of a trainer.
#[derive(Debug, Serialize)]
pub struct Checkpoint {
    /// Its step.
    pub step: u64,
    /// `model`, `soft prompt`, `LoRA`; none if it cannot be read.
    pub kind: Option<&'static str>,
}

impl Checkpoint {
    /// That in `dir`.
    pub(super) fn of(step: u64, dir: &Path, problems: &mut Vec<String>) -> Self {
        let kind = match is_adapter(dir) {
            true => read_adapter(dir).map(|adapter| match adapter {
                Adapter::Prompt(_) => "soft prompt",
                Adapter::Lora(..) => "LoRA",
            }),
            false => crate::model::survey::has_weights(dir).map(|()| "model"),
        };
        Self { step, kind: kind.map_err(|error| problems.push(error.to_string())).ok() }
    }
}
