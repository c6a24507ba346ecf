//! One training step: forward, backward, and the optimizer applied to each parameter the moment its gradient exists; with
//! clipping, once all of them do.

use serde::{Deserialize, Serialize};

use super::clip::Held;
use super::optimizer::Optimizers;
use crate::error::{Error, Result};
use crate::model::dropout::Dropout;
use crate::model::loss::LossOptions;
use crate::model::t5::Pass;
use crate::model::{Batch, Gradient, Sink, T5};
use crate::spec::{Seeds, Training};

/// Trains a model.
#[derive(Debug, Clone)]
pub struct Trainer {
    training: Training,
    /// Steps of the whole run, which a schedule depends on.
    planned: u64,
    losses: Losses,
    seeds: Seeds,
    optimizer: Optimizers,
}

/// The losses of the steps since somebody last asked.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Losses {
    sum: f64,
    steps: u64,
}

/// The sink that steps.
struct StepSink<'a> {
    training: &'a Training,
    optimizer: &'a mut Optimizers,
    lr: f64,
}

impl Sink for StepSink<'_> {
    fn wants(&self, name: &str) -> bool {
        self.training.trains(name)
    }

    fn take(&mut self, gradient: &Gradient) -> Result<()> {
        self.optimizer.step_by(gradient, self.lr)
    }
}

impl Trainer {
    /// A trainer at step 0 of a run of `planned` steps.
    pub fn new(training: &Training, planned: u64, seeds: Seeds) -> Self {
        let optimizer = Optimizers::new(training);
        Self { training: training.clone(), planned, losses: Losses::default(), seeds, optimizer }
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.optimizer.steps()
    }

    /// The optimizer and its state.
    pub fn optimizer(&self) -> &Optimizers {
        &self.optimizer
    }

    /// The optimizer, to restore its state.
    pub fn optimizer_mut(&mut self) -> &mut Optimizers {
        &mut self.optimizer
    }

    /// Mean of the losses of all steps since [`Trainer::forget_losses`]; none if there was no step.
    pub fn mean_loss(&self) -> Option<f64> {
        (self.losses.steps > 0).then(|| self.losses.sum / self.losses.steps as f64)
    }

    /// Begins a new mean.
    pub fn forget_losses(&mut self) {
        self.losses = Losses::default();
    }

    pub(super) fn losses(&self) -> Losses {
        self.losses
    }

    pub(super) fn restore_losses(&mut self, losses: Losses) {
        self.losses = losses;
    }

    /// Takes one step on `batches`, the micro-batches of one batch of one loss. Returns the mean loss over target tokens.
    ///
    /// # Errors
    /// If the loss, or with clipping the gradient, is not a finite number: the model is then as it was before the step.
    pub fn step(&mut self, model: &T5, batches: &[Batch]) -> Result<f64> {
        let step = self.optimizer.steps();
        let tokens: usize = batches.iter().map(Batch::target_tokens).sum();
        let scale = 1.0 / tokens.max(1) as f64;
        let dropout = Dropout { rate: self.training.dropout, key: self.seeds.key("train.dropout", &[step]) };
        let Training { low_memory, .. } = self.training;
        let pass = Pass { dropout: Some(dropout), loss: LossOptions::from(&self.training), scale, low_memory };
        let tape = model.forward(batches, pass)?;
        let loss = tape.losses().first().copied().unwrap_or(0.0) * scale;
        if !loss.is_finite() {
            return Err(Error::check(format!("the loss at step {step} is {loss}"))
                .next("lower --lr, or look at the data; the rows so far are complete"));
        }
        let lr = self.training.lr_at(step, self.planned);
        if self.training.max_grad_norm > 0.0 {
            let mut held = Held::new(&self.training);
            model.backward(tape, &mut held)?;
            held.clip(self.training.max_grad_norm)?;
            self.optimizer.begin_step();
            held.step(&mut self.optimizer, lr)?;
        } else {
            self.optimizer.begin_step();
            let mut sink = StepSink { training: &self.training, optimizer: &mut self.optimizer, lr };
            model.backward(tape, &mut sink)?;
        }
        self.losses.sum += loss;
        self.losses.steps += 1;
        Ok(loss)
    }
}
