//! How a model is fine-tuned: optimizer, learning rate, batch, regularisation.

use serde::{Deserialize, Serialize};

use super::trainable;
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

/// How the learning rate moves after the warm-up.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Not at all.
    #[default]
    Constant,
    /// Down a half cosine, from `lr` at the first step after the warm-up to `lr_floor`·`lr` at the last step (PyTorch's
    /// `CosineAnnealingLR`).
    Cosine,
}

impl Schedule {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Constant, Self::Cosine];

    /// The name on the command line, in specs and in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Cosine => "cosine",
        }
    }
}

/// AdamW's usual β1, for specs written before there was a choice.
fn usual_beta1() -> f64 {
    0.9
}

/// AdamW's usual β2.
fn usual_beta2() -> f64 {
    0.999
}

/// Adafactor multiplies by the parameter's scale, for specs written before there was a choice.
fn scaled() -> bool {
    true
}

/// Every parameter.
fn everything() -> String {
    trainable::EVERYTHING.to_string()
}

/// Options of fine-tuning. Defaults are the paper's (A.2.4) and T5X's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The optimizer.
    pub optimizer: Optimizer,
    /// What Adafactor's state starts from; without meaning for AdamW.
    pub adafactor_state: AdafactorState,
    /// Whether Adafactor multiplies the learning rate by the RMS of the parameter; off for soft prompts. Without meaning for AdamW.
    #[serde(default = "scaled")]
    pub scale_parameter: bool,
    /// Learning rate that the warm-up ends at.
    pub lr: f64,
    /// How it moves after the warm-up.
    #[serde(default)]
    pub schedule: Schedule,
    /// Share of `lr` that the last step has; without meaning for the constant schedule.
    #[serde(default)]
    pub lr_floor: f64,
    /// Steps over which the learning rate rises linearly from `lr / warmup_steps`; 0 for none.
    pub warmup_steps: u64,
    /// Weight decay, as the optimizer defines it.
    pub weight_decay: f64,
    /// AdamW's β1, the share that the mean of gradients keeps at each step; without meaning for Adafactor.
    #[serde(default = "usual_beta1")]
    pub beta1: f64,
    /// AdamW's β2, the same of the mean of squared gradients.
    #[serde(default = "usual_beta2")]
    pub beta2: f64,
    /// Norm of the whole gradient above which it is scaled down to it (PyTorch's `clip_grad_norm_`); 0 for never. Otherwise all
    /// gradients are in memory at once.
    #[serde(default)]
    pub max_grad_norm: f64,
    /// Which parameters are trained: patterns over Hugging Face's names with commas between, where `*` stands for any text. All
    /// others keep their values.
    #[serde(default = "everything")]
    pub trainable: String,
    /// Examples per step.
    pub batch_size: usize,
    /// Source tokens (without padding) that go through the model at once; a batch is cut into micro-batches of at most this
    /// many, and their gradients are summed exactly.
    pub micro_batch_tokens: usize,
    /// Whether a block's activations are computed a second time in the backward pass instead of being kept: the same numbers,
    /// with less memory and in more time. No part of what decides the numbers, so that a run may be gone on with in another way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub low_memory: bool,
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
            scale_parameter: scaled(),
            lr: Optimizer::AdafactorT5x.default_lr(),
            schedule: Schedule::Constant,
            lr_floor: 0.0,
            warmup_steps: 0,
            weight_decay: 0.0,
            beta1: usual_beta1(),
            beta2: usual_beta2(),
            max_grad_norm: 0.0,
            trainable: everything(),
            batch_size: 64,
            micro_batch_tokens: 4096,
            low_memory: false,
            dropout: 0.1,
            label_smoothing: 0.1,
            smoothing: Smoothing::T5x,
            z_loss: 0.0,
        }
    }
}

impl Training {
    /// The learning rate at step `step`, counted from 0, of `steps`.
    pub fn lr_at(&self, step: u64, steps: u64) -> f64 {
        if step < self.warmup_steps {
            return self.lr * (step + 1) as f64 / self.warmup_steps as f64;
        }
        match self.schedule {
            Schedule::Constant => self.lr,
            Schedule::Cosine => {
                let length = steps.saturating_sub(self.warmup_steps + 1).max(1);
                let progress = ((step - self.warmup_steps) as f64 / length as f64).min(1.0);
                let above = 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
                self.lr * (self.lr_floor + (1.0 - self.lr_floor) * above)
            }
        }
    }

