//! Decoding: greedy and beam search over a batch of ragged sources, with the caller's cache of keys and values.
//!
//! [`cache`] runs the decoder one token further; [`search`] is beam search on plain numbers. A sequence leaves the batch as
//! soon as it is decided, so that a short answer does not wait for a long one.

mod cache;
mod search;

use candle_core::Tensor;
use rayon::prelude::*;

use self::cache::{Cache, Encoded};
use self::search::{Beams, Candidate};
use super::array::{exp, max, read, simd};
use super::batch::Packed;
use super::t5::T5;
use crate::error::{Error, Result};
use crate::spec::Decoding;

/// One decoded output.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its ids, without eos.
    pub ids: Vec<u32>,
    /// Whether it ended by eos; if not, it hit the length limit.
    pub ended: bool,
    /// Σ log p of its tokens (eos included), divided by the length penalty for beams.
    pub score: f64,
}

impl T5 {
    /// Decodes an output for each of `sources`.
    ///
    /// # Errors
    /// If there is no beam or no token to decode, or a source id is outside the vocabulary.
    pub fn generate(&self, sources: &Packed, decoding: &Decoding) -> Result<Vec<Output>> {
        if decoding.num_beams == 0 || decoding.max_new_tokens == 0 {
            return Err(Error::input("decoding needs at least one beam and one new token").flag("--max-new-tokens"));
        }
        if sources.is_empty() {
            return Ok(Vec::new());
        }
        let encoded = self.encode(sources)?;
        match decoding.num_beams {
            1 => self.greedy(&encoded, decoding),
            _ => self.beam_search(&encoded, decoding),
        }
    }

    fn greedy(&self, encoded: &Encoded, decoding: &Decoding) -> Result<Vec<Output>> {
        let (start, eos) = (self.config().start(), self.config().eos());
        let mut outputs = vec![Output { ids: Vec::new(), ended: false, score: 0.0 }; encoded.examples()];
        let mut cache = Cache::new(self, encoded.examples(), decoding.max_new_tokens)?;
        // (example, its slot in the cache, the token to feed)
        let mut live: Vec<(usize, u32)> = (0..encoded.examples()).map(|example| (example, start)).collect();
        for position in 0..decoding.max_new_tokens {
            let rows: Vec<(usize, u32)> = live.clone();
            cache.set_rows(rows.iter().map(|row| row.0).collect());
            let logits = self.advance(encoded, &mut cache, &rows, position)?;
            let banned = (position < decoding.min_new_tokens).then_some(eos);
            let best = top(&logits, 1, banned)?;
            live.clear();
            for ((example, _), best) in rows.into_iter().zip(best) {
                let Some(&Candidate { log_p, token, .. }) = best.first() else { continue };
                outputs[example].score += log_p;
                if token == eos {
                    outputs[example].ended = true;
                } else {
                    outputs[example].ids.push(token);
                    live.push((example, token));
                }
            }
            if live.is_empty() {
                break;
            }
        }
        Ok(outputs)
    }

    fn beam_search(&self, encoded: &Encoded, decoding: &Decoding) -> Result<Vec<Output>> {
        let (start, eos, width) = (self.config().start(), self.config().eos(), decoding.num_beams);
        let mut beams: Vec<Beams> = (0..encoded.examples())
            .map(|_| Beams::new(width, decoding.length_penalty, decoding.max_new_tokens, eos))
            .collect();
        let mut cache = Cache::new(self, encoded.examples() * width, decoding.max_new_tokens)?;
        // The first step has one row for each example, later ones one for each live beam.
        let mut rows: Vec<(usize, u32)> = (0..encoded.examples()).map(|example| (example, start)).collect();
        cache.set_rows(rows.iter().map(|row| row.0 * width).collect());
        for position in 0..decoding.max_new_tokens {
            let logits = self.advance(encoded, &mut cache, &rows, position)?;
            let banned = (position < decoding.min_new_tokens).then_some(eos);
            let mut candidates = top(&logits, 2 * width, banned)?.into_iter();
            let mut next_rows = Vec::with_capacity(rows.len());
            let mut parents = Vec::with_capacity(rows.len());
            let mut first = 0;
            for group in rows.chunk_by(|a, b| a.0 == b.0) {
                let example = group[0].0;
                let of_beams: Vec<Vec<Candidate>> = candidates.by_ref().take(group.len()).collect();
                for (parent, token) in beams[example].advance(&of_beams) {
                    parents.push(first + parent);
                    next_rows.push((example, token));
                }
                first += group.len();
            }
            if next_rows.is_empty() {
                break;
            }
            cache.reorder(&parents, &next_rows, width);
            rows = next_rows;
        }
        Ok(beams.into_iter().map(Beams::finish).collect())
    }
}

/// The `count` most probable tokens of each row of `logits` [rows, V], most probable first, with their log-probabilities.
fn top(logits: &Tensor, count: usize, banned: Option<u32>) -> Result<Vec<Vec<Candidate>>> {
    let vocab = logits.dim(1)?;
    let logits = read(logits)?;
    Ok(logits
        .par_chunks(vocab)
        .map(|row| {
            let (top, z) = simd(
                #[inline(always)]
                || {
                    let top = max(row);
                    let mut sums = [0f64; 4];
                    for chunk in row.chunks(64) {
                        let mut part = [0f32; 16];
                        for (i, &value) in chunk.iter().enumerate() {
                            part[i % 16] += exp(value - top);
                        }
                        for (i, part) in part.iter().enumerate() {
                            sums[i % 4] += *part as f64;
                        }
                    }
                    (top, sums.iter().sum::<f64>())
                },
            );
            let log_z = z.ln() + top as f64;
            let mut best: Vec<(f32, u32)> = Vec::with_capacity(count + 1);
            for (token, &value) in row.iter().enumerate() {
                let full = best.len() == count;
                if (full && value <= best[count - 1].0) || banned == Some(token as u32) {
                    continue;
                }
                // Equal values keep the order of their ids, as argmax does.
                let place = best.partition_point(|other| other.0 >= value);
                best.insert(place, (value, token as u32));
                best.truncate(count);
            }
            best.into_iter().map(|(value, token)| Candidate { log_p: value as f64 - log_z, token }).collect()
        })
        .collect())
}
