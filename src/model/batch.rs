//! Batches without padding, and losses as mixtures of lanes.
//!
//! A batch's tokens are *packed*: the sequences lie one after the other, `[N]` instead of `[B, S]`, so that no padding is ever
//! computed and no padding mask is needed; attention knows where each sequence begins.
//!
//! A *lane* assigns one target to each of the B examples. The decoder runs over L·B *rows* (lane l, example i), in that
//! order. Each of the K losses is a mixture of rows, loss_k = Σ_r weight[k, r]·ℓ_r. With a closed set of C labels, L = C lanes
//! express the true labels, any number of shuffles and their expectation, so that forward and backward run over C lanes
//! and only parameter gradients are formed K times. With free text, L = K and each loss is one lane.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::array::for_rows;
use super::array::{read, tensor};
use super::dropout::token_key;
use crate::error::{Error, Result};

/// A label that takes no part in the loss (−100 in Hugging Face).
pub const IGNORED: u32 = u32::MAX;

/// Sequences of token ids, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed {
    ids: Vec<u32>,
    offsets: Vec<usize>,
}

impl Packed {
    /// Packs `sequences`.
    pub fn new<S: AsRef<[u32]>>(sequences: impl IntoIterator<Item = S>) -> Self {
        let mut packed = Self { ids: Vec::new(), offsets: vec![0] };
        for sequence in sequences {
            packed.ids.extend_from_slice(sequence.as_ref());
            packed.offsets.push(packed.ids.len());
        }
        packed
    }

    /// All ids, `[N]`.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Where each sequence begins, and at last where the final one ends: one more than there are sequences.
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// Number of sequences.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there is no sequence.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ids of sequence `row`.
    pub fn sequence(&self, row: usize) -> &[u32] {
        &self.ids[self.offsets[row]..self.offsets[row + 1]]
    }
}

/// K losses as mixtures of R = L·B rows.
#[derive(Debug, Clone)]
pub struct Mix {
    lanes: usize,
    examples: usize,
    /// `[K, R]`.
    weights: Vec<f32>,
    /// For each loss, the lane that it is, if it is exactly one.
    lane_of: Vec<Option<usize>>,
}

impl Mix {
    /// Losses from their weights over rows, `[K][L·B]`.
    pub fn new(lanes: usize, examples: usize, weights: &[Vec<f32>]) -> Self {
        let rows = lanes * examples;
        let lane_of = weights
            .iter()
            .map(|row| {
                (0..lanes).find(|lane| {
                    row.iter().enumerate().all(|(r, &weight)| weight == (r / examples.max(1) == *lane) as u8 as f32)
                })
            })
            .collect();
        debug_assert!(weights.iter().all(|row| row.len() == rows));
        Self { lanes, examples, weights: weights.concat(), lane_of }
    }

    /// One lane per loss.
    pub fn lanes(losses: usize, examples: usize) -> Self {
        let weights: Vec<Vec<f32>> = (0..losses)
            .map(|k| (0..losses * examples).map(|r| (r / examples.max(1) == k) as u8 as f32).collect())
            .collect();
        Self::new(losses, examples, &weights)
    }

    /// K.
    pub fn losses(&self) -> usize {
        self.lane_of.len()
    }

    /// Weight of row `row` in loss `loss`.
    pub fn weight(&self, loss: usize, row: usize) -> f32 {
        self.weights[loss * self.lanes * self.examples + row]
    }

    /// The lane that loss `loss` is, if it is exactly one.
    pub(crate) fn lane(&self, loss: usize) -> Option<usize> {
        self.lane_of[loss]
    }

    /// `[R, D]` values per row to `[K, D]` values per loss.
    pub(crate) fn combine(&self, per_row: &Tensor) -> Result<Tensor> {
        let weights = Tensor::from_slice(&self.weights, (self.losses(), self.lanes * self.examples), &Device::Cpu)?;
        Ok(weights.matmul(per_row)?)
    }
}

/// Where the tokens of a batch lie, for the encoder (whose activations all lanes share) or the decoder.
///
/// Activations have [`Layout::tokens`] rows, cotangents [`Layout::cotangents`]: L times as many in the encoder.
#[derive(Debug)]
pub(crate) struct Layout {
    pub offsets: Vec<usize>,
    /// Dropout key of each token.
    pub keys: Vec<u64>,
    pub lanes: usize,
    pub examples: usize,
    pub shared: bool,
    pub mix: Arc<Mix>,
}

