//! `fsa dump`: one batch's tensors, logits, loss and every gradient in a safetensors file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::attachment::{Attachment, attached};
use super::json_lines;
use crate::data::MiniSplit;
use crate::error::{Error, Result};
use crate::grad::Collect;
use crate::model::batch::IGNORED;
use crate::model::dropout::Dropout;
use crate::model::loss::LossOptions;
use crate::model::t5::Pass;
use crate::model::{self, Batch, Mix, Packed, T5Config};
use crate::spec::{Seeds, Smoothing};
use crate::tokenizer::Tokenizer;

/// What to dump.
#[derive(Debug, Clone)]
pub struct Dump {
    /// Folder of the model, in Hugging Face layout.
    pub model: PathBuf,
    /// A folder with a soft prompt or LoRA in PEFT's layout that is attached.
    pub adapter: Option<PathBuf>,
    /// JSON lines, `{"source": "…", "target": "…"}` each; or `mini` or `mini:TASK/SPLIT` for the first examples of the world's.
    pub input: PathBuf,
    /// The safetensors file to write.
    pub out: PathBuf,
    /// Overwrite `out` if it exists.
    pub force: bool,
    /// Dropout rate; 0 for none.
    pub dropout: f64,
    /// Label smoothing ε; 0 for none.
    pub label_smoothing: f64,
    /// Which definition of label smoothing.
    pub smoothing: Smoothing,
    /// Root seed (of the dropout masks).
    pub seed: u64,
}

impl Dump {
    /// Default of `out`.
    pub const OUT: &str = "batch.safetensors";
    /// How many examples stand for an input of the mini world.
    pub const OF_WORLD: usize = json_lines::OF_WORLD;
}

/// What was dumped.
#[derive(Debug, Serialize)]
pub struct Dumped {
    /// The file.
    pub out: PathBuf,
    /// Examples in the batch.
    pub examples: usize,
    /// Mean loss over target tokens.
    pub loss: f64,
    /// Number of gradients.
    pub gradients: usize,
}

/// Runs one batch forward and backward and writes what the other framework has to be compared with: `input_ids` [B, S],
/// `attention_mask` [B, S] and `labels` [B, T] (i64; labels padded with −100), `logits` [B, T, V], `loss` (mean over target
/// tokens) and `grad.<Hugging Face name>` of that mean for every parameter (f32).
///
/// # Errors
/// If the model or the input cannot be used, the file exists and `force` is off, or the loss is not finite.
pub fn run(dump: &Dump) -> Result<Dumped> {
    if dump.out.exists() && !dump.force {
        return Err(Error::input("it exists already")
            .at(&dump.out)
            .flag("--out")
            .next("choose another name, or give --force to overwrite it"));
    }
    let pairs = read(&dump.input)?;
    let config = T5Config::read(&dump.model)?;
    let tokenizer = Tokenizer::from_dir(&dump.model)?;
    tokenizer.check_vocab(config.shape.vocab_size)?;
    let encode = |texts: &dyn Fn(&Pair) -> &str| -> Result<Vec<Vec<u32>>> {
        pairs.iter().map(|pair| tokenizer.encode(texts(pair))).collect()
    };
    let sources = encode(&|pair| &pair.source)?;
    let labels = encode(&|pair| &pair.target)?;
    let attachment = Attachment::read(dump.adapter.as_deref())?;
    let model = attached(model::load(&dump.model)?.0, attachment.as_ref())?;
    // What is dumped is without the soft prompt: the other framework puts its own before it.
    let prefix = model.prompt_ids();

    let longest = labels.iter().map(Vec::len).max().unwrap_or(0);
    let padded = labels.iter().map(|row| {
        let padding = std::iter::repeat_n(IGNORED, longest - row.len());
        row.iter().copied().chain(padding).collect::<Vec<_>>()
    });
    let examples = pairs.len();
    let keys: Vec<u64> = (0..examples as u64).collect();
    let batch = Batch::new(
        Packed::new(sources.iter().map(|source| [prefix.as_slice(), source].concat())),
        &keys,
        Packed::new(padded),
        Mix::lanes(1, examples),
        config.start(),
        config.pad(),
    )?;
    let tokens = batch.target_tokens() as f64;
    let dropout = (dump.dropout > 0.0)
        .then(|| Dropout { rate: dump.dropout, key: Seeds::new(dump.seed).key("train.dropout", &[0]) });
    let loss = LossOptions { label_smoothing: dump.label_smoothing, smoothing: dump.smoothing, z_loss: 0.0 };
    let batches = [batch];
    let logits = model.logits(&batches[0], dropout)?.reshape((examples, longest, config.shape.vocab_size))?;
    let tape = model.forward(&batches, Pass { dropout, loss, scale: 1.0 / tokens, low_memory: false })?;
    let loss = tape.losses().first().copied().unwrap_or(0.0) / tokens;
    if !loss.is_finite() {
        return Err(Error::check(format!("the loss is {loss}")).next("look at the weights and the input"));
    }
    let mut sink = Collect::default();
    model.backward(tape, &mut sink)?;

    let mut tensors: BTreeMap<String, Tensor> = BTreeMap::new();
    tensors.insert("input_ids".into(), matrix(&sources, 0)?);
    tensors.insert("attention_mask".into(), mask(&sources)?);
    tensors.insert("labels".into(), matrix(&labels, -100)?);
    tensors.insert("logits".into(), logits);
    tensors.insert("loss".into(), Tensor::new(loss as f32, &Device::Cpu)?);
    for (name, gradients) in sink.into_all() {
        tensors.extend(gradients.into_iter().next().map(|gradient| (format!("grad.{name}"), gradient)));
    }
    let gradients = tensors.len() - 5;
    write(&dump.out, &tensors)?;
    Ok(Dumped { out: dump.out.clone(), examples, loss, gradients })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    source: String,
    target: String,
}

fn read(path: &Path) -> Result<Vec<Pair>> {
    match json_lines::of_world(path, MiniSplit::Train)? {
        Some(examples) => Ok(examples.into_iter().map(|of| Pair { source: of.source, target: of.target }).collect()),
        None => json_lines::read(path, "{\"source\": \"…\", \"target\": \"…\"}"),
    }
}

/// `[B, longest]` of ids, padded on the right.
fn matrix(rows: &[Vec<u32>], padding: i64) -> Result<Tensor> {
    let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
    let values: Vec<i64> = rows
        .iter()
        .flat_map(|row| row.iter().map(|&id| id as i64).chain(std::iter::repeat_n(padding, longest - row.len())))
        .collect();
    Ok(Tensor::from_vec(values, (rows.len(), longest), &Device::Cpu)?)
}

/// `[B, longest]`: 1 on tokens, 0 on padding.
fn mask(rows: &[Vec<u32>]) -> Result<Tensor> {
    let ones: Vec<Vec<u32>> = rows.iter().map(|row| vec![1; row.len()]).collect();
    matrix(&ones, 0)
}

/// Writes beside the file and moves it into place, so that a failure leaves what was there.
fn write(path: &Path, tensors: &BTreeMap<String, Tensor>) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".unfinished");
    let unfinished = path.with_file_name(name);
    // Errors name the file that was asked for, not the one beside it.
    let written = model::write(&unfinished, tensors.iter().map(|(name, tensor)| (name.clone(), tensor)), None);
    let moved = written
        .and_then(|()| std::fs::rename(&unfinished, path).map_err(|error| Error::io("write", path, error)))
        .map_err(|error| error.at(path).flag("--out"));
    if moved.is_err() {
        // The error to report is the write's, whether or not this works.
        let _ = std::fs::remove_file(&unfinished);
    }
    moved
}
