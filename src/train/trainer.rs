//! One fine-tuning step: forward, backward, and the optimizer applied to each parameter the moment its gradient exists.

use super::optimizer::Optimizers;
use crate::error::{Error, Result};
use crate::model::dropout::Dropout;
use crate::model::loss::LossOptions;
use crate::model::t5::Pass;
use crate::model::{Batch, Gradient, Sink, T5};
use crate::spec::{Seeds, Training};

/// Fine-tunes a model.
#[derive(Debug, Clone)]
pub struct Trainer {
    training: Training,
    seeds: Seeds,
    optimizer: Optimizers,
}

/// The sink that steps.
struct StepSink<'a> {
    optimizer: &'a mut Optimizers,
    lr: f64,
}

impl Sink for StepSink<'_> {
    fn wants(&self, _: &str) -> bool {
        true
    }

    fn take(&mut self, gradient: &Gradient) -> Result<()> {
        self.optimizer.step(gradient.param(), &gradient.dense(0)?, self.lr)
    }
}

impl Trainer {
    /// A trainer at step 0.
    pub fn new(training: &Training, seeds: Seeds) -> Self {
        Self { training: training.clone(), seeds, optimizer: Optimizers::new(training) }
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

    /// Takes one step on `batches`, the micro-batches of one batch of one loss. Returns the mean loss over target tokens.
    ///
    /// # Errors
    /// If the loss is not a finite number: the model is then as it was before the step.
    pub fn step(&mut self, model: &T5, batches: &[Batch]) -> Result<f64> {
        let step = self.optimizer.steps();
        let tokens: usize = batches.iter().map(Batch::target_tokens).sum();
        let scale = 1.0 / tokens.max(1) as f64;
        let dropout = Dropout { rate: self.training.dropout, key: self.seeds.key("train.dropout", &[step]) };
        let pass = Pass { dropout: Some(dropout), loss: LossOptions::from(&self.training), scale };
        let tape = model.forward(batches, pass)?;
        let loss = tape.losses().first().copied().unwrap_or(0.0) * scale;
        if !loss.is_finite() {
            return Err(Error::check(format!("the loss at step {step} is {loss}"))
                .next("lower --lr, or look at the data; the rows so far are complete"));
        }
        self.optimizer.begin_step();
        let lr = self.training.lr_at(step);
        model.backward(tape, &mut StepSink { optimizer: &mut self.optimizer, lr })?;
        Ok(loss)
    }
}
