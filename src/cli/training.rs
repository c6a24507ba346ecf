//! The options of fine-tuning as typed: every command that fine-tunes has them.

use clap::Args;
pub use fsa::spec::TASK;
use fsa::spec::{AdafactorState, Optimizer, Schedule, Smoothing, Training};
use fsa::{Error, Result};
use serde::Deserialize;

use super::choice::{self, one_of, switch, switch_name};
use super::lenient;
use super::options::{Layered, every_option};
use super::preset::by_preset;

/// The root seed where none is given.
pub const SEED: u64 = 0;

/// How the model is fine-tuned, and at which steps it is looked at; `None` where nothing was said.
#[derive(Debug, Default, Clone, PartialEq, Args, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct TrainingOptions {
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Fine-tuning")]
    #[arg(help = format!("Optimizer steps [default: {}]", by_preset(|of| of.align.steps)))]
    steps: Option<u64>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Fine-tuning")]
    #[arg(help = format!("Examples per step [default: {}]", by_preset(|of| of.batch_size)))]
    batch_size: Option<usize>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Fine-tuning")]
    #[arg(help = format!("Source tokens that go through the model at once; less takes less memory, the sums stay exact \
        [default: {}]", Training::default().micro_batch_tokens))]
    micro_batch_tokens: Option<usize>,
    /// Keep only the inputs of blocks and compute the rest again in the backward pass: the same numbers in a fifth more time
    #[arg(long, value_name = "SWITCH", value_parser = switch(), num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    #[arg(help_heading = "Fine-tuning")]
    #[serde(deserialize_with = "lenient::switch")]
    low_memory: Option<bool>,
    #[arg(long, value_name = "NAME", value_parser = one_of(&Optimizer::ALL, Optimizer::name), help_heading = "Fine-tuning")]
    #[arg(help = format!("The optimizer [default: {}]", Training::default().optimizer.name()))]
    optimizer: Option<Optimizer>,
    #[arg(long, value_name = "NAME", value_parser = one_of(&AdafactorState::ALL, AdafactorState::name), help_heading = "Fine-tuning")]
    #[arg(help = format!("What Adafactor's second moments start from [default: {}]", Training::default().adafactor_state.name()))]
    adafactor_state: Option<AdafactorState>,
    #[arg(long, value_name = "SWITCH", value_parser = switch(), help_heading = "Fine-tuning")]
    #[arg(help = format!("Whether Adafactor multiplies the learning rate by the parameter's RMS; off for soft prompts \
        [default: {}]", switch_name(Training::default().scale_parameter)))]
    #[serde(deserialize_with = "lenient::switch")]
    scale_parameter: Option<bool>,
    #[arg(long, value_name = "RATE", value_parser = choice::number, help_heading = "Fine-tuning")]
    #[arg(help = format!("Learning rate that the warm-up ends at [default: {}; {} for adamw]",
        by_preset(|of| of.lr), Optimizer::AdamW.default_lr()))]
    lr: Option<f64>,
    #[arg(long, value_name = "NAME", value_parser = one_of(&Schedule::ALL, Schedule::name), help_heading = "Fine-tuning")]
    #[arg(help = format!("How the learning rate moves after the warm-up [default: {}]", Training::default().schedule.name()))]
    schedule: Option<Schedule>,
    #[arg(long, value_name = "SHARE", value_parser = choice::number, help_heading = "Fine-tuning")]
    #[arg(help = format!("Share of --lr that a falling schedule ends at [default: {}]", Training::default().lr_floor))]
    lr_floor: Option<f64>,
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Fine-tuning")]
    #[arg(help = format!("Steps in which the learning rate rises to --lr [default: {}]", Training::default().warmup_steps))]
    warmup_steps: Option<u64>,
    #[arg(long, value_name = "RATE", value_parser = choice::number, help_heading = "Fine-tuning")]
    #[arg(help = format!("Weight decay, as the optimizer defines it [default: {}]", Training::default().weight_decay))]
    weight_decay: Option<f64>,
    #[arg(long, value_name = "RATE", value_parser = choice::number, help_heading = "Fine-tuning")]
    #[arg(help = format!("AdamW's decay of the mean of gradients [default: {}]", Training::default().beta1))]
    beta1: Option<f64>,
    #[arg(long, value_name = "RATE", value_parser = choice::number, help_heading = "Fine-tuning")]
    #[arg(help = format!("AdamW's decay of the mean of squared gradients [default: {}]", Training::default().beta2))]
    beta2: Option<f64>,
    #[arg(long, value_name = "NORM", value_parser = choice::number, help_heading = "Fine-tuning")]
    #[arg(help = format!("Scale gradients whose norm, over all parameters, is larger down to it; 0 for never [default: {}]",
        Training::default().max_grad_norm))]
    max_grad_norm: Option<f64>,
    #[arg(long, value_name = "PATTERNS", help_heading = "Fine-tuning")]
    #[arg(help = format!("Train only the parameters of these names, with commas between, where * is any text, such as \
        *layer_norm.weight [default: {}]", Training::default().trainable))]
    trainable: Option<String>,
    #[arg(long, value_name = "RATE", value_parser = choice::number, help_heading = "Fine-tuning")]
    #[arg(help = format!("Dropout rate, from 0 to below 1 [default: {}]", by_preset(|of| of.dropout)))]
    dropout: Option<f64>,
    #[arg(long, value_name = "RATE", value_parser = choice::number, help_heading = "Fine-tuning")]
    #[arg(help = format!("Label smoothing, from 0 to below 1 [default: {}]", by_preset(|of| of.label_smoothing)))]
    label_smoothing: Option<f64>,
    #[arg(long, value_name = "NAME", value_parser = one_of(&Smoothing::ALL, Smoothing::name), help_heading = "Fine-tuning")]
    #[arg(help = format!("Whose definition of label smoothing [default: {}]", Training::default().smoothing.name()))]
    smoothing: Option<Smoothing>,
    #[arg(long, value_name = "WEIGHT", value_parser = choice::number, help_heading = "Fine-tuning")]
    #[arg(help = format!("Weight of the squared log normaliser in the loss [default: {}]", Training::default().z_loss))]
    z_loss: Option<f64>,

    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Probing")]
    #[arg(help = format!("Steps between probes; the first and the last step are always probed [default: {}]",
        by_preset(|of| of.align.probe_every)))]
    probe_every: Option<u64>,
}

