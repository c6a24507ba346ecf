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

use super::array::transpose;
use super::batch::Layout;
use super::dropout::{Dropout, Mask};
use super::gradient::{Collector, Part};
use super::matmul::product;
use super::params::Param;
use crate::error::Result;
use std::sync::Arc;

/// y = x Wᵀ, without bias, W being [out, in]; with a low-rank addition, y = x Wᵀ + scale·x Aᵀ Bᵀ.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    /// W, or Wᵀ where `transposed`.
    pub weight: Param,
    transposed: bool,
    low_rank: Option<LowRank>,
}

/// What LoRA (Hu et al. 2021) adds to a linear map.
#[derive(Debug, Clone)]
pub(crate) struct LowRank {
    /// A, [rank, in].
    pub a: Param,
    /// B, [out, rank].
    pub b: Param,
    pub scale: f64,
}

impl LowRank {
    /// scale·x Aᵀ, `[tokens, rank]`.
    fn inner(&self, x: &Tensor) -> Result<Tensor> {
        Ok(product(x, self.a.value(), true, None)?.affine(self.scale, 0.0)?)
    }
}

impl Linear {
    pub fn new(weight: Param) -> Self {
        Self { weight, transposed: false, low_rank: None }
    }

    /// The same with `low_rank` added.
    pub fn with(self, low_rank: Option<LowRank>) -> Self {
        Self { low_rank, ..self }
    }

    /// W and what is added to it.
    pub fn params(&self) -> impl Iterator<Item = &Param> {
        std::iter::once(&self.weight).chain(self.low_rank.iter().flat_map(|low_rank| [&low_rank.a, &low_rank.b]))
    }

    /// A copy for few tokens at a time: products of few rows read Wᵀ twice as fast as W, which gemm would pack at every call.
    pub fn transposed(&self) -> Result<Self> {
        let weight = Param::new(self.weight.name(), transpose(self.weight.value())?);
        Ok(Self { weight, transposed: true, low_rank: self.low_rank.clone() })
    }

    /// `[tokens, in]` → `[tokens, out]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.add(x, None)
    }

    /// `onto` [tokens, out] plus what [`forward`](Self::forward) gives, in place.
    pub fn forward_onto(&self, onto: Tensor, x: &Tensor) -> Result<Tensor> {
        self.add(x, Some(onto))
    }

    fn add(&self, x: &Tensor, onto: Option<Tensor>) -> Result<Tensor> {
        let y = product(x, self.weight.value(), !self.transposed, onto)?;
        match &self.low_rank {
            None => Ok(y),
            Some(low_rank) => product(&low_rank.inner(x)?, low_rank.b.value(), true, Some(y)),
        }
    }

    /// `[tokens, out]` cotangents → `[tokens, in]`, added in place to `onto` if there is one (another use of the same input);
    /// `x` is the input of the forward pass.
    pub fn backward(
        &self,
        x: &Tensor,
        dy: &Tensor,
        onto: Option<Tensor>,
        layout: &Arc<Layout>,
        grads: &mut Collector,
    ) -> Result<Tensor> {
        grads.push(&self.weight, Part::Product { x: x.clone(), dy: dy.clone(), layout: layout.clone() });
        let dx = product(dy, self.weight.value(), self.transposed, onto)?;
        let Some(low_rank) = &self.low_rank else { return Ok(dx) };
        let dinner = product(dy, low_rank.b.value(), false, None)?.affine(low_rank.scale, 0.0)?;
        grads.push(&low_rank.a, Part::Product { x: x.clone(), dy: dinner.clone(), layout: layout.clone() });
        if grads.wants(&low_rank.b) {
            let part = Part::Product { x: low_rank.inner(x)?, dy: dy.clone(), layout: layout.clone() };
            grads.push(&low_rank.b, part);
        }
        product(&dinner, low_rank.a.value(), false, Some(dx))
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
