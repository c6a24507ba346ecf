//! How much memory a run needs, estimated from shapes.

use super::config::T5Config;
use super::gradient::BLOCK;
use crate::spec::{Optimizer, Training};

/// The program itself, with its libraries and the threads' buffers, in MiB.
const PROGRAM_MIB: f64 = 40.0;
/// Target tokens of an example, its end included, where nobody has counted them.
const TARGET_TOKENS: f64 = 3.0;

/// Peak memory in MiB of probing `losses` losses, or training, on batches of `tokens` source tokens and `examples` examples:
/// the program, weights, optimizer state, saved activations, what one sublayer's backward pass works with, the head's logits, and
/// the largest gradient in flight.
pub fn estimate_mib(
    config: &T5Config,
    params: u64,
    tokens: usize,
    examples: usize,
    losses: usize,
    training: &Training,
) -> u64 {
    let s = &config.shape;
    let (h, inner, ff) = (s.d_model as f64, (s.d_kv * s.num_heads) as f64, s.d_ff as f64);
    let hidden = if s.feed_forward_proj.gated { 2.0 * ff } else { ff };
    let (params, tokens) = (params as f64, tokens as f64);
    let (encoder, decoder) = (s.num_layers as f64, config.decoder_layers() as f64);
    let lanes = losses.min(2) as f64;
    // Of each token: inputs of sublayers, queries to contexts, and what the activation function is applied to.
    let block = 2.0 * h + 4.0 * inner + hidden;
    let saved = match training.low_memory {
        true => encoder * h + block,
        false => encoder * block + decoder * 2.0 * inner,
    };
    // The feed-forward's; with a long encoder and a short target nothing else comes near it.
    let working = h + ff + lanes * (3.0 * h + ff + hidden);
    let logits = examples as f64 * lanes * TARGET_TOKENS * s.vocab_size as f64;
    let whole = s.vocab_size as f64 * h;
    let (state, gradient) = match training.optimizer {
        Optimizer::AdamW => (2.0 * params, whole),
        _ => (0.05 * params, whole.min(BLOCK as f64)),
    };
    let gradient = if training.max_grad_norm > 0.0 { params } else { gradient };
    let numbers = params + state + tokens * (saved + working) + logits + gradient;
    (PROGRAM_MIB + numbers * 4.0 / f64::from(1 << 20)).ceil() as u64
}
