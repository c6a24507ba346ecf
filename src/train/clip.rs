//! Clipping by the global norm, as torch.nn.utils.clip_grad_norm_: the one thing in training that needs every gradient before
//! the first step.

use candle_core::Tensor;

use super::optimizer::Optimizers;
use crate::error::{Error, Result};
use crate::model::{Gradient, Param, Sink, read, sum_of_squares, update};
use crate::spec::Training;

/// PyTorch's guard against a division by zero.
const EPS: f64 = 1e-6;

/// Multiplies all `gradients` by min(1, max / (norm + 1e-6)), where norm is that of all of them together, and returns it.
///
/// # Errors
/// If the norm is not a finite number; the gradients then stay.
pub fn clip_grad_norm<'a>(gradients: impl Iterator<Item = &'a Tensor> + Clone, max: f64) -> Result<f64> {
    let mut squares = 0.0;
    for gradient in gradients.clone() {
        squares += sum_of_squares(&read(gradient)?);
    }
    let norm = squares.sqrt();
    if !norm.is_finite() {
        return Err(Error::check(format!("the norm of the gradient is {norm}")));
    }
    let factor = (max / (norm + EPS)) as f32;
    if factor < 1.0 {
        for gradient in gradients {
            update(gradient, |values| values.iter_mut().for_each(|value| *value *= factor))?;
        }
    }
    Ok(norm)
}

/// The sink that holds every gradient until all are there.
pub(super) struct Held<'a> {
    training: &'a Training,
    gradients: Vec<(Param, Tensor)>,
}

impl Sink for Held<'_> {
    fn wants(&self, name: &str) -> bool {
        self.training.trains(name)
    }

    fn take(&mut self, gradient: &Gradient) -> Result<()> {
        self.gradients.push((gradient.param().clone(), gradient.dense(0)?));
        Ok(())
    }
}

impl<'a> Held<'a> {
    /// Of the parameters that `training` trains.
    pub fn new(training: &'a Training) -> Self {
        Self { training, gradients: Vec::new() }
    }

    /// Clips.
    pub fn clip(&self, max: f64) -> Result<f64> {
        clip_grad_norm(self.gradients.iter().map(|(_, gradient)| gradient), max)
    }

    /// Steps every parameter, in the order in which the backward pass completed them.
    pub fn step(self, optimizer: &mut Optimizers, lr: f64) -> Result<()> {
        self.gradients.iter().try_for_each(|(param, gradient)| optimizer.step(param, gradient, lr))
    }
}
