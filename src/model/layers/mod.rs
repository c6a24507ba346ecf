//! Layers: each has a forward pass that saves what its backward pass needs, and a backward pass that maps cotangents of the
//! output (one per lane) to cotangents of the input and pushes parameter gradients.

pub(crate) mod attention;
pub(crate) mod bias;
pub use bias::relative_position_bucket;
pub(crate) mod embedding;
pub(crate) mod feed_forward;
pub(crate) mod head;
pub(crate) mod norm;
#[cfg(test)]
mod tests;

use candle_core::Tensor;

use super::batch::Layout;
use super::dropout::{Dropout, Mask};
use super::gradient::{Collector, Part};
use super::params::Param;
use crate::error::Result;
use std::sync::Arc;

/// y = x Wᵀ, without bias. W is [out, in].
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    pub weight: Param,
}

impl Linear {
    /// `[tokens, in]` → `[tokens, out]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.matmul(&self.weight.value().t()?)?)
    }

    /// `[tokens, out]` cotangents → `[tokens, in]`; `x` is the input of the forward pass.
    pub fn backward(&self, x: &Tensor, dy: &Tensor, layout: &Arc<Layout>, grads: &mut Collector) -> Result<Tensor> {
        grads.push(&self.weight, Part::Product { x: x.clone(), dy: dy.clone(), layout: layout.clone() });
        Ok(dy.matmul(self.weight.value())?)
    }
}

/// The places of one stack where dropout is applied, numbered so that no two of a model share a number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    /// 0 for the encoder, 1 for the decoder.
    pub stack: u64,
    /// Block number.
    pub block: u64,
    /// Sublayer within the block.
    pub sublayer: u64,
}

impl Places {
    /// Mask of place `what` (below 8) of this sublayer; none without dropout.
    pub fn mask(&self, dropout: Option<Dropout>, what: u64) -> Option<Mask> {
        let number = ((self.stack * 4096 + self.block) * 8 + self.sublayer) * 8 + what;
        dropout.filter(|dropout| dropout.rate > 0.0).map(|dropout| dropout.at(number))
    }
}
