//! The decoder one token at a time: keys and values of what has been decoded, and of the encoder's output.

use std::sync::Arc;

use candle_core::Tensor;
use rayon::prelude::*;

use super::super::array::{dot, exp, max, read, simd, sum, tensor};
use super::super::batch::{Layout, Mix, Packed};
use super::super::layers::attention::{Attention, Segment};
use super::super::layers::bias::Bias;
use super::super::layers::head::Head;
use super::super::stack::Block;
use super::super::t5::T5;
use crate::error::Result;

/// The encoder's output, and each decoder block's keys and values of it.
pub(crate) struct Encoded {
    layout: Arc<Layout>,
    /// (keys, values) [N, inner] by block.
    cross: Vec<(Tensor, Tensor)>,
}

impl Encoded {
    /// B.
    pub fn examples(&self) -> usize {
        self.layout.examples
    }
}

/// Self-attention's keys and values of every token decoded so far. A beam that splits copies nothing: each row keeps, for
/// every earlier position, the slot that its ancestor wrote to.
pub(super) struct Cache {
    /// The decoder with its head, for few tokens at a time.
    decoder: Arc<(Vec<Block>, Head)>,
    /// By block: (keys, values), `[slots, limit, inner]`.
    kept: Vec<(Vec<f32>, Vec<f32>)>,
    bias: Option<Bias>,
    limit: usize,
    inner: usize,
    /// By live row: the slot it writes to, and its ancestors' slots by position.
    rows: Vec<(usize, Vec<usize>)>,
}

impl Cache {
    /// For `slots` rows of at most `limit` tokens.
    pub fn new(model: &T5, slots: usize, limit: usize) -> Result<Self> {
        let shape = &model.config().shape;
        let inner = shape.d_kv * shape.num_heads;
        let block = || (vec![0f32; slots * limit * inner], vec![0f32; slots * limit * inner]);
        let kept = (0..model.config().decoder_layers()).map(|_| block()).collect();
        let blocks = model.decoder_blocks().map(Block::transposed).collect::<Result<_>>()?;
        let decoder = Arc::new((blocks, model.head().transposed()?));
        Ok(Self { decoder, kept, bias: None, limit, inner, rows: Vec::new() })
    }

    /// Makes the live rows those of `slots`, each with its own history.
    pub fn set_rows(&mut self, slots: Vec<usize>) {
        let length = self.rows.first().map_or(0, |(_, history)| history.len());
        self.rows = slots.into_iter().map(|slot| (slot, vec![slot; length])).collect();
    }

    /// Makes the live rows continue `parents`; `rows` are the new rows' (example, token), the examples' slots being
    /// `example·width ..`. A row writes to a slot of its example that no row beside it writes to at this position.
    pub fn reorder(&mut self, parents: &[usize], rows: &[(usize, u32)], width: usize) {
        let mut place = 0;
        let mut last = usize::MAX;
        self.rows = parents
            .iter()
            .zip(rows)
            .map(|(&parent, &(example, _))| {
                place = if example == last { place + 1 } else { 0 };
                last = example;
                (example * width + place, self.rows[parent].1.clone())
            })
            .collect();
    }
}

impl T5 {
    /// Runs the encoder, and the decoder's projections of its output.
    pub(crate) fn encode(&self, sources: &Packed) -> Result<Encoded> {
        let examples = sources.len();
        let layout = Arc::new(Layout {
            offsets: sources.offsets().to_vec(),
            keys: vec![0; sources.ids().len()],
            lanes: 1,
            examples,
            shared: true,
            mix: Arc::new(Mix::lanes(1, examples)),
        });
        let output = self.encoder_output(sources, &layout)?;
        let cross = self
            .decoder_blocks()
            .filter_map(|block| block.cross())
            .map(|cross| Ok((cross.k.forward(&output)?, cross.v.forward(&output)?)))
            .collect::<Result<_>>()?;
        Ok(Encoded { layout, cross })
    }

