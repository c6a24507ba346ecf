//! The resolved description of one `fsa compare` run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::decoding::Decoding;
use super::label_ratio::{Evaluation, LabelRatio};
use super::method::{Budget, Method, Stage};
use super::training::{Training, at_least_one, at_most, positive};
use crate::error::{Error, Result};

/// How long a stage is, and how it is trained. What is trained follows from the stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageTraining {
    /// Optimizer steps.
    pub steps: u64,
    /// Steps between checkpoints, each scored on the target; the last step is one too.
    pub probe_every: u64,
    /// How.
    pub training: Training,
}

/// What a new soft prompt starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromptInit {
    /// Rows of the first 5,000 embeddings, without replacement (prompt-tuning's default).
    SampledVocab,
    /// The mean of each label word's embeddings first, the rest sampled.
    ClassLabels,
    /// Uniform in −0.5 to 0.5.
    Uniform,
    /// Uniform in 0 to 0.5 (T5X's).
    UniformT5x,
}

impl PromptInit {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SampledVocab, Self::ClassLabels, Self::Uniform, Self::UniformT5x];

    /// The name on the command line, in specs and in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::SampledVocab => "sampled-vocab",
            Self::ClassLabels => "class-labels",
            Self::Uniform => "uniform",
            Self::UniformT5x => "uniform-t5x",
        }
    }
}

/// A soft prompt to be trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftPrompt {
    /// Rows.
    pub length: usize,
    /// What they start from.
    pub init: PromptInit,
    /// A text whose tokens' embeddings the first rows are, the rest sampled; instead of `init`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A folder with a soft prompt in PEFT's layout that it starts from; instead of `init`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// LoRA's matrices to be trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lora {
    /// Rows of A and columns of B.
    pub rank: usize,
    /// The product is multiplied by `alpha / rank`.
    pub alpha: f64,
    /// The last parts of the linear maps' names.
    pub targets: Vec<String>,
}

impl Lora {
    /// Default of `targets`: LoRA's usual places in T5.
    pub const TARGETS: [&'static str; 2] = ["q", "v"];

    /// Of this rank, with the default for everything else: an alpha of twice the rank.
    pub fn of_rank(rank: usize) -> Self {
        Self { rank, alpha: 2.0 * rank as f64, targets: Self::TARGETS.map(String::from).to_vec() }
    }

    /// It, for signatures.
    pub fn signature(&self) -> String {
        format!("lora:r{}:alpha{}:{}", self.rank, self.alpha, self.targets.join("+"))
    }
}

/// Which tasks are asked with the soft prompt attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttachPrompt {
    /// The target alone.
    Target,
    /// Tasks whose label words overlap the target's too.
    Matched,
}

impl AttachPrompt {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Target, Self::Matched];

    /// The name on the command line, in specs and in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Matched => "matched",
        }
    }
}

/// Which split of the target the kept checkpoint is reported on; it is chosen on the validation split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// The split that it was chosen on, as in the paper.
    Validation,
    /// The test split.
    Test,
}

impl Report {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Validation, Self::Test];

    /// The name on the command line, in specs and in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// How much of every batch each target of a multi-task method has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// All the same.
    Equal,
    /// In proportion to their training examples, of which at most so many count (T5's examples-proportional mixing).
    Proportional(u64),
}

impl Mix {
    /// Reads `equal` or `proportional:K`.
    ///
    /// # Errors
    /// If it is neither.
    pub fn parse(text: &str) -> Result<Self> {
        let limit = text.strip_prefix("proportional:").and_then(|limit| limit.parse().ok()).filter(|&limit| limit > 0);
        match (text, limit) {
            ("equal", _) => Ok(Self::Equal),
            (_, Some(limit)) => Ok(Self::Proportional(limit)),
            _ => Err(Error::input(format!("`{text}` is no way to mix targets"))
                .flag("--mix")
                .next("give equal, or proportional:K with the most examples of a target that count")),
        }
    }

