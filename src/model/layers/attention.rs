//! Multi-head attention as a residual sublayer: x + drop(softmax(q kᵀ + bias) v · Wo), with q, k, v from the normed input
//! (self-attention) or k, v from the encoder's output (cross-attention). T5 does not divide scores by √d_kv.
//!
//! Scores are never stored: the backward pass computes them again, which costs two percent of a block's arithmetic and saves
//! heads·S numbers per token. The many small matmuls run one (sequence, head) per thread.

use std::sync::Arc;

use candle_core::Tensor;

use super::super::array::{read, tensor};
use super::super::batch::Layout;
use super::super::dropout::{Dropout, add_dropped, apply};
use super::super::gradient::Collector;
use super::super::params::Param;
use super::bias::{Bias, BiasGradient};
use super::norm::Norm;
use super::{Linear, Places};
use crate::error::Result;

mod kernel;
pub(crate) use kernel::{Heads, Segment};

/// Attention with its norm and residual connection.
#[derive(Debug, Clone)]
pub(crate) struct Attention {
    pub norm: Norm,
    pub q: Linear,
    pub k: Linear,
    pub v: Linear,
    pub o: Linear,
    pub heads: Heads,
    pub places: Places,
}

/// Where keys and values come from.
pub(crate) enum Source<'a> {
    /// The same normed input as the queries.
    Itself,
    /// The encoder's output and its layout.
    Encoder(&'a Tensor, &'a Arc<Layout>),
}

/// What the backward pass needs of the forward pass.
pub(crate) struct Saved {
    x: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    context: Tensor,
}

/// Places of dropout within the sublayer.
const WEIGHTS: u64 = 0;
const OUTPUT: u64 = 1;

impl Attention {
    /// A copy whose linear maps are [for few tokens](Linear::transposed).
    pub fn transposed(&self) -> Result<Self> {
        let [q, k, v, o] = [&self.q, &self.k, &self.v, &self.o].map(Linear::transposed);
        Ok(Self { norm: self.norm.clone(), q: q?, k: k?, v: v?, o: o?, heads: self.heads, places: self.places })
    }

    /// Its parameters, from the output backwards.
    pub fn params(&self) -> impl Iterator<Item = &Param> {
        let maps = [&self.o, &self.v, &self.k, &self.q];
        maps.into_iter().flat_map(Linear::params).chain(std::iter::once(&self.norm.weight))
    }

    /// `x` [tokens, H] → the same shape.
    pub fn forward(
        &self,
        x: &Tensor,
        source: &Source,
        bias: Option<&Bias>,
        layout: &Arc<Layout>,
        dropout: Option<Dropout>,
    ) -> Result<(Tensor, Saved)> {
        let normed = self.norm.forward(x)?;
        let (from, kv_layout) = match source {
            Source::Itself => (&normed, layout),
            Source::Encoder(output, layout) => (*output, *layout),
        };
        let (q, k, v) = (self.q.forward(&normed)?, self.k.forward(from)?, self.v.forward(from)?);
        let mask = self.places.mask(dropout, WEIGHTS);
        let context = {
            let (q, k, v) = (read(&q)?, read(&k)?, read(&v)?);
            let segments = kernel::segments(layout, kv_layout);
            let mask = mask.map(|mask| (mask, layout.keys.as_slice()));
            self.heads.forward([&q, &k, &v], bias, &segments, layout.tokens(), mask)
        };
        let context = tensor(context, (layout.tokens(), self.heads.inner()))?;
        let out = self.o.forward(&context)?;
        let y = add_dropped(x, &out, self.places.mask(dropout, OUTPUT), &layout.keys)?;
        Ok((y, Saved { x: x.clone(), q, k, v, context }))
    }

    /// Cotangents of `x`, and for cross-attention those of the encoder's output (by the encoder's lanes), added in place to
    /// `dencoder`, the sum of the blocks so far.
    #[allow(clippy::too_many_arguments)] // each is a different thing, and a struct of them would be used once
    pub fn backward(
        &self,
        saved: Saved,
        dy: &Tensor,
        source: &Source,
        dencoder: Option<Tensor>,
        bias: Option<(&Bias, &mut BiasGradient)>,
        layout: &Arc<Layout>,
        dropout: Option<Dropout>,
        grads: &mut Collector,
    ) -> Result<(Tensor, Option<Tensor>)> {
        let Saved { x, q, k, v, context } = saved;
        let dout = apply(dy, self.places.mask(dropout, OUTPUT), &layout.keys)?;
        let dcontext = self.o.backward(&context, &dout, None, layout, grads)?;
        let kv_layout = match source {
            Source::Itself => layout,
            Source::Encoder(_, layout) => layout,
        };
        let inner = self.heads.inner();
        let mask = self.places.mask(dropout, WEIGHTS);
        let (bias, mut sums) = match bias {
            Some((bias, sums)) => (Some(bias), Some(sums)),
            None => (None, None),
        };
        let back = {
            let (q, k, v, dcontext) = (read(&q)?, read(&k)?, read(&v)?, read(&dcontext)?);
            self.heads.backward([&q, &k, &v], &dcontext, bias, layout, kv_layout, mask)
        };
        if let (Some(bias), Some(sums)) = (bias, sums.as_mut()) {
            let per_row = tensor(back.dbias, (layout.rows(), self.heads.count * bias.width()))?;
            sums.add(&layout.mix.combine(&per_row)?)?;
        }
        let dq = tensor(back.dq, (layout.cotangents(), inner))?;
        let dk = tensor(back.dk, (kv_layout.cotangents(), inner))?;
        let dv = tensor(back.dv, (kv_layout.cotangents(), inner))?;
        let normed = self.norm.forward(&x)?;
        let dnormed = self.q.backward(&normed, &dq, None, layout, grads)?;
        let (from, onto) = match source {
            Source::Itself => (&normed, Some(dnormed.clone())),
            Source::Encoder(output, _) => (*output, dencoder),
        };
        let dfrom = self.k.backward(from, &dk, onto, kv_layout, grads)?;
        let dfrom = self.v.backward(from, &dv, Some(dfrom), kv_layout, grads)?;
        let (dnormed, dencoder) = match source {
            Source::Itself => (dfrom, None),
            Source::Encoder(..) => (dnormed, Some(dfrom)),
        };
        Ok((self.norm.backward(&x, &dnormed, Some(dy), layout, grads)?, dencoder))
    }
}
