//! What there is to say of a model: its config, its weights, its layers.

use std::path::Path;

use serde::Serialize;

use super::{Model, tokenizer, use_of};
use crate::error::Result;
use crate::grad::layout;
use crate::model::T5Config;
use crate::model::survey::{HeadOf, Misshapen, Survey};
use crate::model::weights::describe::{Stored, StoredFile};

/// A config in a few words.
#[derive(Debug, Serialize)]
pub struct Architecture {
    /// `t5` or `mt5`.
    pub model_type: String,
    /// `T5`, `T5 v1.1` or `mT5`, by the feed-forward and the head.
    pub name: &'static str,
    /// Blocks of the encoder.
    pub encoder_blocks: usize,
    /// Blocks of the decoder.
    pub decoder_blocks: usize,
    /// Numbers of a token's state.
    pub d_model: usize,
    /// Attention heads of a block, and numbers in each.
    pub heads: usize,
    /// Numbers of a head's query.
    pub d_kv: usize,
    /// Inner numbers of the feed-forward.
    pub d_ff: usize,
    /// Its activation, such as `gated-gelu`.
    pub activation: String,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Whether the config says that the head is the embedding.
    pub tied: bool,
    /// What hidden states are multiplied by before the head.
    pub decoder_scale: f64,
    /// The dropout that the config names.
    pub dropout: f64,
}

/// The files of weights.
#[derive(Debug, Serialize)]
pub struct WeightFiles {
    /// `safetensors` or `pytorch`.
    pub layout: &'static str,
    /// Whether there are several files.
    pub sharded: bool,
    /// The files.
    pub files: Vec<StoredFile>,
    /// Dtypes on disk, most numbers first.
    pub dtypes: Vec<Stored>,
    /// The tensors in them.
    pub tensors: Tensors,
}

/// What loading would find.
#[derive(Debug, Serialize)]
pub struct Tensors {
    /// Those that the model needs.
    pub needed: usize,
    /// Those of them that are not there.
    pub missing: Vec<String>,
    /// Those of another shape than the config says.
    pub misshapen: Vec<Misshapen>,
    /// Those that it has no use for.
    pub unused: Vec<String>,
    /// Where the head is.
    pub head: HeadOf,
}

/// Parameters of a layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Block {
    /// `embedding`, `encoder.0`, `encoder.final`, …, `head`.
    pub name: String,
    /// Its tensors.
    pub tensors: usize,
    /// Numbers in them.
    pub params: u64,
    /// MiB that they take in float32.
    pub mib: f64,
}

/// MiB of so many float32 numbers.
fn mib(params: u64) -> f64 {
    params as f64 * 4.0 / f64::from(1 << 20)
}

impl Architecture {
    fn of(config: &T5Config) -> Self {
        let shape = &config.shape;
        let gated = shape.feed_forward_proj.gated;
        Self {
            model_type: config.model_type.clone(),
            name: match (config.model_type.as_str(), gated) {
                ("mt5", _) => "mT5",
                (_, true) => "T5 v1.1",
                _ => "T5",
            },
            encoder_blocks: shape.num_layers,
            decoder_blocks: config.decoder_layers(),
            d_model: shape.d_model,
            heads: shape.num_heads,
            d_kv: shape.d_kv,
            d_ff: shape.d_ff,
            activation: format!("{}{}", if gated { "gated-" } else { "" }, config.activation.name()),
            vocab_size: shape.vocab_size,
            tied: shape.tie_word_embeddings,
            decoder_scale: config.decoder_scale(),
            dropout: shape.dropout_rate,
        }
    }
}

impl Model {
    pub(super) fn of(dir: &Path, config: &T5Config, problems: &mut Vec<String>) -> Result<Self> {
        let survey = Survey::of(dir, config).map_err(|error| problems.push(error.to_string())).ok();
        if let Some(survey) = &survey {
            tell(survey, dir, problems);
        }
        let shapes = survey.as_ref().map_or_else(|| crate::model::load::shapes(config), |found| found.tensors.clone());
        let mut blocks: Vec<Block> = Vec::new();
        for (name, shape) in &shapes {
            // invariant: every parameter has a place, which a test of the layout holds
            let layer = layout::place(name).map_or_else(|| name.clone(), |place| place.layer);
            let params = shape.iter().product::<usize>() as u64;
            match blocks.iter_mut().find(|block| block.name == layer) {
                Some(block) => (block.tensors, block.params) = (block.tensors + 1, block.params + params),
                None => blocks.push(Block { name: layer, tensors: 1, params, mib: 0.0 }),
            }
        }
        blocks.iter_mut().for_each(|block| block.mib = mib(block.params));
        let params = blocks.iter().map(|block| block.params).sum();
        let weights = survey.map(|survey| WeightFiles {
            layout: survey.layout,
            sharded: survey.files.len() > 1,
            files: survey.files,
            dtypes: survey.dtypes,
            tensors: Tensors {
                needed: survey.tensors.len(),
                missing: survey.missing,
                misshapen: survey.misshapen,
                unused: survey.unused,
                head: survey.head,
            },
        });
        Ok(Self {
            path: dir.to_path_buf(),
            architecture: Architecture::of(config),
            weights,
            blocks,
            params,
            mib: mib(params),
            tokenizer: tokenizer(dir, config.shape.vocab_size, problems),
            memory: use_of::memory(config, params),
        })
    }
}

/// Puts what keeps the weights from being used into words.
fn tell(survey: &Survey, dir: &Path, problems: &mut Vec<String>) {
    let dir = dir.display();
    let others = |count: usize| if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
    if let Some(first) = survey.missing.first() {
        let more = others(survey.missing.len());
        problems.push(format!("{dir}: the checkpoint lacks `{first}`{more}; fetch or save it again"));
    }
    if let Some(Misshapen { name, stored, wanted }) = survey.misshapen.first() {
        let more = others(survey.misshapen.len());
        problems.push(format!(
            "{dir}: `{name}`{more} has the shape {stored:?}, and config.json makes it {wanted:?}; use the config.json that \
             belongs to the weights"
        ));
    }
    if let Some(stored) = survey.dtypes.iter().find(|stored| !stored.is_read) {
        problems.push(format!(
            "{dir}: {} of its tensors are {}, which is not read; save the model as float32, float16 or bfloat16",
            stored.tensors, stored.dtype
        ));
    }
}
