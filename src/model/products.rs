//! A linear map's K weight gradients, Σ_tokens dy xᵀ, from activations, cotangents by lane, and the losses' weights over rows.
//!
//! Where losses mix lanes (a closed label set: every loss picks one of C classes for each example), the product of each
//! (lane, example) is formed once and added to all losses that contain it, tile by tile in the cache: the K gradients cost
//! C products and K sums instead of K products.

use std::ops::Range;

use candle_core::Tensor;
use rayon::prelude::*;

use super::array::{read, simd, written};
use super::batch::Layout;
use super::matmul::{Out, matmul, matmul_parallel};
use crate::error::Result;

/// Rows and columns of a tile: K tiles of this size stay in a core's cache.
const TILE: usize = 128;

/// `[losses, rows, cols]`: the gradients of those losses on those rows of the weight [out, in = cols].
pub(crate) fn products(
    x: &Tensor,
    dy: &Tensor,
    layout: &Layout,
    rows: Range<usize>,
    losses: Range<usize>,
) -> Result<Vec<f32>> {
    let count = losses.len() * rows.len() * x.dim(1)?;
    if by_example(layout, &losses) {
        let mut out = vec![0f32; count];
        add_by_example(&mut out, x, dy, layout, rows, losses)?;
        return Ok(out);
    }
    // SAFETY: every loss's product is written whole.
    unsafe { written(count, |out| by_loss(out, false, x, dy, layout, rows, losses)) }
}

/// Adds to `out` what [`products`] makes.
pub(crate) fn add_products(
    out: &mut [f32],
    x: &Tensor,
    dy: &Tensor,
    layout: &Layout,
    rows: Range<usize>,
    losses: Range<usize>,
) -> Result<()> {
    if by_example(layout, &losses) {
        return add_by_example(out, x, dy, layout, rows, losses);
    }
    by_loss(out.as_mut_ptr(), true, x, dy, layout, rows, losses)
}

/// Whether there are more mixed losses than lanes to mix.
fn by_example(layout: &Layout, losses: &Range<usize>) -> bool {
    layout.shared && losses.clone().filter(|&k| layout.mix.lane(k).is_none()).count() > layout.lanes
}

/// Writes the products of `losses` one after the other, or with `add` adds them.
fn by_loss(
    out: *mut f32,
    add: bool,
    x: &Tensor,
    dy: &Tensor,
    layout: &Layout,
    rows: Range<usize>,
    losses: Range<usize>,
) -> Result<()> {
    let cols = x.dim(1)?;
    for (place, k) in losses.enumerate() {
        let (x, dy, first) = layout.of_loss(k, x, dy, rows.clone())?;
        let (tokens, width) = dy.dims2()?;
        let (x, dy) = (read(&x)?, read(&dy)?);
        // A product of no tokens is zeros, and has no first column to begin at.
        let dy = if tokens == 0 { dy.as_ptr() } else { dy[first..].as_ptr() };
        // SAFETY: x is [tokens, cols], dy [tokens, width] from the first column on, out [rows, cols] at this place, ours alone.
        unsafe {
            matmul_parallel(
                rows.len(),
                cols,
                tokens,
                out.add(place * rows.len() * cols),
                cols,
                add,
                (dy, 1, width),
                (x.as_ptr(), cols, 1),
            )
        }
    }
    Ok(())
}

