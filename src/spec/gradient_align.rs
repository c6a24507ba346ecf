//! The resolved description of one `fsa gradient-align` run.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::align_methods::{self, Stages};
use super::compare::StageTraining;
use super::method::{Budget, Method};
use super::training::{Training, at_least_one, at_most};
use crate::error::{Error, Result};

/// Far above what anyone runs, and low enough that plans of such runs fit into memory.
const MOST_STEPS: u64 = 1_000_000_000;
const MOST_PROBES: u64 = 1_000_000;
const MOST_SHUFFLES: u64 = 1000;

/// How the format gradient is estimated: which labels replace the true ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// Labels shuffled over the whole data set: the paper's.
    Dataset,
    /// Labels shuffled within the probe batch.
    Batch,
    /// Every label changes class.
    Flip,
    /// The expectation over the label distribution, Σ_c p_c ∇ℓ(x, c): exact, no shuffle.
    Expected,
}

impl Estimator {
    /// Every estimator, in the order of tables.
    pub const ALL: [Self; 4] = [Self::Dataset, Self::Batch, Self::Flip, Self::Expected];

    /// The name on the command line and in rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Batch => "batch",
            Self::Flip => "flip",
            Self::Expected => "expected",
        }
    }

    /// Whether it only makes sense for a closed set of labels.
    pub fn needs_label_set(self) -> bool {
        matches!(self, Self::Flip | Self::Expected)
    }
}

/// Which cosine is averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimand {
    /// The mean over probe batches and shuffles of the cosine of each batch's two summed gradients.
    PerBatch,
    /// The cosine of the gradients summed over all probe examples.
    Summed,
}

impl Estimand {
    /// Both estimands.
    pub const ALL: [Self; 2] = [Self::PerBatch, Self::Summed];

    /// The name on the command line and in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::PerBatch => "per-batch",
            Self::Summed => "summed",
        }
    }
}

/// The split that probe batches are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeSplit {
    /// The training split.
    Train,
    /// The file given as `--dev`.
    Validation,
}

impl ProbeSplit {
    /// Both splits.
    pub const ALL: [Self; 2] = [Self::Train, Self::Validation];

    /// The name on the command line and in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
        }
    }
}

/// Everything that decides what `fsa gradient-align` computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradientAlign {
    /// Folder of the model, in Hugging Face layout.
    pub model: PathBuf,
    /// A registered task's name, or the path of a task file (`*.toml`).
    pub task: String,
    /// Training split.
    pub train: PathBuf,
    /// Methods, each fine-tuned and probed in its last stage; none for standard fine-tuning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub method: Vec<Method>,
    /// Validation split; needed only for `probe_split = "validation"`, and to choose the checkpoint of a stage before the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dev: Option<PathBuf>,
    /// Rows of each split that are read, drawn by the seed; all of them without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<usize>,
    /// A soft prompt or LoRA in PEFT's layout that is attached, and frozen: the second stage of ProMoT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<PathBuf>,
    /// A folder of `checkpoint-N` that another trainer left: each is probed, and fsa fine-tunes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<PathBuf>,
    /// Whether a damaged or foreign entry among them makes the run fail (exit code 1) after probing the others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// The run folder.
    pub out: PathBuf,
    /// Root seed of every random stream.
    pub seed: u64,
    /// Threads of the engine; part of the spec, since sums depend on how the work is split.
    pub threads: usize,
    /// Fine-tuning steps.
    pub steps: u64,
    /// A probe every so many steps; step 0 and the last step are always probed.
    pub probe_every: u64,
    /// Fixed batches (of the training batch size) that every probe measures on.
    pub probe_batches: usize,
    /// Which split they come from.
    pub probe_split: ProbeSplit,
    /// Whether dropout is on in probes, with masks equal for the full and every format gradient.
    pub probe_dropout: bool,
    /// Shuffles per estimator that draws any.
    pub shuffles: usize,
    /// Which estimators.
    pub estimators: Vec<Estimator>,
    /// Which cosine.
    pub estimand: Estimand,
    /// How the model is fine-tuned; of it, probes of checkpoints have batch size, memory, dropout and loss.
    pub training: Training,
    /// What other stages than fine-tuning the model take; none where there is no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<Stages>,
}

impl GradientAlign {
    /// Errors on the first option that cannot be meant, naming its flag.
    pub fn validate(&self) -> Result<()> {
        self.training.validate()?;
        at_least_one("--threads", self.threads as u64)?;
        at_least_one("--sample", self.sample.unwrap_or(1) as u64)?;
        at_least_one("--probe-every", self.probe_every)?;
        at_least_one("--probe-batches", self.probe_batches as u64)?;
        at_least_one("--shuffles", self.shuffles as u64)?;
        at_most("--steps", self.steps, MOST_STEPS)?;
        at_most("--shuffles", self.shuffles as u64, MOST_SHUFFLES)?;
        align_methods::validate(self)?;
        self.validate_checkpoints()?;
        let steps = self.last_stage()?.steps;
        at_most("--steps", steps, MOST_STEPS)?;
        if steps / self.probe_every > MOST_PROBES {
            return Err(Error::input(format!("{} makes more than {MOST_PROBES} probes", self.probe_every))
                .flag("--probe-every")
                .next("probe less often"));
        }
        if self.estimators.is_empty() {
            return Err(Error::input("needs at least one estimator").flag("--estimators"));
        }
        if self.probe_split == ProbeSplit::Validation && self.dev.is_none() {
            return Err(Error::input("--probe-split validation needs a validation file").flag("--dev"));
        }
        Ok(())
    }

    /// What would be said in vain beside checkpoints, and in vain without them.
    fn validate_checkpoints(&self) -> Result<()> {
        let (flag, what) = match (&self.checkpoints, &self.method[..]) {
            (None, _) if self.strict => ("--strict", "says something about --checkpoints only"),
            (Some(_), [_, ..]) => ("--method", "cannot be used with --checkpoints, which are fine-tuned already"),
            _ => return Ok(()),
        };
        Err(Error::input(what).flag(flag).next("leave it out"))
    }

    /// How the stage is trained that is probed: that of the first method.
    ///
    /// # Errors
    /// If the spec does not say it.
    pub fn last_stage(&self) -> Result<StageTraining> {
        let model =
            || StageTraining { steps: self.steps, probe_every: self.probe_every, training: self.training.clone() };
        let stage = self.method.first().and_then(|method| method.stages().last());
        match stage.map(|stage| (stage, stage.budget)) {
            None | Some((_, Budget::Model)) => Ok(model()),
            Some((stage, _)) => {
                let stages = self.stages.as_ref().ok_or_else(|| align_methods::missing(&self.method))?;
                Ok(StageTraining { probe_every: self.probe_every, ..stages.training(stage, &model()) })
            }
        }
    }

    /// The steps at which the first method is probed, in order: 0, every `probe_every`, and the last.
    ///
    /// # Errors
    /// As [`GradientAlign::last_stage`].
    pub fn probe_steps(&self) -> Result<Vec<u64>> {
        Ok(super::label_ratio::probe_steps(self.last_stage()?.steps, self.probe_every))
    }
}

impl Training {
    /// What probes have of it: batches, memory, dropout and the loss. All else is as if nobody had said it.
    pub fn of_probes(self) -> Self {
        let Self { batch_size, micro_batch_tokens, low_memory, dropout, label_smoothing, smoothing, z_loss, .. } = self;
        Self {
            batch_size,
            micro_batch_tokens,
            low_memory,
            dropout,
            label_smoothing,
            smoothing,
            z_loss,
            ..Self::default()
        }
    }
}
