//! A parameter's K gradients on their way from the backward pass to a sink.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::array::{read, update};
use super::batch::Layout;
use super::params::{Param, Params};
use crate::error::{Error, Result};

/// Takes every trainable parameter's gradients, each exactly once in a backward pass, as soon as they are complete.
pub trait Sink {
    /// Whether the parameter of that name is trainable. A frozen one costs no matmul.
    fn wants(&self, name: &str) -> bool;

    /// Takes the K gradients of one parameter. The parameter is not used any more in this backward pass, so that an optimizer
    /// may change it here.
    fn take(&mut self, gradient: &Gradient) -> Result<()>;
}

/// One contribution to a parameter's gradients.
pub(crate) enum Part {
    /// Σ_tokens dy xᵀ: `x` [tokens, in], `dy` [cotangents, out] of a linear map with weight [out, in].
    Product { x: Tensor, dy: Tensor, layout: Arc<Layout> },
    /// Formed already: [K, numel].
    Dense(Tensor),
    /// Rows of an embedding: `ids` in rising order, `values` [K, ids, cols].
    Rows { ids: Vec<u32>, values: Tensor },
}

/// The K gradients of one parameter, formed when a sink asks for them.
pub struct Gradient<'a> {
    param: &'a Param,
    losses: usize,
    parts: &'a [Part],
}

/// Numbers (of all K gradients together) in one block that [`Gradient::visit`] hands out: about 16 MB.
const BLOCK: usize = 1 << 22;

impl<'a> Gradient<'a> {
    /// The parameter.
    pub fn param(&self) -> &'a Param {
        self.param
    }

    /// K.
    pub fn losses(&self) -> usize {
        self.losses
    }

    fn rows_cols(&self) -> Result<(usize, usize)> {
        Ok(match self.param.value().dims() {
            [rows, cols] => (*rows, *cols),
            _ => (self.param.count(), 1),
        })
    }

    /// Hands the K gradients out in blocks of rows, each a slice of K·rows·cols numbers, loss by loss. Blocks cover every
    /// row that can be other than zero: for an embedding that is only looked up, just the rows that were used.
    pub fn visit(&self, work: &mut dyn FnMut(&[f32]) -> Result<()>) -> Result<()> {
        let (rows, cols) = self.rows_cols()?;
        match self.parts {
            [Part::Rows { values, .. }] | [Part::Dense(values)] => work(&read(values)?),
            _ => {
                let step = (BLOCK / (cols * self.losses)).clamp(64, rows.max(64));
                for first in (0..rows).step_by(step) {
                    let block = self.block(first..rows.min(first + step), 0..self.losses)?;
                    work(&read(&block)?)?;
                }
                Ok(())
            }
        }
    }

    /// The whole gradient of loss `k`, in the parameter's shape.
    pub fn dense(&self, k: usize) -> Result<Tensor> {
        let (rows, _) = self.rows_cols()?;
        Ok(self.block(0..rows, k..k + 1)?.reshape(self.param.value().shape())?)
    }

    /// `[losses, rows, cols]` of those rows.
    fn block(&self, rows: Range<usize>, losses: Range<usize>) -> Result<Tensor> {
        let (_, cols) = self.rows_cols()?;
        let count = rows.len();
        let mut total: Option<Tensor> = None;
        for part in self.parts {
            let Part::Product { x, dy, layout } = part else { continue };
            let mut each = Vec::with_capacity(losses.len());
            for k in losses.clone() {
                let (x, dy) = layout.of_loss(k, x, &dy.narrow(1, rows.start, count)?.contiguous()?)?;
                each.push(dy.t()?.matmul(&x)?);
            }
            let block = match each.len() {
                1 => each.remove(0).unsqueeze(0)?,
                _ => Tensor::stack(&each, 0)?,
            };
            total = Some(match total {
                None => block,
                Some(total) => (total + block)?,
            });
        }
        for part in self.parts {
            if let Part::Dense(values) = part {
                let values = values.narrow(0, losses.start, losses.len())?;
                let values =
                    values.reshape((losses.len(), values.dim(1)? / cols, cols))?.narrow(1, rows.start, count)?;
                total = Some(match total {
                    None => values.contiguous()?,
                    Some(total) => (total + values)?,
                });
            }
        }
        let total = match total {
            Some(total) => total,
            None => Tensor::zeros((losses.len(), count, cols), candle_core::DType::F32, &Device::Cpu)?,
        };
        for part in self.parts {
            if let Part::Rows { ids, values } = part {
                let values = read(values)?;
                update(&total, |total| {
                    for (place, k) in losses.clone().enumerate() {
                        for (i, &id) in ids.iter().enumerate() {
                            let Some(row) = (id as usize).checked_sub(rows.start).filter(|&row| row < count) else {
                                continue;
                            };
                            let from = &values[(k * ids.len() + i) * cols..][..cols];
                            let to = &mut total[(place * count + row) * cols..][..cols];
                            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                        }
                    }
                })?;
            }
        }
        Ok(total)
    }
}

/// Gathers parts until a parameter is complete, then hands it to the sink, and knows in the end what is missing.
pub(crate) struct Collector<'a> {
    sink: &'a mut dyn Sink,
    losses: usize,
    /// By name; a parameter that several layers share waits here until its last use.
    pending: BTreeMap<String, (Param, Vec<Part>)>,
    taken: Vec<String>,
}

impl<'a> Collector<'a> {
    pub fn new(sink: &'a mut dyn Sink, losses: usize) -> Self {
        Self { sink, losses, pending: BTreeMap::new(), taken: Vec::new() }
    }

    /// Whether a gradient of `param` is needed at all.
    pub fn wants(&self, param: &Param) -> bool {
        self.sink.wants(param.name())
    }

    /// Adds a contribution; dropped if the parameter is frozen.
    pub fn push(&mut self, param: &Param, part: Part) {
        if self.wants(param) {
            self.pending.entry(param.name().to_string()).or_insert_with(|| (param.clone(), Vec::new())).1.push(part);
        }
    }

    /// Hands over `param`, whose last contribution has been pushed.
    pub fn complete(&mut self, param: &Param) -> Result<()> {
        if let Some((param, parts)) = self.pending.remove(param.name()) {
            self.sink.take(&Gradient { param: &param, losses: self.losses, parts: &parts })?;
            self.taken.push(param.name().to_string());
        }
        Ok(())
    }

    /// Errors if a trainable parameter's gradient is missing: never a silent zero.
    pub fn finish(self, params: &Params) -> Result<()> {
        let mut taken = self.taken;
        taken.sort();
        for param in params.iter().filter(|param| self.sink.wants(param.name())) {
            if taken.binary_search_by(|name| name.as_str().cmp(param.name())).is_err() {
                return Err(Error::check("the backward pass made no gradient for it").parameter(param.name()));
            }
        }
        Ok(())
    }
}
