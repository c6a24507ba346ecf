//! The arithmetic of attention heads over packed sequences: one task per (sequence, head), in tiles of queries.

use std::ops::Range;

use rayon::prelude::*;

use super::super::super::array::{dot, exp, max, simd};
use super::super::super::batch::Layout;
use super::super::super::dropout::Mask;
use super::super::super::matmul::{Out, matmul};
use super::super::bias::Bias;

/// Queries that one tile takes: a tile's scores stay in the cache.
const TILE: usize = 64;

/// How the width of q, k, v splits into heads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    pub count: usize,
    pub d_kv: usize,
    pub causal: bool,
}

/// Cotangents of q [·, inner], k and v, and of the scores by row, head and relative position.
pub(crate) struct Back {
    pub dq: Vec<f32>,
    pub dk: Vec<f32>,
    pub dv: Vec<f32>,
    pub dbias: Vec<f32>,
}

/// One sequence of queries, the keys it sees, and where the cotangents of each of its lanes lie.
pub(crate) struct Segment {
    q: Range<usize>,
    kv: Range<usize>,
    /// (row of the batch, first cotangent of q, first cotangent of k and v).
    lanes: Vec<(usize, usize, usize)>,
}

impl Segment {
    /// Queries and keys without cotangents, for decoding.
    pub fn new(q: Range<usize>, kv: Range<usize>) -> Self {
        Self { q, kv, lanes: Vec::new() }
    }
}

/// The segments of queries in layout `q` that see keys in layout `kv`.
pub(crate) fn segments(q: &Layout, kv: &Layout) -> Vec<Segment> {
    let lane = |row: usize| (row, q.cotangent(row).start, kv.cotangent(row).start);
    let segment = |row: usize, lanes| Segment { q: q.activation(row), kv: kv.activation(row), lanes };
    match q.shared {
        true => (0..q.examples)
            .map(|example| segment(example, (0..q.lanes).map(|l| lane(l * q.examples + example)).collect()))
            .collect(),
        false => (0..q.rows()).map(|row| segment(row, vec![lane(row)])).collect(),
    }
}

impl Heads {
    /// Width of q, k, v: heads · d_kv.
    pub fn inner(&self) -> usize {
        self.count * self.d_kv
    }

    /// The first element of a head's block: every operand below starts at one.
    fn block(&self, x: &[f32], token: usize, head: usize) -> *const f32 {
        x[token * self.inner() + head * self.d_kv..].as_ptr()
    }

    /// Attention weights of queries `tile` (relative to the segment) of `head`, `[tile, keys]`, before dropout.
    fn weights(
        &self,
        p: &mut [f32],
        qk: [&[f32]; 2],
        segment: &Segment,
        tile: Range<usize>,
        head: usize,
        bias: Option<&Bias>,
    ) {
        let (keys, inner) = (segment.kv.len(), self.inner());
        let q = self.block(qk[0], segment.q.start + tile.start, head);
        let k = self.block(qk[1], segment.kv.start, head);
        // SAFETY: `block` checked the first element; the segment's rows lie within q and k, p holds tile × keys numbers.
        unsafe { matmul(tile.len(), keys, self.d_kv, p.as_mut_ptr(), keys, false, (q, inner, 1), (k, 1, inner)) };
        simd(
            #[inline(always)]
            || {
                for (row, p) in p.chunks_exact_mut(keys).enumerate() {
                    let query = tile.start + row;
                    let seen = if self.causal { query + 1 } else { keys };
                    let (p, hidden) = p.split_at_mut(seen);
                    hidden.fill(0.0);
                    if let Some(bias) = bias {
                        let bias = &bias.of_query(head, query)[..seen];
                        for j in 0..seen {
                            p[j] += bias[j];
                        }
                    }
                    let top = max(p);
                    let mut total = 0.0;
                    for value in p.iter_mut() {
                        *value = exp(*value - top);
                    }
                    total += super::super::super::array::sum(p);
                    let scale = 1.0 / total;
                    for value in p.iter_mut() {
                        *value *= scale;
                    }
                }
            },
        );
    }

    /// Multiplies `p` [tile, keys] by its dropout factors.
    fn drop(&self, p: &mut [f32], keys: usize, tokens: &[u64], head: usize, mask: Mask) {
        simd(
            #[inline(always)]
            || {
                for (p, token) in p.chunks_exact_mut(keys).zip(tokens) {
                    let row = mask.row(*token);
                    for (j, value) in p.iter_mut().enumerate() {
                        *value *= row.factor((head << 20) | j);
                    }
                }
            },
        );
    }

    /// `[tokens, inner]` from q, k, v; `mask` comes with the keys of the queries' tokens.
    pub fn forward(
        &self,
        qkv: [&[f32]; 3],
        bias: Option<&Bias>,
        segments: &[Segment],
        tokens: usize,
        mask: Option<(Mask, &[u64])>,
    ) -> Vec<f32> {
        let inner = self.inner();
        let mut context = vec![0f32; tokens * inner];
        let out = Out::new(&mut context);
        (0..segments.len() * self.count).into_par_iter().for_each_init(Vec::new, |p, task| {
            let (segment, head) = (&segments[task / self.count], task % self.count);
            let (queries, keys) = (segment.q.len(), segment.kv.len());
            for first in (0..queries).step_by(TILE) {
                let tile = first..queries.min(first + TILE);
                p.resize(tile.len() * keys, 0.0);
                self.weights(p, [qkv[0], qkv[1]], segment, tile.clone(), head, bias);
                let token = segment.q.start + first;
                if let Some((mask, keys_of_tokens)) = mask {
                    self.drop(p, keys, &keys_of_tokens[token..token + tile.len()], head, mask);
                }
                let v = self.block(qkv[2], segment.kv.start, head);
                // SAFETY: the segment's rows lie within v and the context; this task alone writes this block.
                unsafe {
                    let dst = out.at(token, head * self.d_kv, inner);
                    matmul(tile.len(), self.d_kv, keys, dst, inner, false, (p.as_ptr(), keys, 1), (v, inner, 1));
                }
            }
        });
        context
    }

