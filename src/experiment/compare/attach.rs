//! What a method's first stage attaches to the model: a soft prompt or low-rank matrices, new and untrained.

use rand::RngExt;
use rand::seq::SliceRandom;

use crate::data::Task;
use crate::error::{Error, Result};
use crate::model::peft::{Adapter, read_adapter};
use crate::model::{T5, lora::LoraShape, prompt, read};
use crate::spec::Seeds;
use crate::spec::compare::{Lora, PromptInit, SoftPrompt};
use crate::spec::method::Attached;
use crate::tokenizer::Tokenizer;

/// Embeddings that a sampled row is one of: the first so many, which are the most frequent pieces (prompt-tuning's choice).
const SAMPLED: usize = 5000;

/// What new attachments are made of.
#[derive(Clone, Copy)]
pub(in crate::experiment) struct New<'a> {
    pub prompt: &'a SoftPrompt,
    pub lora: &'a Lora,
    /// The task whose label words a prompt may start from.
    pub task: &'a Task,
    pub tokenizer: &'a Tokenizer,
}

/// `model` with what `attached` says, new.
pub(in crate::experiment) fn attach(model: &T5, attached: Attached, new: New, seeds: Seeds) -> Result<T5> {
    match attached {
        Attached::Nothing => model.bare(),
        Attached::Prompt => new_prompt(model, new.prompt, new, seeds),
        Attached::RandomPrompt => {
            let random = SoftPrompt { init: PromptInit::Uniform, text: None, file: None, ..new.prompt.clone() };
            new_prompt(model, &random, new, seeds)
        }
        Attached::Lora => {
            let shape =
                LoraShape { rank: new.lora.rank, alpha: new.lora.alpha, target_modules: new.lora.targets.clone() };
            model.with_new_lora(&shape, seeds)
        }
    }
}

fn new_prompt(model: &T5, wanted: &SoftPrompt, new: New, seeds: Seeds) -> Result<T5> {
    if let Some(file) = &wanted.file {
        return match read_adapter(file).map_err(|error| error.flag("--prompt-file"))? {
            Adapter::Prompt(values) if values.dim(0)? == wanted.length => model.with_prompt(values),
            Adapter::Prompt(values) => Err(Error::input(format!("the prompt has {} rows", values.dim(0)?))
                .at(file)
                .flag("--prompt-file")
                .next(format!("give --prompt-length {}", values.dim(0)?))),
            Adapter::Lora(..) => Err(Error::input("it is LoRA, not a soft prompt").at(file).flag("--prompt-file")),
        };
    }
    let width = model.config().shape.d_model;
    let mut rng = seeds.rng("init/prompt", &[]);
    let uniform = |low: f32, rng: &mut rand::rngs::ChaCha8Rng| -> Vec<f32> {
        (0..wanted.length * width).map(|_| rng.random_range(low..0.5)).collect()
    };
    let rows = match (&wanted.text, wanted.init) {
        (None, PromptInit::Uniform) => uniform(-0.5, &mut rng),
        (None, PromptInit::UniformT5x) => uniform(0.0, &mut rng),
        (text, init) => {
            let first: Vec<Vec<u32>> = match (text, init) {
                (Some(text), _) => pieces(text, new.tokenizer)?.into_iter().map(|id| vec![id]).collect(),
                (None, PromptInit::ClassLabels) => class_labels(new)?,
                _ => Vec::new(),
            };
            embeddings(model, &first, wanted.length, &mut rng)?
        }
    };
    model.with_prompt(prompt::of_rows(rows, width)?)
}

/// Ids of `text` without its end.
fn pieces(text: &str, tokenizer: &Tokenizer) -> Result<Vec<u32>> {
    let mut ids = tokenizer.encode(text)?;
    ids.pop();
    Ok(ids)
}

/// Ids of each label word.
fn class_labels(new: New) -> Result<Vec<Vec<u32>>> {
    let Some(labels) = new.task.labels() else {
        return Err(Error::input(format!("the targets of task `{}` are free text", new.task.name()))
            .flag("--prompt-init")
            .next("give sampled-vocab, or --prompt-text"));
    };
    labels.words().iter().map(|word| pieces(word, new.tokenizer)).collect()
}

/// `length` rows: the mean embedding of each of `first`, and then sampled ones.
fn embeddings(model: &T5, first: &[Vec<u32>], length: usize, rng: &mut rand::rngs::ChaCha8Rng) -> Result<Vec<f32>> {
    let table = model.params().get("shared.weight")?;
    let (all, width) = table.value().dims2()?;
    let values = read(table.value())?;
    let mut sampled: Vec<usize> = (0..all.min(SAMPLED)).collect();
    sampled.shuffle(rng);
    let mut rows = Vec::with_capacity(length * width);
    for ids in first.iter().filter(|ids| !ids.is_empty()).take(length) {
        let mean =
            |column: usize| ids.iter().map(|&id| values[id as usize * width + column]).sum::<f32>() / ids.len() as f32;
        rows.extend((0..width).map(mean));
    }
    // A prompt longer than the vocabulary takes rows a second time.
    let more = sampled.iter().cycle().take(length - rows.len() / width);
    more.for_each(|&row| rows.extend_from_slice(&values[row * width..][..width]));
    Ok(rows)
}
