//! A stack of blocks, encoder or decoder, forward and backward over micro-batches.

use std::sync::Arc;

use candle_core::Tensor;

use super::batch::Layout;
use super::config::T5Config;
use super::dropout::{Dropout, apply};
use super::gradient::Collector;
use super::layers::attention::{self, Attention, Heads, Source};
use super::layers::bias::{Bias, BiasGradient, RelativeBias};
use super::layers::feed_forward::{self, FeedForward};
use super::layers::norm::Norm;
use super::layers::{Linear, Places};
use super::lora;
use super::params::Params;
use crate::error::Result;

/// Encoder or decoder.
pub(crate) struct Stack {
    pub blocks: Vec<Block>,
    pub bias: RelativeBias,
    pub norm: Norm,
    places: Places,
}

pub(crate) struct Block {
    attention: Attention,
    cross: Option<Attention>,
    feed_forward: FeedForward,
}

/// What a block's backward pass needs of its forward pass.
pub(crate) struct Activations {
    attention: attention::Saved,
    cross: Option<attention::Saved>,
    feed_forward: feed_forward::Saved,
}

/// What is kept of a block's forward pass until its backward pass.
pub(crate) enum BlockSaved {
    /// Everything that is needed.
    All(Activations),
    /// The block's input, from which the rest is computed again: the same bits, since dropout's masks are a function of place.
    Input(Tensor),
}

/// Places of dropout that belong to a stack and not to a block.
const EMBEDDED: u64 = 0;
const FINAL: u64 = 1;

