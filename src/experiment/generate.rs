//! `fsa generate`: what a model answers to prompts.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::attachment::{Attachment, attached};
use super::json_lines;
use crate::data::MiniSplit;
use crate::error::{Error, Result};
use crate::model::{self, Packed, T5Config};
use crate::spec::Decoding;
use crate::tokenizer::Tokenizer;

/// What to generate from.
#[derive(Debug, Clone, PartialEq)]
pub enum Prompts {
    /// One text.
    Text(String),
    /// JSON lines, `{"prompt": "…"}` each; other keys are ignored, so that an earlier output can be an input. `mini` and
    /// `mini:TASK/SPLIT` stand for the first examples of the world's.
    File(PathBuf),
}

/// What to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct Generate {
    /// Folder of the model, in Hugging Face layout.
    pub model: PathBuf,
    /// A folder with a soft prompt or LoRA in PEFT's layout that is attached.
    pub adapter: Option<PathBuf>,
    /// The prompts.
    pub prompts: Prompts,
    /// How outputs are decoded.
    pub decoding: Decoding,
    /// Prompts that go through the model at once.
    pub batch_size: usize,
    /// Whether the output's text shows special tokens, sentinels such as `<extra_id_0>` among them.
    pub keep_special: bool,
}

impl Generate {
    /// Default of `batch_size`.
    pub const BATCH_SIZE: usize = 16;
    /// How many examples stand for an input of the mini world.
    pub const OF_WORLD: usize = json_lines::OF_WORLD;
}

/// A prompt and its output.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Generated {
    /// The prompt.
    pub prompt: String,
    /// The output's text.
    pub output: String,
    /// The output's ids, special tokens included, without the end of sequence.
    pub ids: Vec<u32>,
    /// Σ log p of its tokens (end of sequence included), divided by the length penalty for beams.
    pub score: f64,
    /// Whether it ended by itself; if not, it hit the length limit.
    pub ended: bool,
}

/// Decodes an output for each prompt, in their order.
///
/// # Errors
/// If an option cannot be meant, or the model or the prompts cannot be used.
pub fn run(generate: &Generate) -> Result<Vec<Generated>> {
    generate.decoding.validate()?;
    if generate.batch_size == 0 {
        return Err(Error::input("must be at least 1, not 0").flag("--batch-size"));
    }
    let prompts = read(&generate.prompts)?;
    let tokenizer = Tokenizer::from_dir(&generate.model)?;
    tokenizer.check_vocab(T5Config::read(&generate.model)?.shape.vocab_size)?;
    let attachment = Attachment::read(generate.adapter.as_deref())?;
    let mut sources = prompts.iter().map(|prompt| tokenizer.encode(prompt)).collect::<Result<Vec<_>>>()?;
    let model = attached(model::load(&generate.model)?.0, attachment.as_ref())?;
    let prefix = model.prompt_ids();
    sources.iter_mut().for_each(|source| drop(source.splice(..0, prefix.iter().copied())));
    let mut outputs = Vec::with_capacity(sources.len());
    for batch in sources.chunks(generate.batch_size) {
        outputs.extend(model.generate(&Packed::new(batch), &generate.decoding)?);
    }
    prompts
        .into_iter()
        .zip(outputs)
        .map(|(prompt, output)| {
            let text = tokenizer.decode(&output.ids, !generate.keep_special)?;
            Ok(Generated { prompt, output: text, ids: output.ids, score: output.score, ended: output.ended })
        })
        .collect()
}

#[derive(Deserialize)]
struct Line {
    prompt: String,
}

fn read(prompts: &Prompts) -> Result<Vec<String>> {
    match prompts {
        Prompts::Text(text) => Ok(vec![text.clone()]),
        Prompts::File(path) => {
            if let Some(examples) = json_lines::of_world(path, MiniSplit::Test)? {
                return Ok(examples.into_iter().map(|example| example.source).collect());
            }
            let lines: Vec<Line> = json_lines::read(path, "{\"prompt\": \"…\"}")?;
            Ok(lines.into_iter().map(|line| line.prompt).collect())
        }
    }
}
