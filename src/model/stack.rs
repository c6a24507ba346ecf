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
use super::params::{Param, Params};
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
pub(crate) struct BlockSaved {
    attention: attention::Saved,
    cross: Option<attention::Saved>,
    feed_forward: feed_forward::Saved,
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

    /// Embedded `[tokens, H]` → before the final norm.
    pub fn forward(
        &self,
        embedded: &Tensor,
        source: Option<&Source>,
        bias: &Bias,
        layout: &Arc<Layout>,
        dropout: Option<Dropout>,
    ) -> Result<(Tensor, Vec<BlockSaved>)> {
        let mut all = Vec::with_capacity(self.blocks.len());
        let last = self.run(embedded, source, bias, layout, dropout, &mut |saved| all.push(saved))?;
        Ok((last, all))
    }

    /// As [`Stack::forward`] without dropout, saving nothing.
    pub fn infer(&self, embedded: &Tensor, bias: &Bias, layout: &Arc<Layout>) -> Result<Tensor> {
        self.run(embedded, None, bias, layout, None, &mut drop)
    }

    fn run(
        &self,
        embedded: &Tensor,
        source: Option<&Source>,
        bias: &Bias,
        layout: &Arc<Layout>,
        dropout: Option<Dropout>,
        keep: &mut dyn FnMut(BlockSaved),
    ) -> Result<Tensor> {
        let mut x = apply(embedded, self.places.mask(dropout, EMBEDDED), &layout.keys)?;
        for block in &self.blocks {
            let (y, attention) = block.attention.forward(&x, &Source::Itself, Some(bias), layout, dropout)?;
            x = y;
            let cross = match (&block.cross, source) {
                (Some(cross), Some(source)) => {
                    let (y, saved) = cross.forward(&x, source, None, layout, dropout)?;
                    x = y;
                    Some(saved)
                }
                _ => None,
            };
            let (y, feed_forward) = block.feed_forward.forward(&x, layout, dropout)?;
            x = y;
            keep(BlockSaved { attention, cross, feed_forward });
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
            for (i, layout) in layouts.iter().enumerate() {
                // invariant: the forward pass saved as many blocks as there are
                let Some(saved) = saved[i].pop() else { continue };
                let mut dy = block.feed_forward.backward(saved.feed_forward, &cotangents[i], layout, dropout, grads)?;
                if let (Some(layer), Some(saved), Some((sources, gathered))) = (&block.cross, saved.cross, &mut cross) {
                    let sum = gathered[i].take();
                    (dy, gathered[i]) = layer.backward(saved, &dy, &sources[i], sum, None, layout, dropout, grads)?;
                }
                let bias = Some((bias, &mut sums));
                let (dx, _) = block.attention.backward(
                    saved.attention,
                    &dy,
                    &Source::Itself,
                    None,
                    bias,
                    layout,
                    dropout,
                    grads,
                )?;
                cotangents[i] = dx;
            }
            for param in block.params() {
                grads.complete(param)?;
            }
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

    /// Its parameters, from the output backwards.
    fn params(&self) -> impl Iterator<Item = &Param> {
        let ff = &self.feed_forward;
        let attentions = self.cross.iter().chain(std::iter::once(&self.attention));
        let maps = [Some(&ff.wo), ff.gate.as_ref(), Some(&ff.wi)].into_iter().flatten();
        maps.flat_map(Linear::params).chain([&ff.norm.weight]).chain(attentions.flat_map(Attention::params))
    }
}
