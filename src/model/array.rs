//! Slices of candle tensors for the fused kernels: reading, SIMD dispatch, and row-parallel loops with a fixed order.
//!
//! candle tensors hold the data and do the large matmuls; elementwise work runs on plain slices here, since candle's
//! elementwise operations are 3 to 25 times slower than they need to be.

use std::mem::MaybeUninit;
use std::ops::Deref;

use candle_core::{CpuStorage, DType, Device, InplaceOp1, Layout, Storage, StorageRef, Tensor};
use rayon::prelude::*;

use crate::error::{Error, Result};

/// Rows that one task of a row-parallel loop takes: fixed, so that sums do not depend on the number of threads.
const TASK_ROWS: usize = 32;

/// A contiguous f32 CPU tensor, read as a slice.
pub(crate) struct Slice<'a> {
    storage: StorageRef<'a>,
    start: usize,
    len: usize,
}

impl Deref for Slice<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &*self.storage {
            Storage::Cpu(CpuStorage::F32(values)) => &values[self.start..self.start + self.len],
            // `read` lets no other storage in.
            _ => unreachable!("checked by read"),
        }
    }
}

/// The values of `tensor`, which must be a contiguous f32 tensor on the CPU.
pub(crate) fn read(tensor: &Tensor) -> Result<Slice<'_>> {
    let (storage, layout) = tensor.storage_and_layout();
    let (start, end) = layout
        .contiguous_offsets()
        .filter(|_| tensor.dtype() == DType::F32 && matches!(&*storage, Storage::Cpu(CpuStorage::F32(_))))
        .ok_or_else(|| Error::check("internal: a kernel was given a tensor that is not contiguous f32 on the CPU"))?;
    Ok(Slice { storage, start, len: end - start })
}

/// A tensor that takes over `values`.
pub(crate) fn tensor(values: Vec<f32>, shape: impl Into<candle_core::Shape>) -> Result<Tensor> {
    Ok(Tensor::from_vec(values, shape.into(), &Device::Cpu)?)
}

/// Runs `work` on the values of `tensor` in place. Every tensor that shares the storage sees the change.
pub(crate) fn update<F: Fn(&mut [f32]) + Send + Sync>(tensor: &Tensor, work: F) -> Result<()> {
    struct InPlace<F>(F);
    impl<F: Fn(&mut [f32]) + Send + Sync> InplaceOp1 for InPlace<F> {
        fn name(&self) -> &'static str {
            "fsa-in-place"
        }

        fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
            match (storage, layout.contiguous_offsets()) {
                (CpuStorage::F32(values), Some((start, end))) => (self.0)(&mut values[start..end]),
                _ => candle_core::bail!("in-place work needs a contiguous f32 tensor"),
            }
            Ok(())
        }
    }
    Ok(tensor.inplace_op1(&InPlace(work))?)
}

/// Runs `work` compiled for the widest vectors that this machine has. What it calls must be `#[inline(always)]`.
#[inline]
pub(crate) fn simd<R, F: FnOnce() -> R>(work: F) -> R {
    pulp::Arch::new().dispatch(work)
}

/// Calls `work(first row, rows of out)` over blocks of rows of `out` ([rows, cols]) in parallel.
pub(crate) fn for_rows<F>(out: &mut [f32], cols: usize, work: F)
where
    F: Fn(usize, &mut [f32]) + Send + Sync,
{
    if cols == 0 {
        return;
    }
    out.par_chunks_mut(cols * TASK_ROWS).enumerate().for_each(|(task, block)| {
        simd(
            #[inline(always)]
            || work(task * TASK_ROWS, block),
        )
    });
}

/// [rows, cols], whose blocks of rows `work(first row, rows)` fills, in parallel. A block is zeros when its turn comes, and is
/// cleared no sooner, so that it is still in the cache: clearing all at once first took a twentieth of a training step.
pub(crate) fn make_rows<F>(rows: usize, cols: usize, work: F) -> Vec<f32>
where
    F: Fn(usize, &mut [f32]) + Send + Sync,
{
    make_rows_beside(
        &mut vec![(); rows],
        1,
        cols,
        #[inline(always)]
        |first, _, block| work(first, block),
    )
}

