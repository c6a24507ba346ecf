//! How much memory a run needs, estimated from shapes.

use super::config::T5Config;
use super::gradient::BLOCK;
use crate::spec::{Optimizer, Training};

/// The program itself, with its libraries and the threads' buffers, in MiB.
const PROGRAM_MIB: f64 = 40.0;
/// Target tokens of an example, its end included, where nobody has counted them.
const TARGET_TOKENS: f64 = 3.0;

/// What is worked on at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct AtOnce {
    /// Source tokens of a batch that is trained on or probed.
    pub source_tokens: usize,
    /// Its examples.
    pub examples: usize,
    /// Losses that are probed; 1 in training.
    pub losses: usize,
    /// Outputs that are decoded at once; 0 where nothing is decoded.
    pub outputs: usize,
    /// Their source tokens.
    pub outputs_source_tokens: usize,
}

/// Peak memory in MiB of a run that trains a model of `params` numbers, probes it or decodes: the program, weights, optimizer
/// state, and the more of what a step and what decoding needs.
pub fn estimate_mib(config: &T5Config, params: u64, at_once: AtOnce, training: &Training) -> u64 {
    let params = params as f64;
    let state = match training.optimizer {
        Optimizer::AdamW => 2.0 * params,
        _ => 0.05 * params,
    };
    let numbers = params + state + step(config, params, at_once, training).max(decoding(config, at_once));
    (PROGRAM_MIB + numbers * 4.0 / f64::from(1 << 20)).ceil() as u64
}

/// Numbers of a step: saved activations, what one sublayer's backward pass works with, the head's logits, and the largest gradient in
/// flight.
fn step(config: &T5Config, params: f64, at_once: AtOnce, training: &Training) -> f64 {
    let Sizes { h, inner, ff, hidden } = Sizes::of(config);
    let (encoder, decoder) = (config.shape.num_layers as f64, config.decoder_layers() as f64);
    let (tokens, vocabulary) = (at_once.source_tokens as f64, config.shape.vocab_size as f64);
    let lanes = at_once.losses.min(2) as f64;
    // Of each token: inputs of sublayers, queries to contexts, and what the activation function is applied to.
    let block = 2.0 * h + 4.0 * inner + hidden;
    let saved = match training.low_memory {
        true => encoder * h + block,
        false => encoder * block + decoder * 2.0 * inner,
    };
    // The feed-forward's; with a long encoder and a short target nothing else comes near it.
    let working = h + ff + lanes * (3.0 * h + ff + hidden);
    let logits = at_once.examples as f64 * lanes * TARGET_TOKENS * vocabulary;
    let whole = vocabulary * h;
    let gradient = match (training.max_grad_norm > 0.0, training.optimizer) {
        (true, _) => params,
        (false, Optimizer::AdamW) => whole,
        (false, _) => whole.min(BLOCK as f64),
    };
    tokens * (saved + working) + logits + gradient
}

/// Numbers that decoding needs: a transposed copy of the decoder and the head, what a sublayer of the encoder works with, the
/// keys and values of all sources, and logits.
fn decoding(config: &T5Config, at_once: AtOnce) -> f64 {
    if at_once.outputs == 0 {
        return 0.0;
    }
    let Sizes { h, inner, ff, hidden } = Sizes::of(config);
    let (decoder, vocabulary) = (config.decoder_layers() as f64, config.shape.vocab_size as f64);
    let copy = decoder * h * (8.0 * inner + ff + hidden) + vocabulary * h;
    let working = 2.0 * h + (4.0 * inner).max(hidden + ff);
    let keys_and_values = decoder * 2.0 * inner;
    copy + at_once.outputs_source_tokens as f64 * (working + keys_and_values)
        + 2.0 * at_once.outputs as f64 * vocabulary
}

/// Widths of a block.
struct Sizes {
    h: f64,
    /// Of all heads.
    inner: f64,
    ff: f64,
    /// Of what the activation function is applied to, and of what gates it.
    hidden: f64,
}

impl Sizes {
    fn of(config: &T5Config) -> Self {
        let s = &config.shape;
        let ff = s.d_ff as f64;
        let hidden = if s.feed_forward_proj.gated { 2.0 * ff } else { ff };
        Self { h: s.d_model as f64, inner: (s.d_kv * s.num_heads) as f64, ff, hidden }
    }
}
