//! How much memory a run needs, estimated from shapes.

use super::config::T5Config;
use crate::spec::Optimizer;

/// Peak memory in MiB of probing `losses` losses, or training, on batches of `tokens` source tokens and `examples` examples:
/// weights, optimizer state, saved activations, the head's logits, and the largest gradient in flight.
pub fn estimate_mib(
    config: &T5Config,
    params: u64,
    tokens: usize,
    examples: usize,
    losses: usize,
    optimizer: Optimizer,
) -> u64 {
    let s = &config.shape;
    let (h, inner, ff) = (s.d_model as f64, (s.d_kv * s.num_heads) as f64, s.d_ff as f64);
    let hidden = if s.feed_forward_proj.gated { 2.0 * ff } else { ff };
    let tokens = tokens as f64;
    let per_block = 2.0 * h + 4.0 * inner + hidden;
    let activations = tokens * (s.num_layers as f64 * per_block + config.decoder_layers() as f64 * 2.0 * inner);
    let lanes = losses.min(2) as f64;
    let cotangents = tokens * lanes * (3.0 * h + 4.0 * inner + 3.0 * ff);
    let logits = examples as f64 * lanes * 3.0 * s.vocab_size as f64;
    let largest = s.vocab_size as f64 * h;
    let state = if optimizer == Optimizer::AdamW { 2.0 * params as f64 } else { 0.05 * params as f64 };
    let numbers = params as f64 + state + activations + cotangents + logits + largest;
    (numbers * 4.0 / f64::from(1 << 20)).ceil() as u64
}