    /// For signatures: what only some runs choose, each named. A run that chose none of it keeps the signature that it had before
    /// there was a choice.
    pub fn further_choices(&self) -> Vec<String> {
        let mut choices = Vec::new();
        if self.optimizer != Optimizer::AdamW && !self.scale_parameter {
            choices.push("scale-parameter:off".to_string());
        }
        if self.schedule == Schedule::Cosine {
            choices.push(format!("schedule:{}-{}", self.schedule.name(), self.lr_floor));
        }
        if self.optimizer == Optimizer::AdamW && (self.beta1, self.beta2) != (usual_beta1(), usual_beta2()) {
            choices.push(format!("betas:{},{}", self.beta1, self.beta2));
        }
        if self.max_grad_norm > 0.0 {
            choices.push(format!("max-grad-norm:{}", self.max_grad_norm));
        }
        if !self.trains_everything() {
            choices.push(format!("trainable:{}", self.trainable));
        }
        choices
    }

    /// For signatures: all of it in one part, `steps` being how long it is.
    pub fn signature(&self, steps: &str) -> String {
        let further: String =
            self.further_choices().iter().map(|choice| format!(":{}", choice.replacen(':', "", 1))).collect();
        format!(
            "{}({}):steps{steps}:lr{}:warmup{}:wd{}:batch{}:dropout{}:smoothing-{}{}:z-loss{}{further}",
            self.optimizer.name(),
            self.adafactor_state.name(),
            self.lr,
            self.warmup_steps,
            self.weight_decay,
            self.batch_size,
            self.dropout,
            self.smoothing.name(),
            self.label_smoothing,
            self.z_loss,
        )
    }

    /// Whether the parameter `name` is trained.
    pub fn trains(&self, name: &str) -> bool {
        trainable::trains(&self.trainable, name)
    }

    /// Whether no parameter is frozen.
    pub fn trains_everything(&self) -> bool {
        self.trainable == trainable::EVERYTHING
    }

    /// Errors if a pattern of `trainable` stands for none of the model's `names`.
    pub fn check_trainable<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<()> {
        trainable::check(&self.trainable, names)
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
        if !(0.0..=1.0).contains(&self.lr_floor) {
            return Err(Error::input(format!("must be from 0 to 1, not {}", self.lr_floor)).flag("--lr-floor"));
        }
        rate("--beta1", self.beta1)?;
        rate("--beta2", self.beta2)?;
        not_negative("--max-grad-norm", self.max_grad_norm)?;
        trainable::validate(&self.trainable)?;
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

pub(super) fn positive(flag: &str, value: f64) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::input(format!("must be a positive number, not {value}")).flag(flag))
}

pub(super) fn not_negative(flag: &str, value: f64) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_from_before_there_was_a_choice_reads_as_it_was_meant() {
        let text = toml::to_string(&Training::default()).unwrap();
        let new = ["scale_parameter", "schedule", "lr_floor", "beta1", "beta2", "max_grad_norm", "trainable"];
        let old: Vec<&str> = text.lines().filter(|line| !new.iter().any(|key| line.starts_with(key))).collect();
        assert_eq!(text.lines().count(), old.len() + new.len());
        assert_eq!(toml::from_str::<Training>(&old.join("\n")).unwrap(), Training::default());
        assert!(Training::default().further_choices().is_empty());
    }

    #[test]
    fn an_unscaled_adafactor_is_named() {
        let unscaled = |optimizer| Training { optimizer, scale_parameter: false, ..Training::default() };
        assert_eq!(unscaled(Optimizer::AdafactorT5x).further_choices(), ["scale-parameter:off"]);
        assert_eq!(unscaled(Optimizer::AdafactorHf).further_choices(), ["scale-parameter:off"]);
        assert!(unscaled(Optimizer::AdamW).further_choices().is_empty());
    }

    #[test]
    fn the_cosine_goes_from_lr_to_its_floor() {
        let training =
            Training { lr: 2.0, schedule: Schedule::Cosine, lr_floor: 0.25, warmup_steps: 2, ..Training::default() };
        let rates: Vec<f64> = (0..7).map(|step| training.lr_at(step, 7)).collect();
        assert_eq!((rates[0], rates[1], rates[2]), (1.0, 2.0, 2.0));
        assert!((rates[4] - 1.25).abs() < 1e-12 && (rates[6] - 0.5).abs() < 1e-12, "{rates:?}");
        assert!(rates[2..].is_sorted_by(|a, b| a > b));
        // A run that is all warm-up, or one step longer.
        assert_eq!([training.lr_at(1, 2), training.lr_at(2, 3)], [2.0, 2.0]);
    }

    #[test]
    fn what_cannot_be_meant_names_its_flag() {
        for (flag, training) in [
            ("--lr-floor", Training { lr_floor: 1.5, ..Training::default() }),
            ("--beta1", Training { beta1: 1.0, ..Training::default() }),
            ("--beta2", Training { beta2: -0.1, ..Training::default() }),
            ("--max-grad-norm", Training { max_grad_norm: f64::NAN, ..Training::default() }),
        ] {
            assert!(training.validate().unwrap_err().to_string().starts_with(&format!("{flag}: must be")));
        }
    }
}
