//! Root-mean-square norm with a learned scale and no bias (T5LayerNorm): y = w·x / √(mean(x²) + ε).

use candle_core::Tensor;
use rayon::prelude::*;
use std::sync::Arc;

use super::super::array::{dot, make_rows, read, simd, tensor};
use super::super::batch::Layout;
use super::super::gradient::{Collector, Part};
use super::super::params::Param;
use crate::error::Result;

#[derive(Debug, Clone)]
pub(crate) struct Norm {
    /// `[H]`.
    pub weight: Param,
    pub eps: f32,
}

impl Norm {
    /// `[tokens, H]` → `[tokens, H]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (rows, cols) = x.dims2()?;
        let out = {
            let (x, w) = (read(x)?, read(self.weight.value())?);
            make_rows(
                rows,
                cols,
                #[inline(always)]
                |first, block| {
                    for (i, out) in block.chunks_exact_mut(cols).enumerate() {
                        let x = &x[(first + i) * cols..][..cols];
                        let r = inverse_rms(x, self.eps);
                        for j in 0..cols {
                            out[j] = x[j] * r * w[j];
                        }
                    }
                },
            )
        };
        tensor(out, (rows, cols))
    }

    /// Cotangents of the input, `dy` being those of the output; `residual` is added to them (the cotangent that flows past
    /// the sublayer). `x` is the forward input.
    pub fn backward(
        &self,
        x: &Tensor,
        dy: &Tensor,
        residual: Option<&Tensor>,
        layout: &Arc<Layout>,
        grads: &mut Collector,
    ) -> Result<Tensor> {
        let (rows, cols) = dy.dims2()?;
        let tokens = layout.tokens();
        if grads.wants(&self.weight) {
            let scale = self.scale_gradients(x, dy, layout)?;
            grads.push(&self.weight, Part::Dense(scale));
        }
        let out = {
            let (x, dy, w) = (read(x)?, read(dy)?, read(self.weight.value())?);
            let residual = residual.map(read).transpose()?;
            make_rows(
                rows,
                cols,
                #[inline(always)]
                |first, block| {
                    for (i, out) in block.chunks_exact_mut(cols).enumerate() {
                        let x = &x[(first + i) % tokens * cols..][..cols];
                        let dy = &dy[(first + i) * cols..][..cols];
                        let r = inverse_rms(x, self.eps);
                        for j in 0..cols {
                            out[j] = w[j] * dy[j];
                        }
                        let along = dot(out, x) * r * r * r / cols as f32;
                        match &residual {
                            Some(residual) => {
                                let residual = &residual[(first + i) * cols..][..cols];
                                for j in 0..cols {
                                    out[j] = out[j].mul_add(r, residual[j] - x[j] * along);
                                }
                            }
                            None => {
                                for j in 0..cols {
                                    out[j] = out[j] * r - x[j] * along;
                                }
                            }
                        }
                    }
                },
            )
        };
        tensor(out, (rows, cols))
    }

    /// `[K, H]`: Σ dy·x/rms, per row of the batch first, then mixed to losses.
    fn scale_gradients(&self, x: &Tensor, dy: &Tensor, layout: &Layout) -> Result<Tensor> {
        let cols = x.dim(1)?;
        let mut per_row = vec![0f32; layout.rows() * cols];
        {
            let (x, dy) = (read(x)?, read(dy)?);
            per_row.par_chunks_mut(cols).enumerate().for_each(|(row, out)| {
                simd(
                    #[inline(always)]
                    || {
                        for (token, cotangent) in layout.activation(row).zip(layout.cotangent(row)) {
                            let x = &x[token * cols..][..cols];
                            let dy = &dy[cotangent * cols..][..cols];
                            let r = inverse_rms(x, self.eps);
                            for j in 0..cols {
                                out[j] = (dy[j] * r).mul_add(x[j], out[j]);
                            }
                        }
                    },
                )
            });
        }
        layout.mix.combine(&tensor(per_row, (layout.rows(), cols))?)
    }
}

#[inline(always)]
fn inverse_rms(x: &[f32], eps: f32) -> f32 {
    1.0 / (dot(x, x) / x.len() as f32 + eps).sqrt()
}
