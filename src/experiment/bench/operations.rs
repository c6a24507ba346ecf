//! How much arithmetic a step takes, counted from shapes: multiplications and additions of the products of matrices that it cannot
//! do without. What an implementation computes again or pads is not in it.

use crate::model::T5Config;

/// Tokens of a batch, and how many losses are differentiated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// Source tokens of all examples.
    pub source_tokens: f64,
    /// Σ over examples of the square of their source tokens.
    pub source_squares: f64,
    /// Examples.
    pub examples: f64,
    /// Tokens of each target.
    pub target_len: f64,
    /// Different targets of an example, each of which goes through the decoder.
    pub lanes: f64,
    /// Gradients of each parameter.
    pub gradients: f64,
}

/// 10⁹ operations of running `load` forward and backward, a multiplication and an addition being two.
///
/// Forward, every linear map takes one product; backward, one for the cotangents of its input in each lane and one for each gradient
/// of its weight (as few as there are lanes, since losses that mix lanes share them). Attention's scores and contexts have no weights:
/// twice as much backward as forward.
pub(super) fn gflop(config: &T5Config, load: &Load) -> f64 {
    let s = &config.shape;
    let (h, inner, ff) = (s.d_model as f64, (s.d_kv * s.num_heads) as f64, s.d_ff as f64);
    let feed_forward = if s.feed_forward_proj.gated { 3.0 } else { 2.0 } * h * ff;
    let (encoder, decoder) = (s.num_layers as f64, config.decoder_layers() as f64);
    let Load { source_tokens, source_squares, examples, target_len, lanes, gradients } = *load;
    let targets = examples * target_len * lanes;
    // Weights that source tokens meet, once in each encoder block, and for keys and values of cross-attention in each decoder block.
    let source_weights = encoder * (4.0 * h * inner + feed_forward) + decoder * 2.0 * h * inner;
    let source_scores = encoder * 2.0 * source_squares * inner;
    let target_weights = decoder * (6.0 * h * inner + feed_forward) + h * s.vocab_size as f64;
    let target_scores = decoder * 2.0 * inner * targets * (target_len + source_tokens / examples.max(1.0));
    let backward = lanes + gradients.min(lanes);
    let source = source_tokens * source_weights * (1.0 + backward) + source_scores * (1.0 + 2.0 * lanes);
    let target = targets * target_weights * 3.0 + target_scores * 3.0;
    2.0 * (source + target) / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Shape;

    #[test]
    fn an_alignment_step_of_the_small_model_takes_half_a_tflop() {
        // REFERENCE's floor for batch 16, source 128, target 4 and one shuffle is about 0.48 TFLOP.
        let load = Load {
            source_tokens: 2048.0,
            source_squares: 16.0 * 128.0 * 128.0,
            examples: 16.0,
            target_len: 4.0,
            lanes: 2.0,
            gradients: 2.0,
        };
        let of = |load: &Load| gflop(&Shape::T5V11Small.config().unwrap(), load);
        assert!((460.0..510.0).contains(&of(&load)), "{}", of(&load));
        // Training has one lane: three products for each weight instead of five.
        let training = Load { lanes: 1.0, gradients: 1.0, ..load };
        assert!((0.55..0.65).contains(&(of(&training) / of(&load))));
    }
}