    /// Cotangents from those of the context, `dcontext` [q cotangents, inner].
    pub fn backward(
        &self,
        qkv: [&[f32]; 3],
        dcontext: &[f32],
        bias: Option<&Bias>,
        q_layout: &Layout,
        kv_layout: &Layout,
        mask: Option<Mask>,
    ) -> Back {
        let inner = self.inner();
        let width = bias.map_or(0, Bias::width);
        let mut dq = vec![0f32; q_layout.cotangents() * inner];
        let mut dk = vec![0f32; kv_layout.cotangents() * inner];
        let mut dv = vec![0f32; kv_layout.cotangents() * inner];
        let mut dbias = vec![0f32; q_layout.rows() * self.count * width];
        // Every task writes only its own (sequence, head) block: sequences are disjoint rows, heads disjoint columns.
        let outs = [&mut dq, &mut dk, &mut dv, &mut dbias].map(|values| Out::new(values));
        let segments = segments(q_layout, kv_layout);
        (0..segments.len() * self.count).into_par_iter().for_each_init(
            || [Vec::new(), Vec::new(), Vec::new()],
            |[p, dropped, ds], task| {
                let (segment, head) = (&segments[task / self.count], task % self.count);
                let (queries, keys) = (segment.q.len(), segment.kv.len());
                for first in (0..queries).step_by(TILE) {
                    let tile = first..queries.min(first + TILE);
                    let size = tile.len() * keys;
                    [&mut *p, &mut *dropped, &mut *ds].into_iter().for_each(|buffer| buffer.resize(size, 0.0));
                    self.weights(p, [qkv[0], qkv[1]], segment, tile.clone(), head, bias);
                    let token = segment.q.start + first;
                    let keys_of_tile = &q_layout.keys[token..token + tile.len()];
                    if let Some(mask) = mask {
                        dropped.copy_from_slice(p);
                        self.drop(dropped, keys, keys_of_tile, head, mask);
                    }
                    for &(row, q_first, kv_first) in &segment.lanes {
                        let dc = dcontext[(q_first + first) * inner + head * self.d_kv..].as_ptr();
                        let v = self.block(qkv[2], segment.kv.start, head);
                        let used = if mask.is_some() { &*dropped } else { &*p };
                        // SAFETY: operands lie within their matrices; this task alone writes these blocks.
                        unsafe {
                            let dv = outs[2].at(kv_first, head * self.d_kv, inner);
                            matmul(
                                keys,
                                self.d_kv,
                                tile.len(),
                                dv,
                                inner,
                                first > 0,
                                (used.as_ptr(), 1, keys),
                                (dc, inner, 1),
                            );
                            matmul(
                                tile.len(),
                                keys,
                                self.d_kv,
                                ds.as_mut_ptr(),
                                keys,
                                false,
                                (dc, inner, 1),
                                (v, 1, inner),
                            );
                        }
                        if let Some(mask) = mask {
                            self.drop(ds, keys, keys_of_tile, head, mask);
                        }
                        simd(
                            #[inline(always)]
                            || {
                                for (ds, p) in ds.chunks_exact_mut(keys).zip(p.chunks_exact(keys)) {
                                    let along = dot(ds, p);
                                    for j in 0..keys {
                                        ds[j] = p[j] * (ds[j] - along);
                                    }
                                }
                            },
                        );
                        let (q, k) = (self.block(qkv[0], token, head), self.block(qkv[1], segment.kv.start, head));
                        // SAFETY: as above.
                        unsafe {
                            let dq = outs[0].at(q_first + first, head * self.d_kv, inner);
                            matmul(
                                tile.len(),
                                self.d_kv,
                                keys,
                                dq,
                                inner,
                                false,
                                (ds.as_ptr(), keys, 1),
                                (k, inner, 1),
                            );
                            let dk = outs[1].at(kv_first, head * self.d_kv, inner);
                            matmul(
                                keys,
                                self.d_kv,
                                tile.len(),
                                dk,
                                inner,
                                first > 0,
                                (ds.as_ptr(), 1, keys),
                                (q, inner, 1),
                            );
                        }
                        if let Some(bias) = bias {
                            // SAFETY: as above; the block is one row's and one head's.
                            let sums = unsafe {
                                std::slice::from_raw_parts_mut(outs[3].at(row, head * width, self.count * width), width)
                            };
                            for (i, ds) in ds.chunks_exact(keys).enumerate() {
                                let sums = &mut sums[bias.span - 1 - (first + i)..][..keys];
                                sums.iter_mut().zip(ds).for_each(|(sum, ds)| *sum += ds);
                            }
                        }
                    }
                }
            },
        );
        Back { dq, dk, dv, dbias }
    }
}
