//! The feed-forward sublayer: x + drop(wo(drop(act(wi_0 n) · wi_1 n))) gated, or x + drop(wo(drop(act(wi n)))), n = norm(x).

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::Tensor;

use super::super::array::{exp, for_rows, make_rows, make_rows_beside, read, tensor, update};
use super::super::batch::Layout;
use super::super::dropout::{Dropout, add_dropped, apply};
use super::super::gradient::Collector;
use super::super::params::Param;
use super::norm::Norm;
use super::{Linear, Places};
use crate::error::Result;

/// Activation functions of T5's feed-forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    Relu,
    /// The tanh approximation (`gelu_new`).
    Gelu,
    Silu,
}

impl Activation {
    /// Its name in configs, but for `gated-`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Gelu => "gelu",
            Self::Silu => "silu",
        }
    }

    /// (act(x), act'(x)).
    #[inline(always)]
    fn value_and_slope(self, x: f32) -> (f32, f32) {
        match self {
            Self::Relu => {
                let on = (x > 0.0) as u8 as f32;
                (x * on, on)
            }
            Self::Silu => {
                let s = sigmoid(x);
                (x * s, s * (1.0 + x * (1.0 - s)))
            }
            Self::Gelu => {
                // 0.5·(1 + tanh u) = σ(2u), without the cancellation at u ≪ 0.
                const A: f32 = 2.0 * 0.797_884_6; // 2·√(2/π)
                const B: f32 = 0.044_715;
                let s = sigmoid(A * x * (B * x).mul_add(x, 1.0));
                (x * s, s + x * s * (1.0 - s) * A * (3.0 * B * x).mul_add(x, 1.0))
            }
        }
    }
}