    /// Examples of a batch of `batch_size` that targets of `sizes` training examples have; each has one at least, and what
    /// rounding leaves goes to those that it took the most from.
    pub fn shares(self, sizes: &[usize], batch_size: usize) -> Vec<usize> {
        let weight = |&size: &usize| match self {
            Self::Equal => 1.0,
            Self::Proportional(limit) => (size as u64).min(limit) as f64,
        };
        let total: f64 = sizes.iter().map(weight).sum();
        let wanted: Vec<f64> = sizes.iter().map(|size| batch_size as f64 * weight(size) / total.max(1.0)).collect();
        let mut shares: Vec<usize> = wanted.iter().map(|wanted| (*wanted as usize).max(1)).collect();
        let short = |shares: &[usize], place: usize| wanted[place] - shares[place] as f64;
        while shares.iter().sum::<usize>() != batch_size.max(sizes.len()) {
            let places = 0..shares.len();
            if shares.iter().sum::<usize>() < batch_size {
                let most = places.max_by(|&a, &b| short(&shares, a).total_cmp(&short(&shares, b)));
                most.into_iter().for_each(|place| shares[place] += 1);
            } else {
                let least = places.filter(|&place| shares[place] > 1);
                let least = least.min_by(|&a, &b| short(&shares, a).total_cmp(&short(&shares, b)));
                least.into_iter().for_each(|place| shares[place] -= 1);
            }
        }
        shares
    }
}

impl Serialize for Mix {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mix {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Display for Mix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Equal => f.write_str("equal"),
            Self::Proportional(limit) => write!(f, "proportional:{limit}"),
        }
    }
}

/// Everything that decides what `fsa compare` computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// Folder of the model, in Hugging Face layout.
    pub model: PathBuf,
    /// LoRA in PEFT's layout that is merged into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<PathBuf>,
    /// Fine-tuned tasks: registered names or task files.
    pub target: Vec<String>,
    /// Methods, in the order of the table.
    pub methods: Vec<Method>,
    /// The run folder.
    pub out: PathBuf,
    /// The first root seed.
    pub seed: u64,
    /// How many root seeds, one after the other.
    pub seeds: u64,
    /// Threads of the engine.
    pub threads: usize,
    /// In-context evaluations; the target is left out of its own.
    pub eval: Vec<Evaluation>,
    /// Whether every checkpoint of a model is asked the evaluations with the fewest shots, for the trade-off.
    pub trade_off: bool,
    /// Data files by task and split, as `task.split`.
    pub files: BTreeMap<String, PathBuf>,
    /// Evaluation examples of each task; all of them without.
    #[serde(default, with = "super::limit")]
    pub limit: Option<usize>,
    /// Rows of each split that are read, drawn by the seed; all of them without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<usize>,
    /// Whether prompts end in ` <extra_id_0>`.
    pub prompt_sentinel: bool,
    /// BLEU's tokenizer of the score.
    pub bleu_tokenizer: String,
    /// Which tasks count with the soft prompt attached; for matched tasks both rows are there.
    pub attach_prompt: AttachPrompt,
    /// Examples in the target's own prompts.
    pub target_shots: usize,
    /// Which split of the target is reported.
    pub report: Report,
    /// How outputs are decoded.
    pub decoding: Decoding,
    /// How targets are mixed by multi-task methods.
    pub mix: Mix,
    /// New soft prompts.
    pub prompt: SoftPrompt,
    /// New low-rank matrices.
    pub lora: Lora,
    /// Stages that train the model.
    pub model_stage: StageTraining,
    /// Stages that train a soft prompt.
    pub prompt_stage: StageTraining,
    /// Stages that train low-rank matrices.
    pub lora_stage: StageTraining,
}

impl Compare {
    /// How `stage` is trained.
    pub fn stage(&self, of: &Stage) -> StageTraining {
        stage(of, &self.model_stage, &self.prompt_stage, &self.lora_stage)
    }

    /// Shots of the evaluations that every checkpoint is asked; none if it is asked none.
    pub fn trade_off_shots(&self) -> Option<usize> {
        self.eval.iter().map(|evaluation| evaluation.shots).min().filter(|_| self.trade_off)
    }