impl Stack {
    /// The stack `name` of `depth` blocks; what `params` have for [LoRA](lora) is added, times `lora_scale`.
    pub fn new(config: &T5Config, params: &Params, name: &str, depth: usize, lora_scale: f64) -> Result<Self> {
        let is_decoder = name == "decoder";
        let shape = &config.shape;
        let eps = shape.layer_norm_epsilon as f32;
        let stack = is_decoder as u64;
        let linear = |path: &str| -> Result<Linear> {
            Ok(Linear::new(params.get(path)?.clone()).with(lora::of(params, path, lora_scale)))
        };
        let norm = |path: &str| params.get(path).map(|weight| Norm { weight: weight.clone(), eps });
        let blocks = (0..depth)
            .map(|block| {
                let at = |layer: usize| format!("{name}.block.{block}.layer.{layer}");
                let places = |sublayer: u64| Places { stack, block: block as u64, sublayer };
                let attention = |layer: usize, kind: &str, causal: bool| -> Result<Attention> {
                    let path = |part: &str| format!("{}.{kind}.{part}.weight", at(layer));
                    Ok(Attention {
                        norm: norm(&format!("{}.layer_norm.weight", at(layer)))?,
                        q: linear(&path("q"))?,
                        k: linear(&path("k"))?,
                        v: linear(&path("v"))?,
                        o: linear(&path("o"))?,
                        heads: Heads { count: shape.num_heads, d_kv: shape.d_kv, causal },
                        places: places(layer as u64),
                    })
                };
                let last = if is_decoder { 2 } else { 1 };
                let path = |part: &str| format!("{}.DenseReluDense.{part}.weight", at(last));
                let gated = shape.feed_forward_proj.gated;
                Ok(Block {
                    attention: attention(0, "SelfAttention", is_decoder)?,
                    cross: is_decoder.then(|| attention(1, "EncDecAttention", false)).transpose()?,
                    feed_forward: FeedForward {
                        norm: norm(&format!("{}.layer_norm.weight", at(last)))?,
                        wi: linear(&path(if gated { "wi_0" } else { "wi" }))?,
                        gate: gated.then(|| linear(&path("wi_1"))).transpose()?,
                        wo: linear(&path("wo"))?,
                        activation: config.activation,
                        places: places(last as u64),
                    },
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let table = params.get(&format!("{name}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"))?;
        Ok(Self {
            blocks,
            bias: RelativeBias {
                table: table.clone(),
                bidirectional: !is_decoder,
                max_distance: shape.relative_attention_max_distance,
            },
            norm: norm(&format!("{name}.final_layer_norm.weight"))?,
            places: Places { stack, block: 4095, sublayer: 7 },
        })
    }

    /// Embedded `[tokens, H]` → before the final norm; with `low_memory`, only each block's input is saved.
    pub fn forward(
        &self,
        embedded: &Tensor,
        source: Option<&Source>,
        bias: &Bias,
        layout: &Arc<Layout>,
        dropout: Option<Dropout>,
        low_memory: bool,
    ) -> Result<(Tensor, Vec<BlockSaved>)> {
        let mut all = Vec::with_capacity(self.blocks.len());
        let last = self.run(embedded, source, bias, layout, dropout, &mut |input, saved| {
            all.push(if low_memory { BlockSaved::Input(input.clone()) } else { BlockSaved::All(saved) });
        })?;
        Ok((last, all))
    }

    /// As [`Stack::forward`] without dropout, saving nothing.
    pub fn infer(&self, embedded: &Tensor, bias: &Bias, layout: &Arc<Layout>) -> Result<Tensor> {
        self.run(embedded, None, bias, layout, None, &mut |_, _| ())
    }

    fn run(
        &self,
        embedded: &Tensor,
        source: Option<&Source>,
        bias: &Bias,
        layout: &Arc<Layout>,
        dropout: Option<Dropout>,
        keep: &mut dyn FnMut(&Tensor, Activations),
    ) -> Result<Tensor> {
        let mut x = apply(embedded, self.places.mask(dropout, EMBEDDED), &layout.keys)?;
        for block in &self.blocks {
            let (y, saved) = block.forward(&x, source, bias, layout, dropout)?;
            keep(&x, saved);
            x = y;
        }
        Ok(x)
    }

    /// The final norm and dropout.
    pub fn finish(&self, last: &Tensor, keys: &[u64], dropout: Option<Dropout>) -> Result<Tensor> {
        apply(&self.norm.forward(last)?, self.places.mask(dropout, FINAL), keys)
    }

    /// Cotangents of the stack's output (after its final norm), by micro-batch, to those of what was embedded.
    /// For a decoder, `cross` has the encoder's outputs and gathers their cotangents.
    #[allow(clippy::too_many_arguments, clippy::type_complexity)]
    pub fn backward(
        &self,
        mut saved: Vec<Vec<BlockSaved>>,
        lasts: &[&Tensor],
        mut cotangents: Vec<Tensor>,
        mut cross: Option<(&[Source], &mut Vec<Option<Tensor>>)>,
        bias: &Bias,
        layouts: &[&Arc<Layout>],
        dropout: Option<Dropout>,
        grads: &mut Collector,
    ) -> Result<Vec<Tensor>> {
        for ((dy, last), layout) in cotangents.iter_mut().zip(lasts).zip(layouts) {
            let dnormed = apply(dy, self.places.mask(dropout, FINAL), &layout.keys)?;
            *dy = self.norm.backward(last, &dnormed, None, layout, grads)?;
        }
        grads.complete(&self.norm.weight)?;
        let losses = layouts.first().map_or(0, |layout| layout.mix.losses());
        let mut sums = BiasGradient::new(losses, self.bias.table.value().dim(1)?, bias.span);
        for block in self.blocks.iter().rev() {
            let (mut attentions, mut crosses, mut feed_forwards) = (Vec::new(), Vec::new(), Vec::new());
            for (i, saved) in saved.iter_mut().enumerate() {
                // invariant: the forward pass saved as many blocks as there are
                let Some(saved) = saved.pop() else { continue };
                let of = match saved {
                    BlockSaved::All(all) => all,
                    BlockSaved::Input(x) => {
                        let source = cross.as_ref().map(|(sources, _)| &sources[i]);
                        block.forward(&x, source, bias, layouts[i], dropout)?.1
                    }
                };
                attentions.push(of.attention);
                crosses.extend(of.cross);
                feed_forwards.push(of.feed_forward);
            }
            // Sublayer by sublayer, each over all micro-batches: what its gradients are formed from is gone before the next.
            for (i, saved) in feed_forwards.into_iter().enumerate() {
                cotangents[i] = block.feed_forward.backward(saved, &cotangents[i], layouts[i], dropout, grads)?;
            }
            grads.complete_all(block.feed_forward.params())?;
            if let (Some(layer), Some((sources, gathered))) = (&block.cross, &mut cross) {
                for (i, saved) in crosses.into_iter().enumerate() {
                    let (sum, dy) = (gathered[i].take(), &cotangents[i]);
                    let back = layer.backward(saved, dy, &sources[i], sum, None, layouts[i], dropout, grads)?;
                    (cotangents[i], gathered[i]) = back;
                }
                grads.complete_all(layer.params())?;
            }
            for (i, saved) in attentions.into_iter().enumerate() {
                let (itself, bias) = (Source::Itself, Some((bias, &mut sums)));
                let dy = &cotangents[i];
                let back = block.attention.backward(saved, dy, &itself, None, bias, layouts[i], dropout, grads)?;
                cotangents[i] = back.0;
            }
            grads.complete_all(block.attention.params())?;
        }
        self.bias.backward(sums, grads)?;
        grads.complete(&self.bias.table)?;
        for (dy, layout) in cotangents.iter_mut().zip(layouts) {
            *dy = apply(dy, self.places.mask(dropout, EMBEDDED), &layout.keys)?;
        }
        Ok(cotangents)
    }
}

impl Block {
    /// `[tokens, H]` → the same shape, and what the backward pass needs.
    fn forward(
        &self,
        x: &Tensor,
        source: Option<&Source>,
        bias: &Bias,
        layout: &Arc<Layout>,
        dropout: Option<Dropout>,
    ) -> Result<(Tensor, Activations)> {
        let (mut x, attention) = self.attention.forward(x, &Source::Itself, Some(bias), layout, dropout)?;
        let mut saved = None;
        if let (Some(cross), Some(source)) = (&self.cross, source) {
            let (y, of) = cross.forward(&x, source, None, layout, dropout)?;
            (x, saved) = (y, Some(of));
        }
        let (y, feed_forward) = self.feed_forward.forward(&x, layout, dropout)?;
        Ok((y, Activations { attention, cross: saved, feed_forward }))
    }

    /// A copy whose linear maps are for few tokens at a time, as decoding has them.
    pub fn transposed(&self) -> Result<Self> {
        Ok(Self {
            attention: self.attention.transposed()?,
            cross: self.cross.as_ref().map(Attention::transposed).transpose()?,
            feed_forward: self.feed_forward.transposed()?,
        })
    }

    /// Self-attention.
    pub fn attention(&self) -> &Attention {
        &self.attention
    }

    /// Cross-attention, in a decoder.
    pub fn cross(&self) -> Option<&Attention> {
        self.cross.as_ref()
    }

    /// Feed-forward.
    pub fn feed_forward(&self) -> &FeedForward {
        &self.feed_forward
    }
}
