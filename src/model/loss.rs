//! What the loss is: label smoothing, z-loss, and by how much sums are scaled.

use crate::spec::{Smoothing, Training};

/// Cross-entropy over the vocabulary, with options.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossOptions {
    /// ε; 0 for none.
    pub label_smoothing: f64,
    /// Where ε goes.
    pub smoothing: Smoothing,
    /// Weight of (log Z)²; 0 for none.
    pub z_loss: f64,
}

impl LossOptions {
    /// Plain cross-entropy.
    pub const PLAIN: Self = Self { label_smoothing: 0.0, smoothing: Smoothing::T5x, z_loss: 0.0 };

    /// (Weight of the target token, weight of each other token) over a vocabulary of `vocab`: together they sum to 1.
    pub fn weights(&self, vocab: usize) -> (f64, f64) {
        let (e, v) = (self.label_smoothing, vocab as f64);
        match self.smoothing {
            Smoothing::T5x => (1.0 - e, if vocab > 1 { e / (v - 1.0) } else { 0.0 }),
            Smoothing::Hf => (1.0 - e + e / v, e / v),
        }
    }
}

impl From<&Training> for LossOptions {
    fn from(training: &Training) -> Self {
        Self { label_smoothing: training.label_smoothing, smoothing: training.smoothing, z_loss: training.z_loss }
    }
}
