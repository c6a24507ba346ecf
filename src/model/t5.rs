//! T5, T5 v1.1 and mT5 as compositions of layers, for K losses at once.
//!
//! The encoder runs forward once for all lanes; the decoder once per lane; in the backward pass every lane has cotangents of
//! its own. Micro-batches go through each block one after the other, and a parameter's gradients are complete, and handed
//! to the sink, when the last of them has passed its block.

use std::sync::Arc;

use candle_core::Tensor;

use super::batch::Batch;
use super::config::T5Config;
use super::dropout::{Dropout, apply};
use super::gradient::{Collector, Sink};
use super::layers::attention::{self, Attention, Heads, Source};
use super::layers::bias::{Bias, BiasGradient, RelativeBias};
use super::layers::embedding::{self, Used};
use super::layers::feed_forward::{self, FeedForward};
use super::layers::head::{self, Head};
use super::layers::norm::Norm;
use super::layers::{Linear, Places};
use super::loss::LossOptions;
use super::params::{Param, Params};
use crate::error::Result;

/// A T5 model: its parameters and the layers that share them.
pub struct T5 {
    config: T5Config,
    params: Params,
    embedding: Param,
    encoder: Stack,
    decoder: Stack,
    head: Head,
}

/// Encoder or decoder.
struct Stack {
    blocks: Vec<Block>,
    bias: RelativeBias,
    norm: Norm,
    places: Places,
}

struct Block {
    attention: Attention,
    cross: Option<Attention>,
    feed_forward: FeedForward,
}

/// What one pass is computed with.
#[derive(Debug, Clone, Copy)]
pub struct Pass {
    /// None for evaluation.
    pub dropout: Option<Dropout>,
    /// The loss.
    pub loss: LossOptions,
    /// What the summed loss is multiplied by in the backward pass: 1 for sums, 1/tokens for a mean.
    pub scale: f64,
}

/// Saved activations of a forward pass over micro-batches.
pub struct Tape<'b> {
    pass: Pass,
    losses: usize,
    micro: Vec<MicroTape<'b>>,
    encoder_bias: Bias,
    decoder_bias: Bias,
}

struct MicroTape<'b> {
    batch: &'b Batch,
    encoder: Vec<BlockSaved>,
    /// Before and after the encoder's final norm.
    encoder_last: Tensor,
    encoder_output: Tensor,
    decoder: Vec<BlockSaved>,
    decoder_last: Tensor,
    head: Option<head::Saved>,
}

struct BlockSaved {
    attention: attention::Saved,
    cross: Option<attention::Saved>,
    feed_forward: feed_forward::Saved,
}

/// Places of dropout that belong to a stack and not to a block.
const EMBEDDED: u64 = 0;
const FINAL: u64 = 1;

impl Tape<'_> {
    /// Summed loss of each row (lane, example) of each micro-batch.
    pub fn row_losses(&self) -> Vec<&[f64]> {
        self.micro.iter().filter_map(|micro| micro.head.as_ref()).map(|head| head.loss.as_slice()).collect()
    }

    /// Summed loss of each of the K losses.
    pub fn losses(&self) -> Vec<f64> {
        let mut total = vec![0.0; self.losses];
        for micro in &self.micro {
            let Some(head) = &micro.head else { continue };
            for (k, total) in total.iter_mut().enumerate() {
                let mix = &micro.batch.decoder.mix;
                *total += head.loss.iter().enumerate().map(|(row, loss)| mix.weight(k, row) as f64 * loss).sum::<f64>();
            }
        }
        total
    }
}

impl T5 {
    /// Composes the model from its parameters. `tied` says that the head is the embedding.
    ///
    /// # Errors
    /// If a parameter is missing; shapes are checked where they are loaded.
    pub fn new(config: T5Config, params: Params, tied: bool) -> Result<Self> {
        let embedding = params.get("shared.weight")?.clone();
        let head_weight = if tied { embedding.clone() } else { params.get("lm_head.weight")?.clone() };
        let encoder = Stack::new(&config, &params, "encoder", config.shape.num_layers)?;
        let decoder = Stack::new(&config, &params, "decoder", config.decoder_layers())?;
        let head = Head { linear: Linear { weight: head_weight }, scale: config.decoder_scale() };
        Ok(Self { config, params, embedding, encoder, decoder, head })
    }

    /// Its architecture.
    pub fn config(&self) -> &T5Config {
        &self.config
    }

