//! How probable given outputs are.

use rayon::prelude::*;

use super::array::{max, read};
use super::batch::{Batch, IGNORED};
use super::t5::T5;
use crate::error::Result;

impl T5 {
    /// Σ log p of each row's labels (lane l, example i at l·B + i), in f64, without dropout. Labels need not end in eos: the
    /// probability is then that of all outputs that begin with them.
    ///
    /// # Errors
    /// If an id is outside the vocabulary.
    pub fn log_probabilities(&self, batch: &Batch) -> Result<Vec<f64>> {
        let logits = self.logits(batch, None)?;
        let vocab = logits.dim(1)?;
        let logits = read(&logits)?;
        let each: Vec<f64> = logits
            .par_chunks(vocab)
            .zip(batch.labels.ids())
            .map(|(logits, &label)| {
                if label == IGNORED {
                    return 0.0;
                }
                let top = max(logits);
                let z: f64 = logits.iter().map(|&value| f64::from(value - top).exp()).sum();
                // An id beyond the head has no probability.
                logits.get(label as usize).map_or(f64::NEG_INFINITY, |&value| f64::from(value - top) - z.ln())
            })
            .collect();
        Ok((0..batch.decoder.rows()).map(|row| each[batch.decoder.activation(row)].iter().sum()).collect())
    }
}