/// Runs a loop with the activation as a constant, so that it has no branch inside and vectorises.
macro_rules! with_activation {
    ($activation:expr, $act:ident, $body:block) => {
        match $activation {
            Activation::Relu => {
                #[inline(always)]
                fn $act(x: f32) -> (f32, f32) {
                    Activation::Relu.value_and_slope(x)
                }
                $body
            }
            Activation::Gelu => {
                #[inline(always)]
                fn $act(x: f32) -> (f32, f32) {
                    Activation::Gelu.value_and_slope(x)
                }
                $body
            }
            Activation::Silu => {
                #[inline(always)]
                fn $act(x: f32) -> (f32, f32) {
                    Activation::Silu.value_and_slope(x)
                }
                $body
            }
        }
    };
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[derive(Debug, Clone)]
pub(crate) struct FeedForward {
    pub norm: Norm,
    /// `wi`, or `wi_0` of a gated one.
    pub wi: Linear,
    /// `wi_1` of a gated one.
    pub gate: Option<Linear>,
    pub wo: Linear,
    pub activation: Activation,
    pub places: Places,
}

/// What the backward pass needs of the forward pass.
pub(crate) struct Saved {
    x: Tensor,
    a: Tensor,
    b: Option<Tensor>,
}

const HIDDEN: u64 = 0;
const OUTPUT: u64 = 1;

impl FeedForward {
    /// A copy whose linear maps are [for few tokens](Linear::transposed).
    pub fn transposed(&self) -> Result<Self> {
        let gate = self.gate.as_ref().map(Linear::transposed).transpose()?;
        Ok(Self { wi: self.wi.transposed()?, gate, wo: self.wo.transposed()?, ..self.clone() })
    }

    /// Its parameters, from the output backwards.
    pub fn params(&self) -> impl Iterator<Item = &Param> {
        let maps = [Some(&self.wo), self.gate.as_ref(), Some(&self.wi)].into_iter().flatten();
        maps.flat_map(Linear::params).chain(std::iter::once(&self.norm.weight))
    }

    /// `x` [tokens, H] → the same shape.
    pub fn forward(&self, x: &Tensor, layout: &Arc<Layout>, dropout: Option<Dropout>) -> Result<(Tensor, Saved)> {
        let normed = self.norm.forward(x)?;
        let a = self.wi.forward(&normed)?;
        let b = self.gate.as_ref().map(|gate| gate.forward(&normed)).transpose()?;
        let hidden = self.hidden(&a, b.as_ref(), &layout.keys, dropout)?;
        let out = self.wo.forward(&hidden)?;
        let y = add_dropped(x, &out, self.places.mask(dropout, OUTPUT), &layout.keys)?;
        Ok((y, Saved { x: x.clone(), a, b }))
    }

    /// As [`FeedForward::forward`] without dropout, saving nothing.
    /// `x` is added to in place.
    pub fn infer(&self, x: Tensor) -> Result<Tensor> {
        let normed = self.norm.forward(&x)?;
        let a = self.wi.forward(&normed)?;
        let b = self.gate.as_ref().map(|gate| gate.forward(&normed)).transpose()?;
        let hidden = self.hidden(&a, b.as_ref(), &[], None)?;
        self.wo.forward_onto(x, &hidden)
    }

    /// Cotangents of `x`.
    pub fn backward(
        &self,
        saved: Saved,
        dy: &Tensor,
        layout: &Arc<Layout>,
        dropout: Option<Dropout>,
        grads: &mut Collector,
    ) -> Result<Tensor> {
        let Saved { x, a, b } = saved;
        let dout = apply(dy, self.places.mask(dropout, OUTPUT), &layout.keys)?;
        let hidden = self.hidden(&a, b.as_ref(), &layout.keys, dropout)?;
        let dhidden = self.wo.backward(&hidden, &dout, None, layout, grads)?;
        drop(hidden);
        // In its own place: without dropout it is what the product has made, with dropout a copy.
        let dhidden = apply(&dhidden, self.places.mask(dropout, HIDDEN), &layout.keys)?;
        let (da, db) = self.hidden_backward(&a, b.as_ref(), dhidden)?;
        drop((a, b));
        let normed = self.norm.forward(&x)?;
        let mut dnormed = self.wi.backward(&normed, &da, None, layout, grads)?;
        if let (Some(gate), Some(db)) = (&self.gate, db) {
            dnormed = gate.backward(&normed, &db, Some(dnormed), layout, grads)?;
        }
        self.norm.backward(&x, &dnormed, Some(dy), layout, grads)
    }

    /// drop(act(a)·b), or drop(act(a)).
    fn hidden(&self, a: &Tensor, b: Option<&Tensor>, keys: &[u64], dropout: Option<Dropout>) -> Result<Tensor> {
        let (rows, cols) = a.dims2()?;
        let mask = self.places.mask(dropout, HIDDEN);
        let out = {
            let a = read(a)?;
            let b = b.map(read).transpose()?;
            make_rows(
                rows,
                cols,
                #[inline(always)]
                |first, block| {
                    let range = first * cols..first * cols + block.len();
                    let a = &a[range.clone()];
                    match &b {
                        Some(b) => {
                            let b = &b[range];
                            with_activation!(self.activation, act, {
                                for j in 0..block.len() {
                                    block[j] = act(a[j]).0 * b[j];
                                }
                            })
                        }
                        None => with_activation!(self.activation, act, {
                            for j in 0..block.len() {
                                block[j] = act(a[j]).0;
                            }
                        }),
                    }
                    if let Some(mask) = mask {
                        for (i, out) in block.chunks_exact_mut(cols).enumerate() {
                            let row = mask.row(keys[first + i]);
                            for (j, value) in out.iter_mut().enumerate() {
                                *value *= row.factor(j);
                            }
                        }
                    }
                },
            )
        };
        tensor(out, (rows, cols))
    }

    /// Cotangents of a and b from those of act(a)·b; rows of `dh` run over the lanes of the rows of `a`. Those of a take the
    /// place of `dh`.
    fn hidden_backward(&self, a: &Tensor, b: Option<&Tensor>, dh: Tensor) -> Result<(Tensor, Option<Tensor>)> {
        let (rows, cols) = dh.dims2()?;
        let tokens = a.dim(0)?;
        // A lock would be needed to hand it to the closure, were it not for this cell: it runs once, on this thread.
        let db = Mutex::new(Vec::new());
        {
            let a = read(a)?;
            let b = b.map(read).transpose()?;
            update(&dh, |da| match &b {
                Some(b) => {
                    *db.lock().unwrap_or_else(PoisonError::into_inner) = make_rows_beside(
                        da,
                        cols,
                        cols,
                        #[inline(always)]
                        |first, da, db| {
                            with_activation!(self.activation, act, {
                                for (i, (da, db)) in
                                    da.chunks_exact_mut(cols).zip(db.chunks_exact_mut(cols)).enumerate()
                                {
                                    let at = (first + i) % tokens * cols;
                                    let (a, b) = (&a[at..at + cols], &b[at..at + cols]);
                                    for j in 0..cols {
                                        let (value, slope) = act(a[j]);
                                        db[j] = da[j] * value;
                                        da[j] = da[j] * b[j] * slope;
                                    }
                                }
                            })
                        },
                    )
                }
                None => for_rows(
                    da,
                    cols,
                    #[inline(always)]
                    |first, da| {
                        with_activation!(self.activation, act, {
                            for (i, da) in da.chunks_exact_mut(cols).enumerate() {
                                let a = &a[(first + i) % tokens * cols..][..cols];
                                for j in 0..cols {
                                    da[j] *= act(a[j]).1;
                                }
                            }
                        })
                    },
                ),
            })?;
        }
        let db = db.into_inner().unwrap_or_else(PoisonError::into_inner);
        let db = if b.is_some() { Some(tensor(db, (rows, cols))?) } else { None };
        Ok((dh, db))
    }
}