    /// Its parameters, in Hugging Face's order.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Runs micro-batches (of the same K losses) forward, keeping what [`T5::backward`] needs.
    pub fn forward<'b>(&self, batches: &'b [Batch], pass: Pass) -> Result<Tape<'b>> {
        let span = |longest: &dyn Fn(&Batch) -> usize| batches.iter().map(longest).max().unwrap_or(1).max(1);
        let longest = |offsets: &[usize]| offsets.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(1);
        let encoder_bias = self.encoder.bias.expand(span(&|batch| longest(&batch.encoder.offsets)))?;
        let decoder_bias = self.decoder.bias.expand(span(&|batch| longest(&batch.decoder.offsets)))?;
        let mut micro = Vec::with_capacity(batches.len());
        for batch in batches {
            let embedded = embedding::look_up(&self.embedding, batch.sources.ids())?;
            let mut tape = self.forward_embedded(batch, &embedded, &encoder_bias, &decoder_bias, pass.dropout)?;
            let h = self.finish(&self.decoder, &tape.decoder_last, &batch.decoder.keys, pass.dropout)?;
            tape.head = Some(self.head.forward(&h, batch.labels.ids(), &batch.decoder, pass.loss, pass.scale)?);
            micro.push(tape);
        }
        Ok(Tape { pass, losses: batches.first().map_or(0, Batch::losses), micro, encoder_bias, decoder_bias })
    }

    /// From embedded sources `[N, H]` on (so that a soft prompt may stand before them) to the decoder's last block.
    fn forward_embedded<'b>(
        &self,
        batch: &'b Batch,
        embedded: &Tensor,
        encoder_bias: &Bias,
        decoder_bias: &Bias,
        dropout: Option<Dropout>,
    ) -> Result<MicroTape<'b>> {
        let (encoder_last, encoder) = self.encoder.forward(embedded, None, encoder_bias, &batch.encoder, dropout)?;
        let encoder_output = self.finish(&self.encoder, &encoder_last, &batch.encoder.keys, dropout)?;
        let inputs = embedding::look_up(&self.embedding, batch.inputs.ids())?;
        let source = Source::Encoder(&encoder_output, &batch.encoder);
        let (decoder_last, decoder) =
            self.decoder.forward(&inputs, Some(&source), decoder_bias, &batch.decoder, dropout)?;
        Ok(MicroTape { batch, encoder, encoder_last, encoder_output, decoder, decoder_last, head: None })
    }

    /// A stack's final norm and dropout.
    fn finish(&self, stack: &Stack, last: &Tensor, keys: &[u64], dropout: Option<Dropout>) -> Result<Tensor> {
        apply(&stack.norm.forward(last)?, stack.places.mask(dropout, FINAL), keys)
    }

    /// Logits `[M, V]` over all decoder positions of `batch`.
    pub fn logits(&self, batch: &Batch, dropout: Option<Dropout>) -> Result<Tensor> {
        let longest = |offsets: &[usize]| offsets.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(1);
        let embedded = embedding::look_up(&self.embedding, batch.sources.ids())?;
        let tape = self.forward_embedded(
            batch,
            &embedded,
            &self.encoder.bias.expand(longest(&batch.encoder.offsets))?,
            &self.decoder.bias.expand(longest(&batch.decoder.offsets))?,
            dropout,
        )?;
        let h = self.finish(&self.decoder, &tape.decoder_last, &batch.decoder.keys, dropout)?;
        self.head.logits(&h)
    }

    /// Runs backward and hands every trainable parameter's K gradients to `sink`, from the head to the embedding.
    ///
    /// # Errors
    /// If a trainable parameter got no gradient, naming it; or whatever the sink returns.
    pub fn backward(&self, tape: Tape, sink: &mut dyn Sink) -> Result<()> {
        let Tape { pass, losses, mut micro, encoder_bias, decoder_bias } = tape;
        let dropout = pass.dropout;
        let mut grads = Collector::new(sink, losses);
        let tied = self.head.weight().name() == self.embedding.name();

        let mut cotangents = Vec::with_capacity(micro.len());
        for tape in &mut micro {
            let Some(saved) = tape.head.take() else { continue };
            cotangents.push(self.head.backward(saved, &tape.batch.decoder, &mut grads)?);
        }
        if !tied {
            grads.complete(self.head.weight())?;
        }
        let mut encoder_cotangents: Vec<Option<Tensor>> = micro.iter().map(|_| None).collect();
        let saved = micro.iter_mut().map(|tape| std::mem::take(&mut tape.decoder)).collect();
        let lasts: Vec<&Tensor> = micro.iter().map(|tape| &tape.decoder_last).collect();
        let layouts: Vec<_> = micro.iter().map(|tape| &tape.batch.decoder).collect();
        let sources: Vec<_> =
            micro.iter().map(|tape| Source::Encoder(&tape.encoder_output, &tape.batch.encoder)).collect();
        let decoder_inputs = self.decoder.backward(
            saved,
            &lasts,
            cotangents,
            Some((&sources, &mut encoder_cotangents)),
            &decoder_bias,
            &layouts,
            dropout,
            &mut grads,
        )?;
        drop(sources);

        let saved = micro.iter_mut().map(|tape| std::mem::take(&mut tape.encoder)).collect();
        let lasts: Vec<&Tensor> = micro.iter().map(|tape| &tape.encoder_last).collect();
        let layouts: Vec<_> = micro.iter().map(|tape| &tape.batch.encoder).collect();
        // invariant: every decoder has a block, and every block of it attends to the encoder
        let cotangents = encoder_cotangents.into_iter().flatten().collect();
        let encoder_inputs =
            self.encoder.backward(saved, &lasts, cotangents, None, &encoder_bias, &layouts, dropout, &mut grads)?;

        let mut used = Vec::with_capacity(2 * micro.len());
        for ((tape, encoder), decoder) in micro.iter().zip(encoder_inputs).zip(decoder_inputs) {
            let batch = tape.batch;
            used.push(Used { ids: batch.sources.ids(), cotangents: encoder, layout: batch.encoder.clone() });
            used.push(Used { ids: batch.inputs.ids(), cotangents: decoder, layout: batch.decoder.clone() });
        }
        embedding::backward(&self.embedding, &used, losses, &mut grads)?;
        grads.complete(&self.embedding)?;
        grads.finish(&self.params)
    }
}