impl Layout {
    /// Rows of activations.
    pub fn tokens(&self) -> usize {
        self.offsets.last().copied().unwrap_or(0)
    }

    /// Rows of cotangents.
    pub fn cotangents(&self) -> usize {
        if self.shared { self.lanes * self.tokens() } else { self.tokens() }
    }

    /// Activations of row `row` = (lane, example).
    pub fn activation(&self, row: usize) -> Range<usize> {
        let place = if self.shared { row % self.examples } else { row };
        self.offsets[place]..self.offsets[place + 1]
    }

    /// Cotangents of row `row`.
    pub fn cotangent(&self, row: usize) -> Range<usize> {
        let tokens = self.activation(row);
        let shift = if self.shared { row / self.examples * self.tokens() } else { 0 };
        tokens.start + shift..tokens.end + shift
    }

    /// L·B.
    pub fn rows(&self) -> usize {
        self.lanes * self.examples
    }

    /// The activations `x` and those `columns` of the cotangents `dy` that loss `k` is made of: gradients are their products, summed
    /// over tokens. The columns begin at the returned one: where nothing is mixed, `dy` is there as it was.
    pub fn of_loss(&self, k: usize, x: &Tensor, dy: &Tensor, columns: Range<usize>) -> Result<(Tensor, Tensor, usize)> {
        if let Some(lane) = self.mix.lane_of[k] {
            let first = self.cotangent(lane * self.examples).start;
            let last = self.cotangent((lane + 1) * self.examples - 1).end;
            let dy = dy.narrow(0, first, last - first)?;
            let x = if self.shared { x.clone() } else { x.narrow(0, first, last - first)? };
            return Ok((x, dy, columns.start));
        }
        let (x, dy) =
            if self.shared { (x.clone(), self.mixed(k, dy, columns)?) } else { self.gathered(k, x, dy, columns)? };
        Ok((x, dy, 0))
    }

    /// Σ_lanes weight·dy, `[N, columns]`.
    fn mixed(&self, k: usize, dy: &Tensor, columns: Range<usize>) -> Result<Tensor> {
        let (width, cols) = (dy.dim(1)?, columns.len());
        let tokens = self.tokens();
        let mut example_of = vec![0; tokens];
        for example in 0..self.examples {
            example_of[self.offsets[example]..self.offsets[example + 1]].fill(example);
        }
        let mut out = vec![0f32; tokens * cols];
        {
            let dy = read(dy)?;
            for_rows(
                &mut out,
                cols,
                #[inline(always)]
                |first, block| {
                    for (i, out) in block.chunks_exact_mut(cols).enumerate() {
                        let token = first + i;
                        for lane in 0..self.lanes {
                            let weight = self.mix.weight(k, lane * self.examples + example_of[token]);
                            let dy = &dy[(lane * tokens + token) * width + columns.start..][..cols];
                            if weight != 0.0 {
                                for j in 0..cols {
                                    out[j] = dy[j].mul_add(weight, out[j]);
                                }
                            }
                        }
                    }
                },
            );
        }
        tensor(out, (tokens, cols))
    }

    /// The rows that take part, cotangents scaled by their weights.
    fn gathered(&self, k: usize, x: &Tensor, dy: &Tensor, columns: Range<usize>) -> Result<(Tensor, Tensor)> {
        let (x_cols, dy_cols) = (x.dim(1)?, dy.dim(1)?);
        let (x, dy) = (read(x)?, read(dy)?);
        let (mut x_out, mut dy_out) = (Vec::new(), Vec::new());
        for row in 0..self.rows() {
            let weight = self.mix.weight(k, row);
            if weight != 0.0 {
                let tokens = self.activation(row);
                x_out.extend_from_slice(&x[tokens.start * x_cols..tokens.end * x_cols]);
                for token in tokens {
                    let dy = &dy[token * dy_cols..][columns.clone()];
                    dy_out.extend(dy.iter().map(|value| value * weight));
                }
            }
        }
        let rows = x_out.len() / x_cols;
        Ok((tensor(x_out, (rows, x_cols))?, tensor(dy_out, (rows, columns.len()))?))
    }
}

