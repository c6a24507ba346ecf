//! Cutting a batch into micro-batches whose gradients add up exactly.

use super::batch::{Batch, Mix, Packed};
use super::config::T5Config;
use crate::error::Result;

/// A whole batch before it is cut: B sources, L·B targets (row l·B + i is example i's target in lane l), K losses.
#[derive(Debug)]
pub struct Whole<'a> {
    /// Source ids of each example, eos included.
    pub sources: Vec<&'a [u32]>,
    /// Identity of each example, for dropout.
    pub keys: Vec<u64>,
    /// Target ids of each row, eos included.
    pub targets: Vec<&'a [u32]>,
    /// `[K][L·B]`: the weight of each row in each loss.
    pub weights: Vec<Vec<f32>>,
}

impl<'a> Whole<'a> {
    /// A batch for training: one loss, the sum over its examples.
    pub fn training(sources: Vec<&'a [u32]>, keys: Vec<u64>, targets: Vec<&'a [u32]>) -> Self {
        let weights = vec![vec![1.0; targets.len()]];
        Self { sources, keys, targets, weights }
    }

    /// Cuts it, in order, into batches of at most `tokens` source tokens (a longer example stands alone).
    ///
    /// # Errors
    /// As [`Batch::new`].
    pub fn cut(&self, tokens: usize, config: &T5Config) -> Result<Vec<Batch>> {
        let examples = self.sources.len();
        let lanes = self.targets.len() / examples.max(1);
        let mut batches = Vec::new();
        let mut first = 0;
        while first < examples {
            let (mut last, mut total) = (first, 0);
            while last < examples && (last == first || total + self.sources[last].len() <= tokens) {
                total += self.sources[last].len();
                last += 1;
            }
            let rows: Vec<usize> =
                (0..lanes).flat_map(|lane| (first..last).map(move |i| lane * examples + i)).collect();
            let weights: Vec<Vec<f32>> =
                self.weights.iter().map(|weights| rows.iter().map(|&row| weights[row]).collect()).collect();
            batches.push(Batch::new(
                Packed::new(&self.sources[first..last]),
                &self.keys[first..last],
                Packed::new(rows.iter().map(|&row| self.targets[row])),
                Mix::new(lanes, last - first, &weights),
                config.start(),
                config.pad(),
            )?);
            first = last;
        }
        Ok(batches)
    }
}