    /// Feeds each live row's (example, token) at `position` and returns the logits `[rows, V]` of what comes next. Rows of one
    /// example are adjacent.
    pub(super) fn advance(
        &self,
        encoded: &Encoded,
        cache: &mut Cache,
        rows: &[(usize, u32)],
        position: usize,
    ) -> Result<Tensor> {
        let ids: Vec<u32> = rows.iter().map(|row| row.1).collect();
        let mut segments = Vec::new();
        let mut first = 0;
        for group in rows.chunk_by(|a, b| a.0 == b.0) {
            segments.push(Segment::new(first..first + group.len(), encoded.layout.activation(group[0].0)));
            first += group.len();
        }
        let bias = match cache.bias.take() {
            Some(bias) => bias,
            None => self.decoder_bias(cache.limit)?,
        };
        let mut x = self.embedding().look_up(&ids)?;
        cache.rows.iter_mut().for_each(|(slot, history)| history.push(*slot));
        let decoder = cache.decoder.clone();
        let (blocks, head) = &*decoder;
        for (number, block) in blocks.iter().enumerate() {
            x = cache.self_attention(block.attention(), x, number, position, &bias)?;
            if let (Some(cross), Some((k, v))) = (block.cross(), encoded.cross.get(number)) {
                let q = cross.q.forward(&cross.norm.forward(&x)?)?;
                let context = {
                    let (q, k, v) = (read(&q)?, read(k)?, read(v)?);
                    cross.heads.forward([&q, &k, &v], None, &segments, rows.len(), None)
                };
                let context = tensor(context, (rows.len(), cache.inner))?;
                x = cross.o.forward_onto(x, &context)?;
            }
            x = block.feed_forward().infer(x)?;
        }
        cache.bias = Some(bias);
        head.logits(&self.decoder_norm().forward(&x)?)
    }
}

impl Cache {
    /// The self-attention sublayer of block `number` for one token of each live row.
    fn self_attention(
        &mut self,
        layer: &Attention,
        x: Tensor,
        number: usize,
        position: usize,
        bias: &Bias,
    ) -> Result<Tensor> {
        let (inner, limit) = (self.inner, self.limit);
        let normed = layer.norm.forward(&x)?;
        let (q, k, v) = (layer.q.forward(&normed)?, layer.k.forward(&normed)?, layer.v.forward(&normed)?);
        let mut context = vec![0f32; self.rows.len() * inner];
        {
            let (q, k, v) = (read(&q)?, read(&k)?, read(&v)?);
            let (keys, values) = &mut self.kept[number];
            for (row, (slot, _)) in self.rows.iter().enumerate() {
                let at = (slot * limit + position) * inner;
                keys[at..at + inner].copy_from_slice(&k[row * inner..][..inner]);
                values[at..at + inner].copy_from_slice(&v[row * inner..][..inner]);
            }
            let (keys, values) = (&*keys, &*values);
            let d_kv = layer.heads.d_kv;
            context.par_chunks_mut(inner).zip(&self.rows).enumerate().for_each_init(
                Vec::new,
                |p, (row, (context, (_, history)))| {
                    p.resize(position + 1, 0.0);
                    simd(
                        #[inline(always)]
                        || {
                            for head in 0..layer.heads.count {
                                let q = &q[row * inner + head * d_kv..][..d_kv];
                                let at = |earlier: usize| (history[earlier] * limit + earlier) * inner + head * d_kv;
                                let bias = bias.of_query(head, position);
                                for earlier in 0..=position {
                                    p[earlier] = dot(q, &keys[at(earlier)..][..d_kv]) + bias[earlier];
                                }
                                let top = max(p);
                                p.iter_mut().for_each(|value| *value = exp(*value - top));
                                let scale = 1.0 / sum(p);
                                let out = &mut context[head * d_kv..][..d_kv];
                                for earlier in 0..=position {
                                    let weight = p[earlier] * scale;
                                    let value = &values[at(earlier)..][..d_kv];
                                    for j in 0..d_kv {
                                        out[j] = value[j].mul_add(weight, out[j]);
                                    }
                                }
                            }
                        },
                    );
                },
            );
        }
        let context = tensor(context, (self.rows.len(), inner))?;
        layer.o.forward_onto(x, &context)
    }
}