impl Stack {
    fn new(config: &T5Config, params: &Params, name: &str, depth: usize) -> Result<Self> {
        let is_decoder = name == "decoder";
        let shape = &config.shape;
        let eps = shape.layer_norm_epsilon as f32;
        let stack = is_decoder as u64;
        let linear = |path: &str| params.get(path).map(|weight| Linear { weight: weight.clone() });
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
    fn forward(
        &self,
        embedded: &Tensor,
        source: Option<&Source>,
        bias: &Bias,
        layout: &Arc<super::batch::Layout>,
        dropout: Option<Dropout>,
    ) -> Result<(Tensor, Vec<BlockSaved>)> {
        let mut x = apply(embedded, self.places.mask(dropout, EMBEDDED), &layout.keys)?;
        let mut all = Vec::with_capacity(self.blocks.len());
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
            all.push(BlockSaved { attention, cross, feed_forward });
        }
        Ok((x, all))
    }

    /// Cotangents of the stack's output (after its final norm), by micro-batch, to those of what was embedded.
    /// For a decoder, `cross` has the encoder's outputs and gathers their cotangents.
    #[allow(clippy::too_many_arguments, clippy::type_complexity)]
    fn backward(
        &self,
        mut saved: Vec<Vec<BlockSaved>>,
        lasts: &[&Tensor],
        mut cotangents: Vec<Tensor>,
        mut cross: Option<(&[Source], &mut Vec<Option<Tensor>>)>,
        bias: &Bias,
        layouts: &[&Arc<super::batch::Layout>],
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
                    let (dx, dencoder) = layer.backward(saved, &dy, &sources[i], None, layout, dropout, grads)?;
                    dy = dx;
                    gathered[i] = match (gathered[i].take(), dencoder) {
                        (Some(sum), Some(more)) => Some((sum + more)?),
                        (sum, more) => sum.or(more),
                    };
                }
                let bias = Some((bias, &mut sums));
                let (dx, _) =
                    block.attention.backward(saved.attention, &dy, &Source::Itself, bias, layout, dropout, grads)?;
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
    /// Its parameters, from the output backwards.
    fn params(&self) -> impl Iterator<Item = &Param> {
        let ff = &self.feed_forward;
        let attentions = self.cross.iter().chain(std::iter::once(&self.attention));
        [Some(&ff.wo.weight), ff.gate.as_ref().map(|gate| &gate.weight), Some(&ff.wi.weight), Some(&ff.norm.weight)]
            .into_iter()
            .flatten()
            .chain(attentions.flat_map(|a| [&a.o.weight, &a.v.weight, &a.k.weight, &a.q.weight, &a.norm.weight]))
    }
}