fn add_by_example(
    out: &mut [f32],
    x: &Tensor,
    dy: &Tensor,
    layout: &Layout,
    rows: Range<usize>,
    losses: Range<usize>,
) -> Result<()> {
    let (cols, width) = (x.dim(1)?, dy.dim(1)?);
    let (x, dy) = (read(x)?, read(dy)?);
    let count = rows.len();
    // (row of the batch, the losses that contain it with their weights)
    let used: Vec<(usize, Vec<(usize, f32)>)> = (0..layout.rows())
        .map(|row| {
            let weights = losses.clone().enumerate().map(|(place, k)| (place, layout.mix.weight(k, row)));
            (row, weights.filter(|(_, weight)| *weight != 0.0).collect::<Vec<_>>())
        })
        .filter(|(_, weights)| !weights.is_empty())
        .collect();
    let tiles_across = cols.div_ceil(TILE);
    let out = Out::new(out);
    (0..count.div_ceil(TILE) * tiles_across).into_par_iter().for_each_init(
        || vec![0f32; TILE * TILE],
        |product, tile| {
            let (top, left) = (tile / tiles_across * TILE, tile % tiles_across * TILE);
            let (height, breadth) = (TILE.min(count - top), TILE.min(cols - left));
            for (row, weights) in &used {
                let (from, cotangents) = (layout.activation(*row), layout.cotangent(*row));
                let a = dy[cotangents.start * width + rows.start + top..].as_ptr();
                let b = x[from.start * cols + left..].as_ptr();
                // SAFETY: the row's tokens lie within x and dy; the product buffer is this task's own.
                unsafe {
                    let dst = product.as_mut_ptr();
                    matmul(height, breadth, from.len(), dst, breadth, false, (a, 1, width), (b, cols, 1));
                }
                simd(
                    #[inline(always)]
                    || {
                        for &(place, weight) in weights {
                            for (line, product) in product.chunks_exact(breadth).take(height).enumerate() {
                                // SAFETY: tiles are disjoint blocks of out, and this task alone has this one.
                                let sum = unsafe {
                                    std::slice::from_raw_parts_mut(
                                        out.at(place * count + top + line, left, cols),
                                        breadth,
                                    )
                                };
                                for j in 0..breadth {
                                    sum[j] = product[j].mul_add(weight, sum[j]);
                                }
                            }
                        }
                    },
                );
            }
        },
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::array::tensor;
    use super::super::batch::{Batch, Mix, Packed};
    use super::*;

    fn values(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + seed * 104_729) % 2003) as f32 / 1001.5 - 1.0).collect()
    }

    /// The definition: Σ_row weight · Σ_tokens dy xᵀ, in f64.
    fn by_definition(x: &[f32], dy: &[f32], layout: &Layout, k: usize, out: usize, cols: usize) -> Vec<f64> {
        let mut sum = vec![0f64; out * cols];
        for row in 0..layout.rows() {
            let weight = layout.mix.weight(k, row) as f64;
            for (token, cotangent) in layout.activation(row).zip(layout.cotangent(row)) {
                for o in 0..out {
                    for c in 0..cols {
                        sum[o * cols + c] += weight * dy[cotangent * out + o] as f64 * x[token * cols + c] as f64;
                    }
                }
            }
        }
        sum
    }

    #[test]
    fn every_path_agrees_with_the_definition() {
        let (lanes, examples, out, cols) = (2, 3, 150, 140);
        // One loss that is a lane, and four that mix: more than there are lanes.
        let weights: Vec<Vec<f32>> = vec![
            vec![1., 1., 1., 0., 0., 0.],
            vec![1., 0., 1., 0., 1., 0.],
            vec![0., 0., 1., 1., 1., 0.],
            vec![0.3, 0.3, 0.3, 0.7, 0.7, 0.7],
            vec![0., 1., 0., 1., 0., 1.],
        ];
        let sources = Packed::new([vec![3u32; 5], vec![3; 1], vec![3; 9]]);
        let labels = Packed::new([vec![4u32, 1], vec![4, 1], vec![4, 1], vec![5, 6, 1], vec![5, 6, 1], vec![5, 6, 1]]);
        for few in [true, false] {
            let weights = if few { &weights[..2] } else { &weights[..] };
            let mix = Mix::new(lanes, examples, weights);
            let batch = Batch::new(sources.clone(), &[0, 1, 2], labels.clone(), mix, 0, 0).unwrap();
            for layout in [&batch.encoder, &batch.decoder] {
                let (x, dy) = (values(layout.tokens() * cols, 1), values(layout.cotangents() * out, 2));
                let (x_tensor, dy_tensor) = (
                    tensor(x.clone(), (layout.tokens(), cols)).unwrap(),
                    tensor(dy.clone(), (layout.cotangents(), out)).unwrap(),
                );
                let rows = 10..out;
                let mut ours = vec![0f32; weights.len() * rows.len() * cols];
                add_products(&mut ours, &x_tensor, &dy_tensor, layout, rows.clone(), 0..weights.len()).unwrap();
                for k in 0..weights.len() {
                    let truth = by_definition(&x, &dy, layout, k, out, cols);
                    for (i, ours) in ours[k * rows.len() * cols..][..rows.len() * cols].iter().enumerate() {
                        let truth = truth[rows.start * cols + i];
                        // Sums of at most 15 products below 1 in f32.
                        assert!((*ours as f64 - truth).abs() < 1e-5, "loss {k}, {i}: {ours} instead of {truth}");
                    }
                }
            }
        }
    }
}