/// What one pass through the model sees: B sources, L·B targets, K losses.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Source ids.
    pub(crate) sources: Packed,
    /// Decoder inputs: labels shifted right behind the start token.
    pub(crate) inputs: Packed,
    /// Labels; [`IGNORED`] takes no part in the loss.
    pub(crate) labels: Packed,
    pub(crate) encoder: Arc<Layout>,
    pub(crate) decoder: Arc<Layout>,
}

impl Batch {
    /// A batch of `sources` (B of them, their identities in `keys`: equal keys get equal dropout masks), `labels` (row
    /// l·B + i is example i's target in lane l, eos included) and `mix`. `start` is the decoder's start token, `pad` what an
    /// ignored label becomes in the decoder's input.
    ///
    /// # Errors
    /// If there is no example, a sequence is empty or the counts do not agree.
    pub fn new(sources: Packed, keys: &[u64], labels: Packed, mix: Mix, start: u32, pad: u32) -> Result<Self> {
        let examples = sources.len();
        if examples == 0 || keys.len() != examples || mix.examples != examples || labels.len() != mix.lanes * examples {
            return Err(Error::check(format!(
                "internal: a batch of {examples} sources, {} keys and {} targets for {} lanes",
                keys.len(),
                labels.len(),
                mix.lanes
            )));
        }
        for (what, packed) in [("source", &sources), ("target", &labels)] {
            if let Some(row) = (0..packed.len()).find(|&row| packed.sequence(row).is_empty()) {
                return Err(Error::input(format!("the {what} of example {} is empty", row % examples)));
            }
        }
        let inputs = Packed::new((0..labels.len()).map(|row| {
            let labels = labels.sequence(row);
            let shifted = labels[..labels.len() - 1].iter().map(|&id| if id == IGNORED { pad } else { id });
            std::iter::once(start).chain(shifted).collect::<Vec<_>>()
        }));
        let mix = Arc::new(mix);
        let layout = |packed: &Packed, shared: bool| {
            let keys = (0..packed.len())
                .flat_map(|row| (0..packed.sequence(row).len()).map(move |position| (row, position)))
                .map(|(row, position)| token_key(keys[row % examples], position))
                .collect();
            Arc::new(Layout {
                offsets: packed.offsets().to_vec(),
                keys,
                lanes: mix.lanes,
                examples,
                shared,
                mix: mix.clone(),
            })
        };
        let (encoder, decoder) = (layout(&sources, true), layout(&inputs, false));
        Ok(Self { sources, inputs, labels, encoder, decoder })
    }

    /// B.
    pub fn examples(&self) -> usize {
        self.encoder.examples
    }

    /// K.
    pub fn losses(&self) -> usize {
        self.encoder.mix.losses()
    }

    /// Tokens of all sources.
    pub fn source_tokens(&self) -> usize {
        self.sources.ids().len()
    }

    /// Labels that take part in the loss, over all rows.
    pub fn target_tokens(&self) -> usize {
        self.labels.ids().iter().filter(|&&id| id != IGNORED).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_is_one_lane_is_seen_as_one() {
        let mix = Mix::new(2, 2, &[vec![1., 1., 0., 0.], vec![0., 1., 1., 0.], vec![0., 0., 1., 1.]]);
        assert_eq!(mix.lane_of, [Some(0), None, Some(1)]);
        assert_eq!(Mix::lanes(3, 2).lane_of, [Some(0), Some(1), Some(2)]);
    }

    #[test]
    fn decoder_inputs_are_labels_shifted_right() {
        let batch = Batch::new(
            Packed::new([[5u32, 6, 1]]),
            &[0],
            Packed::new([[7u32, 1, IGNORED, IGNORED]]),
            Mix::lanes(1, 1),
            0,
            0,
        )
        .unwrap();
        assert_eq!(batch.inputs.ids(), [0, 7, 1, 0]);
        assert_eq!(batch.target_tokens(), 2);
    }

    #[test]
    fn empty_sequences_are_refused() {
        let empty: [&[u32]; 1] = [&[]];
        assert!(Batch::new(Packed::new(empty), &[0], Packed::new([[1u32]]), Mix::lanes(1, 1), 0, 0).is_err());
        assert!(Batch::new(Packed::new([[1u32]]), &[0], Packed::new(empty), Mix::lanes(1, 1), 0, 0).is_err());
    }
}
