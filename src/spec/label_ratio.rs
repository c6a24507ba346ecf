//! The resolved description of one `fsa label-ratio` run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::decoding::Decoding;
use super::training::{Training, at_least_one};
use crate::error::{Error, Result};

/// An off-task evaluation: a task with a number of shots in the prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// A registered task's name, or the path of a task file (`*.toml`).
    pub task: String,
    /// Examples in the prompt.
    pub shots: usize,
}

impl Evaluation {
    /// Reads `trivia_qa:1`; without a number, one shot.
    ///
    /// # Errors
    /// If what follows the last colon is not a number.
    pub fn parse(text: &str) -> Result<Self> {
        let (task, shots) = text.rsplit_once(':').unwrap_or((text, "1"));
        let shots = shots.parse().map_err(|_| {
            Error::input(format!("`{text}` is not a task with a number of shots"))
                .flag("--eval")
                .next("write TASK:SHOTS, such as trivia_qa:1")
        })?;
        Ok(Self { task: task.to_string(), shots })
    }
}

impl std::fmt::Display for Evaluation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.task, self.shots)
    }
}

/// Where the checkpoints come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Source {
    /// fsa fine-tunes the model itself.
    Train {
        /// Fine-tuning steps.
        steps: u64,
        /// A probe every so many steps; step 0 and the last step are always probed.
        probe_every: u64,
        /// How.
        training: Training,
    },
    /// A folder of `checkpoint-N` that another trainer wrote.
    Checkpoints {
        /// The folder.
        dir: PathBuf,
        /// Whether a damaged or foreign entry makes the run fail (exit code 1) after measuring the others.
        strict: bool,
    },
}

/// Everything that decides what `fsa label-ratio` computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelRatio {
    /// Folder of the model, in Hugging Face layout.
    pub model: PathBuf,
    /// A soft prompt or LoRA in PEFT's layout that is attached to every model that is asked, and frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<PathBuf>,
    /// The fine-tuned task: a registered name or a task file.
    pub task: String,
    /// The run folder.
    pub out: PathBuf,
    /// Root seed of every random stream.
    pub seed: u64,
    /// Threads of the engine.
    pub threads: usize,
    /// Off-task evaluations.
    pub eval: Vec<Evaluation>,
    /// Data files by task and split, as `task.split`; a task file's own splits stand where none is given.
    pub files: BTreeMap<String, PathBuf>,
    /// Evaluation examples of each task; all of them without. `"all"` in files, since a preset may have a limit.
    #[serde(default, with = "super::limit")]
    pub limit: Option<usize>,
    /// Rows of each split that are read, drawn by the seed; all of them without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<usize>,
    /// Whether prompts end in ` <extra_id_0>`.
    pub prompt_sentinel: bool,
    /// A probe's label ratio must exceed this, with its interval's lower end, to count as the onset.
    pub onset: f64,
    /// BLEU's tokenizer of the score (`13a` or `intl`); with `intl`, 13a is reported beside it.
    pub bleu_tokenizer: String,
    /// How outputs are decoded.
    pub decoding: Decoding,
    /// Where the checkpoints come from.
    pub source: Source,
}

impl LabelRatio {
    /// Default of `prompt_sentinel`: what the model was pretrained to answer.
    pub const PROMPT_SENTINEL: bool = true;
    /// Default of `onset`.
    pub const ONSET: f64 = 0.5;
    /// BLEU tokenizers.
    pub const BLEU_TOKENIZERS: [&'static str; 2] = ["13a", "intl"];

    /// How fsa fine-tunes, where it does itself.
    pub fn training(&self) -> Option<&Training> {
        match &self.source {
            Source::Train { training, .. } => Some(training),
            Source::Checkpoints { .. } => None,
        }
    }

    /// Errors on the first option that cannot be meant, naming its flag.
    pub fn validate(&self) -> Result<()> {
        self.decoding.validate()?;
        at_least_one("--threads", self.threads as u64)?;
        at_least_one("--sample", self.sample.unwrap_or(1) as u64)?;
        if self.limit == Some(0) {
            return Err(Error::input("must be at least 1, not 0").flag("--limit"));
        }
        if !(0.0..1.0).contains(&self.onset) {
            return Err(Error::input(format!("must be at least 0 and below 1, not {}", self.onset)).flag("--onset"));
        }
        if !Self::BLEU_TOKENIZERS.contains(&self.bleu_tokenizer.as_str()) {
            return Err(Error::input(format!("there is no tokenizer `{}`", self.bleu_tokenizer))
                .flag("--bleu-tokenizer")
                .next(format!("give one of {}", Self::BLEU_TOKENIZERS.join(", "))));
        }
        if let Source::Train { probe_every, training, .. } = &self.source {
            at_least_one("--probe-every", *probe_every)?;
            training.validate()?;
        }
        Ok(())
    }
}

/// The steps that are probed, in order: 0, every `every`, and the last.
pub fn probe_steps(steps: u64, every: u64) -> Vec<u64> {
    let mut probed: Vec<u64> = (0..=steps).step_by(every.max(1) as usize).collect();
    if probed.last() != Some(&steps) {
        probed.push(steps);
    }
    probed
}