    /// The root seeds.
    pub fn root_seeds(&self) -> impl Iterator<Item = u64> {
        let first = self.seed;
        (0..self.seeds).map(move |i| first.wrapping_add(i))
    }

    /// Errors on the first option that cannot be meant, naming its flag.
    pub fn validate(&self) -> Result<()> {
        self.decoding.validate()?;
        for (flag, value) in [
            ("--threads", self.threads as u64),
            ("--seeds", self.seeds),
            ("--prompt-length", self.prompt.length as u64),
            ("--lora-rank", self.lora.rank as u64),
        ] {
            at_least_one(flag, value)?;
        }
        at_most("--prompt-length", self.prompt.length as u64, 1 << 14)?;
        at_most("--lora-rank", self.lora.rank as u64, 1 << 14)?;
        positive("--lora-alpha", self.lora.alpha)?;
        at_least_one("--sample", self.sample.unwrap_or(1) as u64)?;
        if self.limit == Some(0) {
            return Err(Error::input("must be at least 1, not 0").flag("--limit"));
        }
        if self.prompt.text.is_some() && self.prompt.file.is_some() {
            return Err(Error::input("cannot be used with --prompt-text: a prompt starts from one thing")
                .flag("--prompt-file")
                .next("leave one of the two out"));
        }
        if !LabelRatio::BLEU_TOKENIZERS.contains(&self.bleu_tokenizer.as_str()) {
            return Err(Error::input(format!("there is no tokenizer `{}`", self.bleu_tokenizer))
                .flag("--bleu-tokenizer")
                .next(format!("give one of {}", LabelRatio::BLEU_TOKENIZERS.join(", "))));
        }
        for (list, flag) in [(self.target.is_empty(), "--target"), (self.methods.is_empty(), "--methods")] {
            if list {
                return Err(Error::input("needs at least one").flag(flag));
            }
        }
        if let (1, Some(mixed)) = (self.target.len(), self.methods.iter().find(|method| method.is_mixed())) {
            return Err(Error::input(format!("`{}` trains on several targets together", mixed.name()))
                .flag("--methods")
                .next("give --target two tasks or more, with commas between"));
        }
        for (prefix, stage) in [("", &self.model_stage), ("prompt-", &self.prompt_stage), ("lora-", &self.lora_stage)] {
            at_least_one(&format!("--{prefix}probe-every"), stage.probe_every)?;
            at_least_one(&format!("--{prefix}steps"), stage.steps)?;
            stage.training.validate()?;
        }
        Ok(())
    }
}

/// How `stage` is trained, where these are what each kind of stage is given.
pub(super) fn stage(
    stage: &Stage,
    model: &StageTraining,
    prompt: &StageTraining,
    lora: &StageTraining,
) -> StageTraining {
    let base = match stage.budget {
        Budget::Model | Budget::Long => model,
        Budget::Prompt => prompt,
        Budget::Lora => lora,
    };
    let mut resolved = base.clone();
    if stage.budget == Budget::Long {
        resolved.steps = resolved.steps.saturating_add(prompt.steps);
    }
    resolved.training.trainable = stage.trained.patterns().to_string();
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_fill_the_batch_and_leave_nobody_out() {
        assert_eq!(Mix::Equal.shares(&[10, 1000], 64), [32, 32]);
        assert_eq!(Mix::Equal.shares(&[1, 1, 1], 64).iter().sum::<usize>(), 64);
        assert_eq!(Mix::Proportional(100).shares(&[50, 1_000_000], 60), [20, 40]);
        assert_eq!(Mix::Proportional(1 << 40).shares(&[1, 1_000_000], 64), [1, 63]);
        assert_eq!(Mix::Equal.shares(&[5], 64), [64]);
        for text in ["equal", "proportional:16"] {
            assert_eq!(Mix::parse(text).unwrap().to_string(), text);
        }
        assert!(Mix::parse("proportional:0").is_err() && Mix::parse("fair").is_err());
    }
}