/// As [`make_rows`], while `work(first row, rows of a, rows)` also changes the same rows of `a`, [rows, a_cols].
pub(crate) fn make_rows_beside<A, F>(a: &mut [A], a_cols: usize, cols: usize, work: F) -> Vec<f32>
where
    A: Send,
    F: Fn(usize, &mut [A], &mut [f32]) + Send + Sync,
{
    let count = a.len().checked_div(a_cols).unwrap_or(0) * cols;
    if count == 0 {
        return Vec::new();
    }
    let mut out = Vec::with_capacity(count);
    let blocks = out.spare_capacity_mut()[..count].par_chunks_mut(cols * TASK_ROWS);
    blocks.zip(a.par_chunks_mut(a_cols * TASK_ROWS)).enumerate().for_each(|(task, (block, a))| {
        block.fill(MaybeUninit::new(0f32));
        // SAFETY: all of it has just been filled.
        let block = unsafe { std::slice::from_raw_parts_mut(block.as_mut_ptr().cast::<f32>(), block.len()) };
        simd(
            #[inline(always)]
            || work(task * TASK_ROWS, a, block),
        )
    });
    // SAFETY: the chunks cover the first `count`, and each was filled.
    unsafe { out.set_len(count) };
    out
}

/// `count` numbers that `write` puts there.
///
/// # Safety
/// `write` must write all of them, unless it fails, and read none before.
pub(crate) unsafe fn written(count: usize, write: impl FnOnce(*mut f32) -> Result<()>) -> Result<Vec<f32>> {
    let mut out = Vec::with_capacity(count);
    write(out.as_mut_ptr())?;
    // SAFETY: promised by the caller.
    unsafe { out.set_len(count) };
    Ok(out)
}

const LANES: usize = 16;

/// Σ a·b in f32 over fixed partial sums.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] = a[lane].mul_add(b[lane], sums[lane]);
        }
    }
    fold(sums) + tail
}

/// Σ a in f32 over fixed partial sums.
#[inline(always)]
pub(crate) fn sum(a: &[f32]) -> f32 {
    let mut sums = [0f32; LANES];
    let chunks = a.chunks_exact(LANES);
    let tail: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += chunk[lane];
        }
    }
    fold(sums) + tail
}

/// The largest value; −∞ for none.
#[inline(always)]
pub(crate) fn max(a: &[f32]) -> f32 {
    let mut best = [f32::NEG_INFINITY; LANES];
    let chunks = a.chunks_exact(LANES);
    let tail = chunks.remainder().iter().fold(f32::NEG_INFINITY, |best, &x| if x > best { x } else { best });
    for chunk in chunks {
        for lane in 0..LANES {
            best[lane] = if chunk[lane] > best[lane] { chunk[lane] } else { best[lane] };
        }
    }
    best.iter().fold(tail, |best, &x| if x > best { x } else { best })
}

#[inline(always)]
fn fold(mut sums: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

/// Σ a·b in f64 over fixed partial sums.
#[inline(always)]
pub(crate) fn dot_f64(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0f64; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: f64 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| *x as f64 * *y as f64).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] = (a[lane] as f64).mul_add(b[lane] as f64, sums[lane]);
        }
    }
    sums.iter().sum::<f64>() + tail
}

/// The upper triangle of the K×K dot products between the K rows of `block` [K, n], in f64, in an order that does not
/// depend on the number of threads.
pub(crate) fn gram(block: &[f32], k: usize) -> Vec<f64> {
    /// Numbers of each row that one task takes: K rows of it stay in the cache.
    const PIECE: usize = 4096;
    let n = block.len() / k.max(1);
    let pieces: Vec<Vec<f64>> = (0..n.div_ceil(PIECE))
        .into_par_iter()
        .map(|piece| {
            let range = piece * PIECE..n.min((piece + 1) * PIECE);
            let mut sums = vec![0.0; k * k];
            simd(
                #[inline(always)]
                || {
                    for a in 0..k {
                        let row = &block[a * n..(a + 1) * n][range.clone()];
                        for b in a..k {
                            sums[a * k + b] = dot_f64(row, &block[b * n..(b + 1) * n][range.clone()]);
                        }
                    }
                },
            );
            sums
        })
        .collect();
    let mut total = vec![0.0; k * k];
    for sums in pieces {
        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
    }
    total
}

/// Σ a² in f64, in an order that does not depend on the number of threads.
pub(crate) fn sum_of_squares(a: &[f32]) -> f64 {
    const PIECE: usize = 1 << 16;
    let sums: Vec<f64> = a
        .par_chunks(PIECE)
        .map(|piece| {
            simd(
                #[inline(always)]
                || dot_f64(piece, piece),
            )
        })
        .collect();
    sums.iter().sum()
}

