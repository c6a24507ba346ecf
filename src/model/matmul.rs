//! Matrix products by the gemm crate where candle's `matmul` will not do: on blocks of larger matrices, adding to what is
//! there, one per thread.

use gemm::Parallelism;

/// An output that parallel tasks write to, each its own block.
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
    unsafe { run(m, n, k, dst, dst_rows, add, a, b, Parallelism::None) }
}

/// As [`matmul`], on all threads.
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
    let threads = rayon::current_num_threads();
    let parallelism = if threads > 1 { Parallelism::Rayon(threads) } else { Parallelism::None };
    // SAFETY: promised by the caller.
    unsafe { run(m, n, k, dst, dst_rows, add, a, b, parallelism) }
}

#[allow(clippy::too_many_arguments)]
unsafe fn run(
    m: usize,
    n: usize,
    k: usize,
    dst: *mut f32,
    dst_rows: usize,
    add: bool,
    a: Operand,
    b: Operand,
    parallelism: Parallelism,
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
            parallelism,
        )
    }
}
