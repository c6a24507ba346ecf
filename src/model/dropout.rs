//! Dropout masks from a counter-based generator: the mask of a number depends on the seed, the step, the example, the place
//! in the model and the position within the example, and on nothing else. So masks are equal for all K losses, do not
//! depend on how a batch is cut, and are drawn again in the backward pass instead of being stored.

use super::array::make_rows;
use crate::error::Result;
use candle_core::Tensor;

use super::array::{read, tensor};

/// Dropout of one pass through the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// Probability that a number is zeroed.
    pub rate: f64,
    /// Key of the pass: seed and step.
    pub key: u64,
}

/// A place in the model where dropout is applied.
#[derive(Debug, Clone, Copy)]
pub struct Mask {
    key: u64,
    /// A number is kept if 32 random bits are at least this.
    threshold: u32,
    scale: f32,
}

/// A bijective mix of 64 bits (SplitMix64's finaliser; Steele et al. 2014).
#[inline(always)]
fn mix64(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A bijective mix of 32 bits ("lowbias32", C. Wellons): it vectorises, which a 64-bit multiply does not everywhere.
#[inline(always)]
fn mix32(mut z: u32) -> u32 {
    z = (z ^ (z >> 16)).wrapping_mul(0x7feb_352d);
    z = (z ^ (z >> 15)).wrapping_mul(0x846c_a68b);
    z ^ (z >> 16)
}

/// Key of a token: its example and its position there.
pub fn token_key(example: u64, position: usize) -> u64 {
    mix64(mix64(example) ^ position as u64)
}

impl Dropout {
    /// The mask at `place`, a number that no other place of the model has.
    pub fn at(&self, place: u64) -> Mask {
        let threshold = (self.rate * 4_294_967_296.0).round().clamp(0.0, u32::MAX as f64) as u32;
        Mask { key: mix64(self.key ^ mix64(place)), threshold, scale: (1.0 / (1.0 - self.rate)) as f32 }
    }
}

impl Mask {
    /// The keys of the numbers that belong to the token of key `token`.
    #[inline(always)]
    pub fn row(&self, token: u64) -> MaskRow {
        let key = mix64(self.key ^ token);
        MaskRow { low: key as u32, high: (key >> 32) as u32, threshold: self.threshold, scale: self.scale }
    }
}

/// The mask of one token's numbers.
#[derive(Clone, Copy)]
pub struct MaskRow {
    low: u32,
    high: u32,
    threshold: u32,
    scale: f32,
}

impl MaskRow {
    /// The factor of number `index`: 0 or 1/(1−rate).
    #[inline(always)]
    pub fn factor(&self, index: usize) -> f32 {
        let bits = mix32(mix32(index as u32 ^ self.low).wrapping_add(self.high));
        if bits >= self.threshold { self.scale } else { 0.0 }
    }
}

/// `x` [rows, cols] with the mask of each row's token applied; row r has the token `tokens[r % tokens.len()]`.
/// Without a mask it is `x` itself.
pub(crate) fn apply(x: &Tensor, mask: Option<Mask>, tokens: &[u64]) -> Result<Tensor> {
    let Some(mask) = mask else { return Ok(x.clone()) };
    let (rows, cols) = x.dims2()?;
    let out = {
        let x = read(x)?;
        make_rows(
            rows,
            cols,
            #[inline(always)]
            |first, block| {
                for (i, out) in block.chunks_exact_mut(cols).enumerate() {
                    let row = mask.row(tokens[(first + i) % tokens.len()]);
                    let x = &x[(first + i) * cols..][..cols];
                    for j in 0..cols {
                        out[j] = x[j] * row.factor(j);
                    }
                }
            },
        )
    };
    tensor(out, (rows, cols))
}

/// `x + dropped(y)`, both [rows, cols]: the end of a residual sublayer.
pub(crate) fn add_dropped(x: &Tensor, y: &Tensor, mask: Option<Mask>, tokens: &[u64]) -> Result<Tensor> {
    let (rows, cols) = x.dims2()?;
    let out = {
        let (x, y) = (read(x)?, read(y)?);
        make_rows(
            rows,
            cols,
            #[inline(always)]
            |first, block| {
                for (i, out) in block.chunks_exact_mut(cols).enumerate() {
                    let start = (first + i) * cols;
                    let (x, y) = (&x[start..start + cols], &y[start..start + cols]);
                    match mask {
                        None => {
                            for j in 0..cols {
                                out[j] = x[j] + y[j];
                            }
                        }
                        Some(mask) => {
                            let row = mask.row(tokens[(first + i) % tokens.len()]);
                            for j in 0..cols {
                                out[j] = y[j].mul_add(row.factor(j), x[j]);
                            }
                        }
                    }
                }
            },
        )
    };
    tensor(out, (rows, cols))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_have_the_rate_and_differ_by_key() {
        let dropout = Dropout { rate: 0.1, key: 7 };
        let (a, b) = (dropout.at(1).row(token_key(3, 0)), dropout.at(2).row(token_key(3, 0)));
        let count = 200_000;
        let zeros = |row: MaskRow| (0..count).filter(|&i| row.factor(i) == 0.0).count() as f64 / count as f64;
        // Standard deviation 0.0007: four of them.
        assert!((zeros(a) - 0.1).abs() < 0.003, "{}", zeros(a));
        let both = (0..count).filter(|&i| a.factor(i) == 0.0 && b.factor(i) == 0.0).count() as f64 / count as f64;
        assert!((both - 0.01).abs() < 0.001, "{both}");
        assert!((a.factor((0..count).find(|&i| a.factor(i) > 0.0).unwrap()) - 1.0 / 0.9).abs() < 1e-6);
    }
}
