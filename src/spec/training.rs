//! How a model is fine-tuned: optimizer, learning rate, batch, regularisation.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The optimizers, each agreeing with one named implementation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// Adafactor as T5X (and optax with T5X's settings): the paper's optimizer.
    #[serde(rename = "adafactor-t5x")]
    AdafactorT5x,
    /// Adafactor as Hugging Face transformers.
    AdafactorHf,
    /// AdamW as PyTorch.
    #[serde(rename = "adamw")]
    AdamW,
}

impl Optimizer {
    /// Every optimizer, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::AdafactorT5x, Self::AdafactorHf, Self::AdamW];

    /// The name on the command line, in specs and in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::AdafactorT5x => "adafactor-t5x",
            Self::AdafactorHf => "adafactor-hf",
            Self::AdamW => "adamw",
        }
    }

    /// The learning rate where none is given: the paper's 1e-3 for Adafactor (multiplied by the parameter's scale), and
    /// 1e-4 for AdamW, whose step is not scaled.
    pub fn default_lr(self) -> f64 {
        match self {
            Self::AdafactorT5x | Self::AdafactorHf => 1e-3,
            Self::AdamW => 1e-4,
        }
    }
}

/// What Adafactor's second moments start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdafactorState {
    /// Nothing: t = 1, so that the first steps are sign-like. Hugging Face folders carry no slots.
    Fresh,
    /// The slots and step count of a T5X checkpoint, as in the paper. Not supported yet.
    T5x,
}

impl AdafactorState {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Fresh, Self::T5x];

    /// The name on the command line, in specs and in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::T5x => "t5x",
        }
    }
}

/// Where label smoothing puts its mass ε, over a vocabulary of V (padded columns included).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Smoothing {
    /// 1−ε on the target, ε/(V−1) on each other token (T5X).
    T5x,
    /// 1−ε on the target and ε/V on every token (PyTorch, Hugging Face).
    Hf,
}

impl Smoothing {
    /// Both definitions.
    pub const ALL: [Self; 2] = [Self::T5x, Self::Hf];

    /// The name on the command line, in specs and in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::T5x => "t5x",
            Self::Hf => "hf",
        }
    }
}

/// Options of fine-tuning. Defaults are the paper's (A.2.4) and T5X's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The optimizer.
    pub optimizer: Optimizer,
    /// What Adafactor's state starts from; without meaning for AdamW.
    pub adafactor_state: AdafactorState,
    /// Learning rate, constant after the warm-up.
    pub lr: f64,
    /// Steps over which the learning rate rises linearly from `lr / warmup_steps`; 0 for none.
    pub warmup_steps: u64,
    /// Weight decay, as the optimizer defines it.
    pub weight_decay: f64,
    /// Examples per step.
    pub batch_size: usize,
    /// Source tokens (without padding) that go through the model at once; a batch is cut into micro-batches of at most this
    /// many, and their gradients are summed exactly.
    pub micro_batch_tokens: usize,
    /// Dropout rate in training.
    pub dropout: f64,
    /// Label smoothing ε.
    pub label_smoothing: f64,
    /// Which definition of label smoothing.
    pub smoothing: Smoothing,
    /// Weight of the squared log normaliser in the loss (T5X's z-loss); 0 for none.
    pub z_loss: f64,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            optimizer: Optimizer::AdafactorT5x,
            adafactor_state: AdafactorState::Fresh,
            lr: Optimizer::AdafactorT5x.default_lr(),
            warmup_steps: 0,
            weight_decay: 0.0,
            batch_size: 64,
            micro_batch_tokens: 4096,
            dropout: 0.1,
            label_smoothing: 0.1,
            smoothing: Smoothing::T5x,
            z_loss: 0.0,
        }
    }
}

impl Training {
    /// The learning rate at step `step`, counted from 0.
    pub fn lr_at(&self, step: u64) -> f64 {
        if step < self.warmup_steps { self.lr * (step + 1) as f64 / self.warmup_steps as f64 } else { self.lr }
    }

    /// Errors on the first option that cannot be meant, naming its flag.
    pub fn validate(&self) -> Result<()> {
        if self.adafactor_state == AdafactorState::T5x {
            return Err(Error::input("reading T5X's optimizer state is not supported yet")
                .flag("--adafactor-state")
                .next("use `fresh`, and name it beside any comparison with the paper"));
        }
        positive("--lr", self.lr)?;
        at_least_one("--batch-size", self.batch_size as u64)?;
        at_least_one("--micro-batch-tokens", self.micro_batch_tokens as u64)?;
        rate("--dropout", self.dropout)?;
        rate("--label-smoothing", self.label_smoothing)?;
        not_negative("--weight-decay", self.weight_decay)?;
        not_negative("--z-loss", self.z_loss)
    }
}

pub(super) fn at_least_one(flag: &str, value: u64) -> Result<()> {
    match value {
        0 => Err(Error::input("must be at least 1, not 0").flag(flag)),
        _ => Ok(()),
    }
}

pub(super) fn at_most(flag: &str, value: u64, most: u64) -> Result<()> {
    match value > most {
        true => Err(Error::input(format!("must be at most {most}, not {value}")).flag(flag)),
        false => Ok(()),
    }
}

fn positive(flag: &str, value: f64) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::input(format!("must be a positive number, not {value}")).flag(flag))
}

fn not_negative(flag: &str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::input(format!("must be 0 or more, not {value}")).flag(flag))
}

fn rate(flag: &str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::input(format!("must be at least 0 and below 1, not {value}")).flag(flag))
}