/// aᵀ for a [rows, cols], contiguous.
pub(crate) fn transpose(a: &Tensor) -> Result<Tensor> {
    /// Side of the squares that are turned at once, so that both sides stay in the cache.
    const SQUARE: usize = 32;
    let (rows, cols) = a.dims2()?;
    let mut out = vec![0f32; rows * cols];
    {
        let a = read(a)?;
        out.par_chunks_mut(rows.max(1) * SQUARE).enumerate().for_each(|(task, block)| {
            let left = task * SQUARE;
            for top in (0..rows).step_by(SQUARE) {
                for (i, line) in block.chunks_exact_mut(rows).enumerate() {
                    let end = rows.min(top + SQUARE);
                    for (row, value) in (top..end).zip(&mut line[top..end]) {
                        *value = a[row * cols + left + i];
                    }
                }
            }
        });
    }
    tensor(out, (cols, rows))
}

/// a −= b, in place.
pub(crate) fn subtract(a: &Tensor, b: &Tensor) -> Result<()> {
    let cols = b.elem_count().clamp(1, 4096);
    let b = read(b)?;
    update(a, |a| {
        for_rows(
            a,
            cols,
            #[inline(always)]
            |first, block| {
                let b = &b[first * cols..][..block.len()];
                for j in 0..block.len() {
                    block[j] -= b[j];
                }
            },
        )
    })
}

/// eˣ to about 1e-7 relative, in operations that vectorise (Cephes' expf: range reduction by ln 2, degree-5 polynomial).
/// Below −87 it is 0 and above 88 it stays finite; NaN stays NaN.
#[inline(always)]
#[allow(clippy::excessive_precision)]
pub(crate) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5·2²³: adding it leaves the nearest integer in the low mantissa bits
    let clamped = if x > 88.0 { 88.0 } else { x };
    let clamped = if clamped < -87.0 { -87.0 } else { clamped };
    let shifted = clamped.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-0.693_359_375, clamped);
    let r = n.mul_add(2.121_944_4e-4, r);
    let mut p = 1.987_569_1e-4f32;
    p = p.mul_add(r, 1.398_199_9e-3);
    p = p.mul_add(r, 8.333_452e-3);
    p = p.mul_add(r, 4.166_579_6e-2);
    p = p.mul_add(r, 1.666_666_5e-1);
    p = p.mul_add(r, 5.000_000_1e-1);
    let y = p.mul_add(r * r, r) + 1.0;
    let scale = f32::from_bits(((shifted.to_bits() as i32 - ROUND.to_bits() as i32 + 127) as u32) << 23);
    let result = y * scale;
    if x < -87.0 { 0.0 } else { result }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_the_exponential() {
        for i in -87_000..88_000 {
            let x = i as f32 / 1000.0;
            let truth = (x as f64).exp();
            assert!(((exp(x) as f64 - truth) / truth).abs() < 2e-7, "exp({x}) = {}", exp(x));
        }
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert!(exp(f32::INFINITY) > 1e38);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn transposing_turns_ragged_squares_too() {
        let a: Vec<f32> = (0..70 * 45).map(|i| i as f32).collect();
        let turned = transpose(&tensor(a, (70, 45)).unwrap()).unwrap();
        let values = read(&turned).unwrap();
        assert_eq!(turned.dims(), [45, 70]);
        assert!((0..70).all(|row| (0..45).all(|col| values[col * 70 + row] == (row * 45 + col) as f32)));
    }

    #[test]
    fn reductions_agree_with_plain_loops() {
        let a: Vec<f32> = (0..1003).map(|i| ((i * 37 % 101) as f32 - 50.0) / 25.0).collect();
        let b: Vec<f32> = (0..1003).map(|i| ((i * 53 % 97) as f32 - 48.0) / 24.0).collect();
        let truth: f64 = a.iter().zip(&b).map(|(x, y)| *x as f64 * *y as f64).sum();
        assert!((dot(&a, &b) as f64 - truth).abs() < 1e-3);
        assert!((dot_f64(&a, &b) - truth).abs() < 1e-9);
        assert!((sum(&a) as f64 - a.iter().map(|x| *x as f64).sum::<f64>()).abs() < 1e-3);
        assert_eq!(max(&a), a.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    }
}
