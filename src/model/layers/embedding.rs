//! Token embedding: looking rows up, and gradients on the rows that were used.

use std::sync::Arc;

use candle_core::Tensor;
use rayon::prelude::*;

use super::super::array::{read, simd, tensor};
use super::super::batch::Layout;
use super::super::gradient::{Collector, Part};
use super::super::params::Param;
use crate::error::{Error, Result};

/// The rows of `table` [V, H] that `ids` name, `[N, H]`.
///
/// # Errors
/// If an id is not below V.
pub(crate) fn look_up(table: &Param, ids: &[u32]) -> Result<Tensor> {
    let (rows, cols) = table.value().dims2()?;
    if let Some(&id) = ids.iter().find(|&&id| id as usize >= rows) {
        return Err(Error::input(format!("token id {id} is outside the embedding, which has {rows} rows"))
            .parameter(table.name())
            .next("use the tokenizer that belongs to the model"));
    }
    let mut out = Vec::with_capacity(ids.len() * cols);
    {
        let values = read(table.value())?;
        ids.iter().for_each(|&id| out.extend_from_slice(&values[id as usize * cols..][..cols]));
    }
    tensor(out, (ids.len(), cols))
}

/// Ids of a pass with the cotangents of what was looked up.
pub(crate) struct Used<'a> {
    pub ids: &'a [u32],
    pub cotangents: Tensor,
    pub layout: Arc<Layout>,
}

/// Pushes the gradients of `table` from everything that was looked up in it: rows of rising ids, each summed over its uses
/// in the order of `used`.
pub(crate) fn backward(table: &Param, used: &[Used], losses: usize, grads: &mut Collector) -> Result<()> {
    if !grads.wants(table) {
        return Ok(());
    }
    let cols = table.value().dim(1)?;
    // (id, which of `used`, token there), sorted: a fixed order of summation.
    let mut places: Vec<(u32, usize, usize)> = used
        .iter()
        .enumerate()
        .flat_map(|(part, used)| used.ids.iter().enumerate().map(move |(token, &id)| (id, part, token)))
        .collect();
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
