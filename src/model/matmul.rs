//! Matrix products by the gemm crate, which candle's `matmul` uses too: here on blocks of larger matrices, adding to what is
//! there, shared between threads without barriers.

use candle_core::Tensor;
use gemm::Parallelism;
use rayon::prelude::*;

use super::array::{read, tensor, update, written};
use crate::error::{Error, Result};

/// A matrix that parallel tasks share: each writes its own block, or all only read.
#[derive(Clone, Copy)]
pub(crate) struct Out(*mut f32);
// SAFETY: whoever makes one promises that no two tasks write the same element; see the users.
unsafe impl Send for Out {}
unsafe impl Sync for Out {}

impl Out {
    /// Of a matrix that outlives the tasks.
    pub fn new(values: &mut [f32]) -> Self {
        Self(values.as_mut_ptr())
    }

    /// The block whose first row is `row` and first column `col`, in a matrix of `width` columns.
    pub fn at(self, row: usize, col: usize, width: usize) -> *mut f32 {
        // SAFETY: callers stay within the matrix that the pointer was made from.
        unsafe { self.0.add(row * width + col) }
    }
}

/// A matrix operand: pointer to its first element, row stride, column stride.
pub(crate) type Operand = (*const f32, usize, usize);

/// dst [m, n] (row stride `dst_rows`, columns adjacent) = or, with `add`, += a [m, k] · b [k, n], on this thread.
///
/// # Safety
/// The operands must be valid for their shapes and strides, and nobody else may touch the block of `dst`.
#[inline]
#[allow(clippy::too_many_arguments)] // BLAS's own list
pub(crate) unsafe fn matmul(
    m: usize,
    n: usize,
    k: usize,
    dst: *mut f32,
    dst_rows: usize,
    add: bool,
    a: Operand,
    b: Operand,
) {
    // SAFETY: promised by the caller.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            dst,
            1,
            dst_rows as isize,
            add,
            a.0,
            a.2 as isize,
            a.1 as isize,
            b.0,
            b.2 as isize,
            b.1 as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        )
    }
}

/// Multiply-adds below which a product is not worth a second thread.
const SPLIT: usize = 1 << 20;

/// Columns of a share below which the rows are shared instead: gemm's tiles are 64 wide.
const NARROW: usize = 128;

/// As [`matmul`], on all threads: each takes a share of the rows or of the columns. (gemm's own threads meet at barriers
/// after every block, which costs small products a third of their time.)
///
/// # Safety
/// As [`matmul`].
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn matmul_parallel(
    m: usize,
    n: usize,
    k: usize,
    dst: *mut f32,
    dst_rows: usize,
    add: bool,
    a: Operand,
    b: Operand,
) {
    let threads = if m * n * k < SPLIT { 1 } else { rayon::current_num_threads() };
    if threads == 1 {
        // SAFETY: promised by the caller.
        return unsafe { matmul(m, n, k, dst, dst_rows, add, a, b) };
    }
    // gemm turns a transposed b for every share of the rows anew, but only its own part for a share of the columns.
    let turned = b.1 == 1 && n >= NARROW * threads;
    let by_rows = m >= n && !turned;
    let all = if by_rows { m } else { n };
    // Whole registers, so that only the last share has a ragged edge.
    let share = all.div_ceil(threads).next_multiple_of(16);
    let (dst, left, right) = (Out(dst), Out(a.0.cast_mut()), Out(b.0.cast_mut()));
    let ((_, a_rows, a_cols), (_, b_rows, b_cols)) = (a, b);
    (0..all.div_ceil(share)).into_par_iter().for_each(|piece| {
        let first = piece * share;
        let count = share.min(all - first);
        let (row, col, m, n) = if by_rows { (first, 0, count, n) } else { (0, first, m, count) };
        // SAFETY: the pieces are disjoint blocks of dst, within the shapes that the caller promised.
        unsafe {
            let a = (left.at(row, 0, a_rows).cast_const(), a_rows, a_cols);
            let b = (right.at(col, 0, b_cols).cast_const(), b_rows, b_cols);
            matmul(m, n, k, dst.at(row, col, dst_rows), dst_rows, add, a, b)
        }
    });
}

/// x [m, k] times `w`: [k, n], or [n, k] if `transposed`. With `onto` [m, n] the product is added to it, in place.
pub(crate) fn product(x: &Tensor, w: &Tensor, transposed: bool, onto: Option<Tensor>) -> Result<Tensor> {
    let ((m, k), (rows, cols)) = (x.dims2()?, w.dims2()?);
    let (n, inner) = if transposed { (rows, cols) } else { (cols, rows) };
    if k != inner {
        return Err(Error::check(format!("internal: a product of [{m}, {k}] with {:?}", w.dims())));
    }
    let (x, w) = (read(x)?, read(w)?);
    let strides = if transposed { (1, cols) } else { (cols, 1) };
    let run = |out: *mut f32, add: bool| {
        // SAFETY: x is [m, k], w as its strides say, and out [m, n] is ours alone.
        unsafe {
            let (x, w) = ((x.as_ptr(), k, 1), (w.as_ptr(), strides.0, strides.1));
            matmul_parallel(m, n, k, out, n, add, x, w)
        }
    };
    match onto {
        Some(sum) => {
            if sum.dims() != [m, n] {
                return Err(Error::check(format!("internal: a product [{m}, {n}] onto {:?}", sum.dims())));
            }
            update(&sum, |sum| run(sum.as_mut_ptr(), true))?;
            Ok(sum)
        }
        None => {
            // SAFETY: a product that is not added to anything is written whole.
            let out = unsafe {
                written(m * n, |out| {
                    run(out, false);
                    Ok(())
                })
            };
            tensor(out?, (m, n))
        }
    }
}
