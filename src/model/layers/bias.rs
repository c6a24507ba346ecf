//! T5's relative position bias: a table [buckets, heads] per stack, held by its first block and added to the attention
//! scores of all of them.

use candle_core::Tensor;
use std::sync::Arc;

use super::super::array::{read, tensor};
use super::super::gradient::{Collector, Part};
use super::super::params::Param;
use crate::error::Result;

/// The bucket of `relative` = key position − query position
/// (T5Attention._relative_position_bucket in transformers, mesh_tensorflow's before it).
pub fn relative_position_bucket(relative: i64, bidirectional: bool, buckets: usize, max_distance: usize) -> usize {
    let (mut first, mut buckets) = (0, buckets);
    let distance = if bidirectional {
        buckets /= 2;
        if relative > 0 {
            first = buckets;
        }
        relative.unsigned_abs() as usize
    } else {
        (-relative).max(0) as usize
    };
    let exact = buckets / 2;
    if distance < exact {
        return first + distance;
    }
    // In f32 and in this order, since the reference's rounding decides at the borders.
    let scaled = (distance as f32 / exact as f32).ln() / ((max_distance as f64 / exact as f64).ln() as f32)
        * (buckets - exact) as f32;
    first + (exact + scaled as usize).min(buckets - 1)
}

/// A stack's bias table.
#[derive(Debug, Clone)]
pub(crate) struct RelativeBias {
    /// `[buckets, heads]`.
    pub table: Param,
    pub bidirectional: bool,
    pub max_distance: usize,
}

/// The bias of one forward pass by head and relative position, `[heads, 2·span − 1]`: the entry of key position j and query
/// position i is at j − i + span − 1.
#[derive(Debug, Clone)]
pub(crate) struct Bias {
    pub values: Arc<Vec<f32>>,
    pub span: usize,
}

impl Bias {
    /// Width of one head's values.
    pub fn width(&self) -> usize {
        2 * self.span - 1
    }

    /// The values of `head` for keys 0.. of query `query`.
    #[inline(always)]
    pub fn of_query(&self, head: usize, query: usize) -> &[f32] {
        &self.values[head * self.width() + self.span - 1 - query..(head + 1) * self.width()]
    }
}

impl RelativeBias {
    fn bucket(&self, place: usize, span: usize) -> Result<usize> {
        let buckets = self.table.value().dim(0)?;
        let relative = place as i64 - (span as i64 - 1);
        Ok(relative_position_bucket(relative, self.bidirectional, buckets, self.max_distance))
    }

    /// The bias for sequences of up to `span` positions.
    pub fn expand(&self, span: usize) -> Result<Bias> {
        let heads = self.table.value().dim(1)?;
        let width = 2 * span - 1;
        let table = read(self.table.value())?;
        let mut values = vec![0f32; heads * width];
        for place in 0..width {
            let bucket = self.bucket(place, span)?;
            for head in 0..heads {
                values[head * width + place] = table[bucket * heads + head];
            }
        }
        Ok(Bias { values: Arc::new(values), span })
    }

    /// Pushes the table's gradients, from the sums over all blocks of a stack.
    pub fn backward(&self, sums: BiasGradient, grads: &mut Collector) -> Result<()> {
        let (buckets, heads) = self.table.value().dims2()?;
        let (span, losses) = (sums.span, sums.losses);
        let width = 2 * span - 1;
        let sums = sums.values;
        let mut out = vec![0f64; losses * buckets * heads];
        for place in 0..width {
            let bucket = self.bucket(place, span)?;
            for k in 0..losses {
                for head in 0..heads {
                    out[(k * buckets + bucket) * heads + head] += sums[(k * heads + head) * width + place];
                }
            }
        }
        let out = out.into_iter().map(|value| value as f32).collect();
        grads.push(&self.table, Part::Dense(tensor(out, (losses, buckets * heads))?));
        Ok(())
    }
}

/// Sums of score cotangents by loss, head and relative position, `[K, heads, 2·span − 1]`.
#[derive(Debug)]
pub(crate) struct BiasGradient {
    values: Vec<f64>,
    span: usize,
    losses: usize,
}

impl BiasGradient {
    pub fn new(losses: usize, heads: usize, span: usize) -> Self {
        Self { values: vec![0.0; losses * heads * (2 * span - 1)], span, losses }
    }

    /// Adds `[K, heads·(2·span − 1)]`.
    pub fn add(&mut self, values: &Tensor) -> Result<()> {
        let values = read(values)?;
        self.values.iter_mut().zip(values.iter()).for_each(|(sum, value)| *sum += *value as f64);
        Ok(())
    }
}