every_option! {
    TrainingOptions {
        steps batch_size micro_batch_tokens low_memory optimizer adafactor_state scale_parameter lr schedule lr_floor warmup_steps
        weight_decay beta1 beta2 max_grad_norm trainable dropout label_smoothing smoothing z_loss probe_every
    }
}

impl TrainingOptions {
    /// Options that leave nothing open.
    pub fn all_of(steps: u64, probe_every: u64, training: Training) -> Self {
        Self {
            steps: Some(steps),
            batch_size: Some(training.batch_size),
            micro_batch_tokens: Some(training.micro_batch_tokens),
            low_memory: Some(training.low_memory),
            optimizer: Some(training.optimizer),
            adafactor_state: Some(training.adafactor_state),
            scale_parameter: Some(training.scale_parameter),
            lr: Some(training.lr),
            schedule: Some(training.schedule),
            lr_floor: Some(training.lr_floor),
            warmup_steps: Some(training.warmup_steps),
            weight_decay: Some(training.weight_decay),
            beta1: Some(training.beta1),
            beta2: Some(training.beta2),
            max_grad_norm: Some(training.max_grad_norm),
            trainable: Some(training.trainable),
            dropout: Some(training.dropout),
            label_smoothing: Some(training.label_smoothing),
            smoothing: Some(training.smoothing),
            z_loss: Some(training.z_loss),
            probe_every: Some(probe_every),
        }
    }

    /// What these options over `defaults` say of probing somebody else's checkpoints. One that says how to fine-tune is an error.
    pub fn of_checkpoints(self, defaults: Training) -> Result<Training> {
        let training = self.clone().resolve_over(defaults).of_probes();
        // The spec of such a run, which may be its config, says of all options what they are.
        match self.differing(&Self::all_of(0, 1, training.clone())).first() {
            None => Ok(training),
            Some(key) => Err(Error::input("cannot be used with --checkpoints, which are fine-tuned already")
                .flag(format!("--{key}"))
                .next("leave one of the two out")),
        }
    }

    /// Optimizer steps, `default` where nobody said.
    pub fn steps_or(&self, default: u64) -> u64 {
        self.steps.unwrap_or(default)
    }

    /// Steps between probes, `default` where nobody said.
    pub fn probe_every_or(&self, default: u64) -> u64 {
        self.probe_every.unwrap_or(default)
    }

    /// How to train, with what `defaults` says for everything that nobody said; another optimizer than theirs brings its own
    /// learning rate.
    pub fn resolve_over(self, defaults: Training) -> Training {
        let optimizer = self.optimizer.unwrap_or(defaults.optimizer);
        let lr = if optimizer == defaults.optimizer { defaults.lr } else { optimizer.default_lr() };
        Training {
            optimizer,
            adafactor_state: self.adafactor_state.unwrap_or(defaults.adafactor_state),
            scale_parameter: self.scale_parameter.unwrap_or(defaults.scale_parameter),
            lr: self.lr.unwrap_or(lr),
            schedule: self.schedule.unwrap_or(defaults.schedule),
            lr_floor: self.lr_floor.unwrap_or(defaults.lr_floor),
            warmup_steps: self.warmup_steps.unwrap_or(defaults.warmup_steps),
            weight_decay: self.weight_decay.unwrap_or(defaults.weight_decay),
            beta1: self.beta1.unwrap_or(defaults.beta1),
            beta2: self.beta2.unwrap_or(defaults.beta2),
            max_grad_norm: self.max_grad_norm.unwrap_or(defaults.max_grad_norm),
            trainable: self.trainable.unwrap_or(defaults.trainable),
            batch_size: self.batch_size.unwrap_or(defaults.batch_size),
            micro_batch_tokens: self.micro_batch_tokens.unwrap_or(defaults.micro_batch_tokens),
            low_memory: self.low_memory.unwrap_or(defaults.low_memory),
            dropout: self.dropout.unwrap_or(defaults.dropout),
            label_smoothing: self.label_smoothing.unwrap_or(defaults.label_smoothing),
            smoothing: self.smoothing.unwrap_or(defaults.smoothing),
            z_loss: self.z_loss.unwrap_or(defaults.z_loss),
        }
    }
}
