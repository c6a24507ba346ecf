//! T5, T5 v1.1 and mT5 as compositions of layers, for K losses at once.
//!
//! The encoder runs forward once for all lanes; the decoder once per lane; in the backward pass every lane has cotangents of
//! its own. Micro-batches go through each block one after the other, and a parameter's gradients are complete, and handed
//! to the sink, when the last of them has passed its block.

use std::sync::Arc;

use candle_core::Tensor;

use super::batch::{Batch, Layout, Packed};
use super::config::T5Config;
use super::dropout::Dropout;
use super::gradient::{Collector, Sink};
use super::layers::Linear;
use super::layers::attention::Source;
use super::layers::bias::Bias;
use super::layers::embedding::{Embedding, Used};
use super::layers::head::{self, Head};
use super::layers::norm::Norm;
use super::loss::LossOptions;
use super::params::Params;
use super::prompt;
use super::stack::{Block, BlockSaved, Stack};
use crate::error::Result;

/// A T5 model: its parameters and the layers that share them. A soft prompt and LoRA's matrices are parameters like all others.
pub struct T5 {
    config: T5Config,
    params: Params,
    tied: bool,
    lora_scale: f64,
    embedding: Embedding,
    encoder: Stack,
    decoder: Stack,
    head: Head,
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
    /// Whether only the inputs of blocks are kept, and each block is run forward again before its backward pass: the same
    /// numbers with less memory.
    pub low_memory: bool,
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
        Self::compose(config, params, tied, 1.0)
    }

    /// `lora_scale` is what the product of LoRA's matrices is multiplied by.
    pub(super) fn compose(config: T5Config, params: Params, tied: bool, lora_scale: f64) -> Result<Self> {
        let tokens = params.get("shared.weight")?.clone();
        let head_weight = if tied { tokens.clone() } else { params.get("lm_head.weight")?.clone() };
        let embedding = Embedding { tokens, prompt: params.find(prompt::NAME).cloned() };
        let encoder = Stack::new(&config, &params, "encoder", config.shape.num_layers, lora_scale)?;
        let decoder = Stack::new(&config, &params, "decoder", config.decoder_layers(), lora_scale)?;
        let head = Head { linear: Linear::new(head_weight), scale: config.decoder_scale() };
        Ok(Self { config, params, tied, lora_scale, embedding, encoder, decoder, head })
    }

    /// The same model of parameters changed by `change`, which may add some or take some away: the others stay shared with it.
    pub(super) fn recomposed(&self, lora_scale: f64, change: impl FnOnce(&mut Params) -> Result<()>) -> Result<Self> {
        let mut params = self.params.clone();
        change(&mut params)?;
        Self::compose(self.config.clone(), params, self.tied, lora_scale)
    }

    /// What the product of LoRA's matrices is multiplied by.
    pub(super) fn lora_scale(&self) -> f64 {
        self.lora_scale
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
        let encoder_bias = self.encoder.bias.expand(span(&|batch| longest(&batch.encoder.offsets)))?;
        let decoder_bias = self.decoder.bias.expand(span(&|batch| longest(&batch.decoder.offsets)))?;
        let mut micro = Vec::with_capacity(batches.len());
        for batch in batches {
            let embedded = self.embedding.look_up(batch.sources.ids())?;
            let biases = (&encoder_bias, &decoder_bias);
            let mut tape = self.forward_embedded(batch, &embedded, biases, pass.dropout, pass.low_memory)?;
            let h = self.decoder.finish(&tape.decoder_last, &batch.decoder.keys, pass.dropout)?;
            tape.head = Some(self.head.forward(&h, batch.labels.ids(), &batch.decoder, pass.loss, pass.scale)?);
            micro.push(tape);
        }
        Ok(Tape { pass, losses: batches.first().map_or(0, Batch::losses), micro, encoder_bias, decoder_bias })
    }

    /// From embedded sources `[N, H]` on to the decoder's last block.
    fn forward_embedded<'b>(
        &self,
        batch: &'b Batch,
        embedded: &Tensor,
        (encoder_bias, decoder_bias): (&Bias, &Bias),
        dropout: Option<Dropout>,
        low_memory: bool,
    ) -> Result<MicroTape<'b>> {
        let (encoder_last, encoder) =
            self.encoder.forward(embedded, None, encoder_bias, &batch.encoder, dropout, low_memory)?;
        let encoder_output = self.encoder.finish(&encoder_last, &batch.encoder.keys, dropout)?;
        let inputs = self.embedding.look_up(batch.inputs.ids())?;
        let source = Source::Encoder(&encoder_output, &batch.encoder);
        let (decoder_last, decoder) =
            self.decoder.forward(&inputs, Some(&source), decoder_bias, &batch.decoder, dropout, low_memory)?;
        Ok(MicroTape { batch, encoder, encoder_last, encoder_output, decoder, decoder_last, head: None })
    }

    /// Logits `[M, V]` over all decoder positions of `batch`.
    pub fn logits(&self, batch: &Batch, dropout: Option<Dropout>) -> Result<Tensor> {
        let embedded = self.embedding.look_up(batch.sources.ids())?;
        let encoder_bias = self.encoder.bias.expand(longest(&batch.encoder.offsets))?;
        let decoder_bias = self.decoder.bias.expand(longest(&batch.decoder.offsets))?;
        let tape = self.forward_embedded(batch, &embedded, (&encoder_bias, &decoder_bias), dropout, true)?;
        let h = self.decoder.finish(&tape.decoder_last, &batch.decoder.keys, dropout)?;
        self.head.logits(&h)
    }

    /// The embedding, with a soft prompt's rows.
    pub(crate) fn embedding(&self) -> &Embedding {
        &self.embedding
    }

    /// The decoder's blocks, in order.
    pub(crate) fn decoder_blocks(&self) -> impl Iterator<Item = &Block> {
        self.decoder.blocks.iter()
    }

    /// The decoder's relative bias over `span` positions.
    pub(crate) fn decoder_bias(&self, span: usize) -> Result<Bias> {
        self.decoder.bias.expand(span)
    }

    /// The encoder's output `[N, H]`, without dropout.
    pub(crate) fn encoder_output(&self, sources: &Packed, layout: &Arc<Layout>) -> Result<Tensor> {
        let embedded = self.embedding.look_up(sources.ids())?;
        let bias = self.encoder.bias.expand(longest(sources.offsets()))?;
        self.encoder.norm.forward(&self.encoder.infer(&embedded, &bias, layout)?)
    }

    /// The norm behind the decoder's last block.
    pub(crate) fn decoder_norm(&self) -> &Norm {
        &self.decoder.norm
    }

    /// The output head.
    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// Runs backward and hands every trainable parameter's K gradients to `sink`, from the head to the embedding.
    ///
    /// # Errors
    /// If a trainable parameter got no gradient, naming it; or whatever the sink returns.
    pub fn backward(&self, tape: Tape, sink: &mut dyn Sink) -> Result<()> {
        let Tape { pass, losses, mut micro, encoder_bias, decoder_bias } = tape;
        let dropout = pass.dropout;
        let mut grads = Collector::new(sink, losses);
        let tied = self.tied;

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
        self.embedding.backward(&used, losses, &mut grads)?;
        grads.finish(&self.params)
    }
}

/// Length of the longest sequence.
fn longest(offsets: &[usize]) -> usize {
    offsets.windows(2).map(|bounds| bounds[1] - bounds[0]).max().unwrap_or(1)
}
