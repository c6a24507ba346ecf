//! `fsa inspect`: what a model's folder is, what is in it, what is wrong with it, and what fsa can do with it. Values are not read:
//! headers and descriptions say it.

mod adapter;
mod model;
mod use_of;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use self::adapter::{AdapterFacts, Checkpoint};
pub use self::model::{Architecture, Block, Tensors, WeightFiles};
pub use self::use_of::Memory;
use crate::error::{Error, Result};
use crate::model::T5Config;
use crate::model::given::{self, Given};
use crate::model::peft::is_adapter;
use crate::model::series::Series;
use crate::model_folder;
use crate::spec::is_mini;
use crate::tokenizer::Tokenizer;
use crate::tokenizer::describe::Description;

/// What is known of a folder.
#[derive(Debug, Serialize)]
pub struct Inspected {
    /// As given.
    pub path: PathBuf,
    /// What has to be said beside every number of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// The soft prompt or LoRA, where the folder is an adapter's or one was given beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapter: Option<AdapterFacts>,
    /// A trainer's checkpoints in the folder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checkpoints: Vec<Checkpoint>,
    /// The model: the folder's own, or the adapter's base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
    /// What fsa cannot do something because of, a line each.
    pub problems: Vec<String>,
    /// Commands that take it.
    pub usable_by: Vec<&'static str>,
}

/// A model.
#[derive(Debug, Serialize)]
pub struct Model {
    /// Its folder.
    pub path: PathBuf,
    /// Its config.
    pub architecture: Architecture,
    /// Its files of weights; none if there are none that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightFiles>,
    /// Its parameters by layer, as the config has them.
    pub blocks: Vec<Block>,
    /// Numbers in all of them.
    pub params: u64,
    /// MiB that they take in float32.
    pub mib: f64,
    /// Its tokenizer; none if there is none that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<TokenizerFacts>,
    /// What training and alignment would need.
    pub memory: Vec<Memory>,
}

/// A model's tokenizer.
#[derive(Debug, Serialize)]
pub struct TokenizerFacts {
    /// The file it is read from.
    pub file: String,
    /// It.
    #[serde(flatten)]
    pub description: Description,
    /// Rows of the model's embedding.
    pub embedding_rows: usize,
    /// Rows behind the largest id; negative if ids have no row.
    pub spare_rows: i64,
}

/// Looks at the folder `path`, with the adapter in `adapter` if one is given.
///
/// # Errors
/// If there is no such folder, or it holds no model, adapter or checkpoints of a kind that fsa knows.
pub fn run(path: &Path, adapter: Option<&Path>) -> Result<Inspected> {
    model_folder::refuse_missing(path).map_err(|error| error.flag("MODEL"))?;
    let mut problems = Vec::new();
    let checkpoints = checkpoints(path, &mut problems)?;
    let own = is_mini(path) || model_folder::on_disk(path).join("config.json").exists();
    let its_adapter = !is_mini(path) && is_adapter(path);
    let mut inspected = Inspected {
        path: path.to_path_buf(),
        note: model_folder::note(path),
        adapter: None,
        checkpoints,
        model: None,
        problems: Vec::new(),
        usable_by: Vec::new(),
    };
    if own || its_adapter || inspected.checkpoints.is_empty() {
        let base = match its_adapter {
            true => match given::resolve(path.to_path_buf(), adapter.map(Path::to_path_buf)) {
                Ok(Given { model, .. }) => model_folder::refuse_missing(&model)
                    .map_err(|error| problems.push(error.to_string()))
                    .ok()
                    .map(|()| model),
                Err(error) if adapter.is_some() => return Err(error),
                Err(error) => {
                    problems.push(error.to_string());
                    None
                }
            },
            false => Some(path.to_path_buf()),
        };
        let config = base.as_deref().map(T5Config::read).transpose()?;
        if let Some(dir) = if its_adapter { Some(path) } else { adapter } {
            inspected.adapter = Some(AdapterFacts::of(dir, base.as_deref(), config.as_ref(), &mut problems)?);
        }
        if let (Some(base), Some(config)) = (base, config) {
            inspected.model = Some(Model::of(&base, &config, &mut problems)?);
        }
    }
    inspected.usable_by = use_of::commands(&inspected, problems.is_empty());
    inspected.problems = problems;
    Ok(inspected)
}

impl Inspected {
    /// Errors if the folder cannot be used for all that it is meant for.
    ///
    /// # Errors
    /// Of [`crate::Kind::Check`], with the number of problems.
    pub fn check(&self) -> Result<()> {
        match &self.problems[..] {
            [] => Ok(()),
            [one] => Err(Error::check(format!("it cannot be used as it is: {one}"))),
            [one, others @ ..] => {
                Err(Error::check(format!("it cannot be used as it is: {one} (and {} more)", others.len())))
            }
        }
    }
}

fn checkpoints(path: &Path, problems: &mut Vec<String>) -> Result<Vec<Checkpoint>> {
    if is_mini(path) {
        return Ok(Vec::new());
    }
    let series = Series::in_folder(&model_folder::on_disk(path)).map_err(|error| Error::io("read", path, error))?;
    Ok(series.checkpoints.iter().map(|(step, path)| Checkpoint::of(*step, path, problems)).collect())
}

/// What the tokenizer in `dir` is, for a model with so many rows in its embedding.
fn tokenizer(dir: &Path, embedding_rows: usize, problems: &mut Vec<String>) -> Option<TokenizerFacts> {
    let tokenizer = Tokenizer::from_dir(dir).map_err(|error| problems.push(error.to_string())).ok()?;
    if let Err(error) = tokenizer.check_vocab(embedding_rows) {
        problems.push(error.to_string());
    }
    let description = tokenizer.describe();
    let file = Tokenizer::file(dir).and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let used = description.largest_id.map_or(0, |id| i64::from(id) + 1);
    let spare_rows = i64::try_from(embedding_rows).unwrap_or(i64::MAX) - used;
    Some(TokenizerFacts { file: file.unwrap_or_default(), description, embedding_rows, spare_rows })
}
