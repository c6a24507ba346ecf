//! Token embedding, with a soft prompt's rows beside it: looking rows up, and gradients on the rows that were used.

use std::sync::Arc;

use candle_core::Tensor;
use rayon::prelude::*;

use super::super::array::{read, simd, tensor};
use super::super::batch::Layout;
use super::super::gradient::{Collector, Part};
use super::super::params::Param;
use super::super::prompt;
use crate::error::{Error, Result};

/// The tables that ids are looked up in.
pub(crate) struct Embedding {
    /// Of the vocabulary, [V, H].
    pub tokens: Param,
    /// Of [virtual tokens](prompt), [P, H].
    pub prompt: Option<Param>,
}

impl Embedding {
    /// The rows that `ids` name, `[N, H]`.
    ///
    /// # Errors
    /// If an id names no row.
    pub fn look_up(&self, ids: &[u32]) -> Result<Tensor> {
        let (rows, cols) = self.tokens.value().dims2()?;
        let prompt_rows = self.prompt.as_ref().map_or(Ok(0), |prompt| prompt.value().dim(0))?;
        let mut out = Vec::with_capacity(ids.len() * cols);
        {
            let values = read(self.tokens.value())?;
            let prompt_values = self.prompt.as_ref().map(|prompt| read(prompt.value())).transpose()?;
            for &id in ids {
                let (values, row) = match (prompt::row(id), &prompt_values) {
                    (Some(row), Some(prompt)) if row < prompt_rows => (&**prompt, row),
                    (Some(row), _) => {
                        return Err(Error::check(format!(
                            "internal: row {row} of a soft prompt of {prompt_rows} was asked for"
                        )));
                    }
                    (None, _) if (id as usize) < rows => (&*values, id as usize),
                    (None, _) => {
                        return Err(Error::input(format!(
                            "token id {id} is outside the embedding, which has {rows} rows"
                        ))
                        .parameter(self.tokens.name())
                        .next("use the tokenizer that belongs to the model"));
                    }
                };
                out.extend_from_slice(&values[row * cols..][..cols]);
            }
        }
        tensor(out, (ids.len(), cols))
    }

    /// Pushes the gradients of both tables and completes them.
    pub fn backward(&self, used: &[Used], losses: usize, grads: &mut Collector) -> Result<()> {
        backward(&self.tokens, used, |id| prompt::row(id).is_none().then_some(id), losses, grads)?;
        grads.complete(&self.tokens)?;
        let Some(table) = &self.prompt else { return Ok(()) };
        backward(table, used, |id| prompt::row(id).map(|row| row as u32), losses, grads)?;
        grads.complete(table)
    }
}

/// Ids of a pass with the cotangents of what was looked up.
pub(crate) struct Used<'a> {
    pub ids: &'a [u32],
    pub cotangents: Tensor,
    pub layout: Arc<Layout>,
}

/// Pushes the gradients of `table` from everything that was looked up in it, `row` being where an id is, if it is there: rising
/// rows, each summed over its uses in the order of `used`.
fn backward(
    table: &Param,
    used: &[Used],
    row: impl Fn(u32) -> Option<u32>,
    losses: usize,
    grads: &mut Collector,
) -> Result<()> {
    if !grads.wants(table) {
        return Ok(());
    }
    let cols = table.value().dim(1)?;
    // (row, which of `used`, token there), sorted: a fixed order of summation.
    let mut places: Vec<(u32, usize, usize)> = Vec::new();
    for (part, used) in used.iter().enumerate() {
        places.extend(used.ids.iter().enumerate().filter_map(|(token, &id)| Some((row(id)?, part, token))));
    }
    if places.is_empty() {
        return Ok(());
    }
    places.sort_unstable();
    let mut ids: Vec<u32> = places.iter().map(|place| place.0).collect();
    ids.dedup();
    let groups: Vec<&[(u32, usize, usize)]> = places.chunk_by(|a, b| a.0 == b.0).collect();
    let cotangents = used.iter().map(|used| read(&used.cotangents)).collect::<Result<Vec<_>>>()?;
    let owners: Vec<Vec<usize>> = used.iter().map(|used| owners(&used.layout)).collect();
    let mut values = vec![0f32; losses * ids.len() * cols];
    values.par_chunks_mut(ids.len().max(1) * cols).enumerate().for_each(|(k, values)| {
        values.par_chunks_mut(cols).zip(&groups).for_each(|(out, group)| {
            simd(
                #[inline(always)]
                || {
                    for &(_, part, token) in group.iter() {
                        let layout = &used[part].layout;
                        let owner = owners[part][token];
                        let lanes = if layout.shared { layout.lanes } else { 1 };
                        for lane in 0..lanes {
                            let weight = layout.mix.weight(k, lane * layout.examples + owner);
                            let from = &cotangents[part][(lane * layout.tokens() + token) * cols..][..cols];
                            if weight != 0.0 {
                                for j in 0..cols {
                                    out[j] = from[j].mul_add(weight, out[j]);
                                }
                            }
                        }
                    }
                },
            )
        })
    });
    let values = tensor(values, (losses, ids.len(), cols))?;
    grads.push(table, Part::Rows { ids, values });
    Ok(())
}

/// The example (encoder) or row (decoder) that each token belongs to.
fn owners(layout: &Layout) -> Vec<usize> {
    let mut owners = vec![0; layout.tokens()];
    for (owner, bounds) in layout.offsets.windows(2).enumerate() {
        owners[bounds[0]..bounds[1]].fill(owner);
    }
    owners
}
