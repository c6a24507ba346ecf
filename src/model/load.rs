//! A model folder in Hugging Face layout → a model, with a report of what was found.

use std::path::{Path, PathBuf};

use super::array::read;
use super::config::T5Config;
use super::params::{Param, Params};
use super::t5::T5;
use super::weights::Weights;
use crate::error::Result;
use crate::model_folder;

/// What a checkpoint held.
#[derive(Debug, Clone)]
pub struct LoadReport {
    /// config.json and the files with weights.
    pub files: Vec<PathBuf>,
    /// Tensors that became parameters.
    pub loaded: usize,
    /// Tensors that the model has no use for.
    pub unused: Vec<String>,
    /// Whether the head is the embedding.
    pub tied: bool,
}

/// Names that transformers gives to `shared.weight` too.
pub(super) const EMBEDDING_ALIASES: [&str; 2] = ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"];
pub(crate) const HEAD: &str = "lm_head.weight";

/// Reads the model in `dir`, in f32.
///
/// # Errors
/// If a file is missing or damaged, or a tensor is missing or has another shape than config.json says; the error names it.
pub fn load(dir: &Path) -> Result<(T5, LoadReport)> {
    model_folder::refuse_missing(dir)?;
    from_parts(T5Config::read(dir)?, dir, dir)
}

/// As [`load`], for a checkpoint that another trainer wrote in `dir`: without a config.json of its own, it has that of
/// `model_dir`.
///
/// # Errors
/// As [`load`].
pub fn load_checkpoint(dir: &Path, model_dir: &Path) -> Result<(T5, LoadReport)> {
    let config_dir = if dir.join("config.json").is_file() { dir } else { model_dir };
    from_parts(T5Config::read(config_dir)?, dir, config_dir)
}

fn from_parts(config: T5Config, dir: &Path, config_dir: &Path) -> Result<(T5, LoadReport)> {
    let weights = Weights::open(dir)?;
    let mut params = Params::default();
    let mut used = vec![HEAD.to_string()];
    used.extend(EMBEDDING_ALIASES.map(String::from));
    for (name, shape) in shapes(&config) {
        params.insert(Param::new(&name, weights.tensor(stored_name(&weights, &name), &shape)?))?;
        used.push(name);
    }
    let tied = !has_own_head(&weights, &config, &mut params)?;
    used.sort();
    let unused: Vec<String> = weights
        .names()
        .filter(|name| used.binary_search_by(|u| u.as_str().cmp(name)).is_err())
        .map(String::from)
        .collect();
    let mut files = vec![config_dir.join("config.json")];
    files.extend(weights.files());
    let loaded = params.iter().count();
    Ok((T5::new(config, params, tied)?, LoadReport { files, loaded, unused, tied }))
}

/// What can be known of a model without reading its values.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// Its parameters' names.
    pub names: Vec<String>,
    /// How many numbers they hold.
    pub params: u64,
    /// What is worth a warning.
    pub warnings: Vec<String>,
}

/// Looks at the model in `dir`, checking every tensor's name and shape. A stored head counts, since whether it equals the
/// embedding is not known yet.
///
/// # Errors
/// As [`load`].
pub fn inspect(dir: &Path) -> Result<Inspection> {
    let config = T5Config::read(dir)?;
    let weights = Weights::open(dir)?;
    let mut all = shapes(&config);
    if weights.has(HEAD) {
        all.push((HEAD.to_string(), vec![config.shape.vocab_size, config.shape.d_model]));
    }
    let mut params = 0;
    for (name, shape) in &all {
        weights.check(stored_name(&weights, name), shape)?;
        params += shape.iter().product::<usize>() as u64;
    }
    let known = |name: &str| all.iter().any(|(known, _)| known == name) || EMBEDDING_ALIASES.contains(&name);
    let unused = weights.names().filter(|name| !known(name)).count();
    let warnings = (unused > 0)
        .then(|| format!("{}: {unused} tensors of the checkpoint have no place in the model", dir.display()));
    let warnings = warnings.into_iter().collect();
    Ok(Inspection { names: all.into_iter().map(|(name, _)| name).collect(), params, warnings })
}

/// What the checkpoint calls the parameter `name`.
pub(super) fn stored_name<'a>(weights: &Weights, name: &'a str) -> &'a str {
    match name == "shared.weight" && !weights.has(name) {
        true => EMBEDDING_ALIASES.into_iter().find(|alias| weights.has(alias)).unwrap_or("shared.weight"),
        false => name,
    }
}

/// The head is separate iff it is stored and differs from the embedding; then it becomes a parameter.
fn has_own_head(weights: &Weights, config: &T5Config, params: &mut Params) -> Result<bool> {
    if !weights.has(HEAD) {
        return Ok(false);
    }
    let head = weights.tensor(HEAD, &[config.shape.vocab_size, config.shape.d_model])?;
    let same = *read(&head)? == *read(params.get("shared.weight")?.value())?;
    if !same {
        params.insert(Param::new(HEAD, head))?;
    }
    Ok(!same)
}

/// Every parameter but the head, in the order of transformers' `named_parameters()`.
pub fn shapes(config: &T5Config) -> Vec<(String, Vec<usize>)> {
    let shape = &config.shape;
    let (hidden, inner) = (shape.d_model, shape.d_kv * shape.num_heads);
    let mut all = vec![("shared.weight".to_string(), vec![shape.vocab_size, hidden])];
    for (stack, depth) in [("encoder", shape.num_layers), ("decoder", config.decoder_layers())] {
        for block in 0..depth {
            let kinds: &[&str] =
                if stack == "encoder" { &["SelfAttention"] } else { &["SelfAttention", "EncDecAttention"] };
            for (layer, kind) in kinds.iter().enumerate() {
                let at = format!("{stack}.block.{block}.layer.{layer}");
                for part in ["q", "k", "v"] {
                    all.push((format!("{at}.{kind}.{part}.weight"), vec![inner, hidden]));
                }
                all.push((format!("{at}.{kind}.o.weight"), vec![hidden, inner]));
                if block == 0 && layer == 0 {
                    let buckets = shape.relative_attention_num_buckets;
                    all.push((format!("{at}.{kind}.relative_attention_bias.weight"), vec![buckets, shape.num_heads]));
                }
                all.push((format!("{at}.layer_norm.weight"), vec![hidden]));
            }
            let at = format!("{stack}.block.{block}.layer.{}", kinds.len());
            let ins: &[&str] = if shape.feed_forward_proj.gated { &["wi_0", "wi_1"] } else { &["wi"] };
            for part in ins {
                all.push((format!("{at}.DenseReluDense.{part}.weight"), vec![shape.d_ff, hidden]));
            }
            all.push((format!("{at}.DenseReluDense.wo.weight"), vec![hidden, shape.d_ff]));
            all.push((format!("{at}.layer_norm.weight"), vec![hidden]));
        }
        all.push((format!("{stack}.final_layer_norm.weight"), vec![hidden]));
    }
    all
}
