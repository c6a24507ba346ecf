//! The output head with its loss: logits = h Wᵀ, and cross-entropy over them.

use std::sync::Arc;

use candle_core::Tensor;
use rayon::prelude::*;

use super::super::array::{exp, max, simd, sum, update};
use super::super::batch::{IGNORED, Layout};
use super::super::gradient::Collector;
use super::super::loss::LossOptions;
use super::super::params::Param;
use super::Linear;
use crate::error::{Error, Result};

/// The head; tied to the embedding where `weight` is the embedding's.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub linear: Linear,
    /// What hidden states are multiplied by before: d_model^−½ where the model was trained so.
    pub scale: f64,
}

/// The loss of every row, and what the backward pass needs.
pub(crate) struct Saved {
    h: Tensor,
    dlogits: Tensor,
    /// Per row of the batch: Σ over its target tokens.
    pub loss: Vec<f64>,
}

impl Head {
    /// A copy whose linear map is [for few tokens](Linear::transposed).
    pub fn transposed(&self) -> Result<Self> {
        Ok(Self { linear: self.linear.transposed()?, scale: self.scale })
    }

    /// `[M, H]` → logits `[M, V]`.
    pub fn logits(&self, h: &Tensor) -> Result<Tensor> {
        self.linear.forward(&self.scaled(h)?)
    }

    fn scaled(&self, h: &Tensor) -> Result<Tensor> {
        if self.scale == 1.0 { Ok(h.clone()) } else { Ok((h * self.scale)?) }
    }

    /// The loss of hidden states `h` [M, H] on `labels` [M]. Its cotangents of the logits are made at once, times `seed`.
    pub fn forward(
        &self,
        h: &Tensor,
        labels: &[u32],
        layout: &Layout,
        options: LossOptions,
        seed: f64,
    ) -> Result<Saved> {
        let h = self.scaled(h)?;
        let logits = self.linear.forward(&h)?;
        let vocab = logits.dim(1)?;
        if let Some(label) = labels.iter().find(|&&label| label != IGNORED && label as usize >= vocab) {
            return Err(Error::input(format!("label id {label} is outside the head, which has {vocab} rows"))
                .parameter(self.linear.weight.name())
                .next("use the tokenizer that belongs to the model"));
        }
        let losses = std::sync::Mutex::new(vec![0f64; labels.len()]);
        update(&logits, |logits| {
            let each: Vec<f64> = logits
                .par_chunks_mut(vocab)
                .zip(labels)
                .map(|(logits, &label)| {
                    simd(
                        #[inline(always)]
                        || cross_entropy(logits, label, options, seed),
                    )
                })
                .collect();
            *losses.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = each;
        })?;
        let losses = losses.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        let loss = (0..layout.rows()).map(|row| losses[layout.activation(row)].iter().sum()).collect();
        Ok(Saved { h, dlogits: logits, loss })
    }

    /// Cotangents of the hidden states.
    pub fn backward(&self, saved: Saved, layout: &Arc<Layout>, grads: &mut Collector) -> Result<Tensor> {
        let dh = self.linear.backward(&saved.h, &saved.dlogits, None, layout, grads)?;
        self.scaled(&dh)
    }

    /// The head's parameter.
    pub fn weight(&self) -> &Param {
        &self.linear.weight
    }
}

/// The loss of one token; `logits` becomes its gradient times `seed`.
#[inline(always)]
fn cross_entropy(logits: &mut [f32], label: u32, options: LossOptions, seed: f64) -> f64 {
    if label == IGNORED {
        logits.fill(0.0);
        return 0.0;
    }
    let label = label as usize;
    let (on, off) = options.weights(logits.len());
    let top = max(logits);
    let target = (logits[label] - top) as f64;
    // Σ (z − top), needed only where every token has weight.
    let total = if off > 0.0 { sum(logits) as f64 - top as f64 * logits.len() as f64 } else { 0.0 };
    for value in logits.iter_mut() {
        *value = exp(*value - top);
    }
    let z = sum(logits);
    let log_z = (z as f64).ln();
    // Absolute log Z for the z-loss; differences are relative to `top`.
    let absolute = log_z + top as f64;
    let loss = log_z - (on - off) * target - off * total + options.z_loss * absolute * absolute;
    let slope = (1.0 + 2.0 * options.z_loss * absolute) * seed / z as f64;
    let (slope, off_seed) = (slope as f32, (off * seed) as f32);
    for value in logits.iter_mut() {
        *value = value.mul_add(slope, -off_seed);
    }
    logits[label] -= ((on - off) * seed) as f32;
    loss
}
