//! A parameter's K gradients on their way from the backward pass to a sink.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use candle_core::Tensor;

use super::array::{read, tensor};
use super::batch::Layout;
use super::params::{Param, Params};
use super::products::{add_products, products};
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
pub(super) const BLOCK: usize = 1 << 22;

/// Which rows of a parameter are in a block.
#[derive(Debug, Clone)]
pub enum Rows<'a> {
    /// Adjacent ones.
    Range(Range<usize>),
    /// These, in rising order: all others are zero in every block.
    Used(&'a [u32]),
}

impl Rows<'_> {
    /// The row of the parameter that is number `place` in the block.
    pub fn get(&self, place: usize) -> usize {
        match self {
            Self::Range(range) => range.start + place,
            Self::Used(ids) => ids[place] as usize,
        }
    }
}

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

    /// Whether a whole gradient is more than a block: it is better formed again for each thing that needs it than kept.
    pub fn is_large(&self) -> bool {
        self.param.count() > BLOCK
    }

    /// Hands the K gradients out in blocks of rows, each a slice of K·rows·cols numbers, loss by loss, formed for this call. Blocks
    /// cover every row that can be other than zero: for an embedding that is only looked up, just the rows that were used.
    pub fn visit(&self, work: &mut dyn FnMut(&Rows, &[f32]) -> Result<()>) -> Result<()> {
        let (rows, cols) = self.rows_cols()?;
        match self.parts {
            [Part::Rows { ids, values }] => work(&Rows::Used(ids), &read(values)?),
            [Part::Dense(values)] => work(&Rows::Range(0..rows), &read(values)?),
            _ => {
                let step = (BLOCK / (cols * self.losses)).clamp(64, rows.max(64));
                for first in (0..rows).step_by(step) {
                    let rows = first..rows.min(first + step);
                    work(&Rows::Range(rows.clone()), &self.block(rows, 0..self.losses)?)?;
                }
                Ok(())
            }
        }
    }

    /// The whole gradient of loss `k`, in the parameter's shape.
    pub fn dense(&self, k: usize) -> Result<Tensor> {
        let (rows, _) = self.rows_cols()?;
        tensor(self.block(0..rows, k..k + 1)?, self.param.value().shape())
    }

    /// `[losses, rows, cols]` of those rows.
    fn block(&self, rows: Range<usize>, losses: Range<usize>) -> Result<Vec<f32>> {
        let (all_rows, cols) = self.rows_cols()?;
        let count = rows.len();
        let (mut block, others) = match self.parts {
            [Part::Product { x, dy, layout }, others @ ..] => {
                (products(x, dy, layout, rows.clone(), losses.clone())?, others)
            }
            parts => (vec![0f32; losses.len() * count * cols], parts),
        };
        for part in others {
            match part {
                Part::Product { x, dy, layout } => {
                    add_products(&mut block, x, dy, layout, rows.clone(), losses.clone())?;
                }
                Part::Dense(values) => {
                    let values = read(values)?;
                    for (k, block) in losses.clone().zip(block.chunks_exact_mut(count * cols)) {
                        let from = &values[(k * all_rows + rows.start) * cols..][..count * cols];
                        block.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                    }
                }
                Part::Rows { ids, values } => {
                    let values = read(values)?;
                    for (k, block) in losses.clone().zip(block.chunks_exact_mut(count * cols)) {
                        for (i, &id) in ids.iter().enumerate() {
                            let Some(row) = (id as usize).checked_sub(rows.start).filter(|&row| row < count) else {
                                continue;
                            };
                            let from = &values[(k * ids.len() + i) * cols..][..cols];
                            block[row * cols..][..cols].iter_mut().zip(from).for_each(|(to, from)| *to += from);
                        }
                    }
                }
            }
        }
        Ok(block)
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

    /// Hands over all of `params`, in their order.
    pub fn complete_all<'p>(&mut self, mut params: impl Iterator<Item = &'p Param>) -> Result<()> {
        params.try_for_each(|param| self.complete(param))
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
