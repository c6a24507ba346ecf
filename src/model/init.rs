//! Random initial weights in the scale that transformers gives a fresh T5 (T5PreTrainedModel._init_weights), or such as a small
//! model learns faster from.

use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::array::tensor;
use super::config::T5Config;
use super::layers::relative_position_bucket;
use super::load::{HEAD, shapes};
use super::params::{Param, Params};
use super::t5::T5;
use crate::error::Result;
use crate::spec::Seeds;

/// What initial weights depend on besides the architecture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Initial {
    /// Standard deviation of the embedding and of a head of its own, before the config's `initializer_factor`. transformers'
    /// is 1, which makes a tied head that is not scaled begin with logits of deviation d_model^½; d_model^−½ makes it begin
    /// with those of deviation 1.
    pub embedding_deviation: f64,
    /// How steeply the first heads' relative position bias falls with the distance from a neighbour, per position, on top of
    /// transformers' noise, after ALiBi (Press et al. 2022); 0 for not at all. Heads come in pairs, the first looking to the
    /// left and the second to the right (in the decoder, both to the left); each pair's slope is a quarter of the one's
    /// before. A bias learned from noise moves by about the learning rate at each step of Adam, which takes small models long.
    pub bias_slope: f64,
    /// How much less the heads behind the first pair attend to their own place, in the bias: with [`likeness`](Self::likeness) they
    /// look for their like elsewhere, and would find themselves. Those heads then have no slope. 0 for not at all.
    pub self_avoidance: f64,
    /// How much of each query's weights is its key's, and of each output's weights its value's, after "Mimetic Initialization of
    /// Self-Attention Layers" (Trockman and Kolter 2023): 0 for independent ones, 1 for equal ones. Tokens then attend to
    /// their like and copy it, which is most of what looking up a name takes. The first pair of heads, which looks to its
    /// neighbours, keeps queries of its own.
    pub likeness: f64,
}

impl Initial {
    /// As transformers makes a fresh T5.
    pub const TRANSFORMERS: Self =
        Self { embedding_deviation: 1.0, bias_slope: 0.0, self_avoidance: 0.0, likeness: 0.0 };
}

impl T5 {
    /// A model of random weights, each parameter from the stream `init/NAME`. It has a head of its own unless the config ties
    /// it to the embedding.
    pub fn random(config: T5Config, seeds: Seeds) -> Result<Self> {
        Self::random_with(config, Initial::TRANSFORMERS, seeds)
    }

    /// As [`T5::random`], from other distributions.
    pub fn random_with(config: T5Config, initial: Initial, seeds: Seeds) -> Result<Self> {
        let shape = &config.shape;
        let tied = shape.tie_word_embeddings;
        let mut all = shapes(&config);
        if !tied {
            all.push((HEAD.to_string(), vec![shape.vocab_size, shape.d_model]));
        }
        let inner = shape.d_kv * shape.num_heads;
        let deviation = |name: &str| -> Option<f64> {
            let part = name.rsplit('.').nth(1).unwrap_or(name);
            let scale = match part {
                "layer_norm" | "final_layer_norm" => return None,
                "q" => ((shape.d_model * shape.d_kv) as f64).powf(-0.5),
                "o" => (inner as f64).powf(-0.5),
                "wo" => (shape.d_ff as f64).powf(-0.5),
                "shared" | "lm_head" => initial.embedding_deviation,
                _ => (shape.d_model as f64).powf(-0.5),
            };
            Some(scale * shape.initializer_factor)
        };
        let draw = |name: &str, count: usize| match deviation(name) {
            None => vec![1.0; count],
            Some(deviation) => normal(&mut seeds.rng(&format!("init/{name}"), &[]), count, deviation),
        };
        let mut params = Params::default();
        for (name, dims) in all {
            let count = dims.iter().product();
            let mut values = draw(&name, count);
            if let Some(attention) = name.strip_suffix(".q.weight") {
                let keys = draw(&format!("{attention}.k.weight"), count);
                // Rows of the heads behind the first pair; in cross-attention, where nothing has a place, of all.
                let own = if name.contains("EncDec") { 0 } else { count.min(2 * shape.d_kv * shape.d_model) };
                let scale = (shape.d_kv as f64).powf(-0.5);
                resemble(&mut values[own..], keys[own..].iter().copied(), scale, initial.likeness);
            }
            if let Some(attention) = name.strip_suffix(".o.weight") {
                let of_values = draw(&format!("{attention}.v.weight"), count);
                let turned = (0..count).map(|i| of_values[i % inner * shape.d_model + i / inner]);
                resemble(&mut values, turned, (shape.d_model as f64 / inner as f64).sqrt(), initial.likeness);
            }
            if name.ends_with("relative_attention_bias.weight") {
                bias(&mut values, &config, name.starts_with("encoder"), initial);
            }
            params.insert(Param::new(&name, tensor(values, dims)?))?;
        }
        Self::new(config, params, tied)
    }
}

fn normal(rng: &mut ChaCha8Rng, count: usize, deviation: f64) -> Vec<f32> {
    (0..count)
        .map(|_| {
            let value: f64 = StandardNormal.sample(rng);
            (value * deviation) as f32
        })
        .collect()
}

/// Mixes `values` with `scale` times as many `others`, of which it takes the share `likeness`; the deviation stays.
fn resemble(values: &mut [f32], others: impl Iterator<Item = f32>, scale: f64, likeness: f64) {
    let own = (1.0 - likeness * likeness).max(0.0).sqrt();
    for (value, other) in values.iter_mut().zip(others) {
        *value = (own * *value as f64 + likeness * scale * other as f64) as f32;
    }
}

/// Adds the heads' slopes and what they avoid to a table [buckets, heads].
fn bias(table: &mut [f32], config: &T5Config, bidirectional: bool, initial: Initial) {
    /// Positions after which a slope ends: far enough to decide, near enough to be unlearned.
    const REACH: i64 = 8;
    let (buckets, heads) = (config.shape.relative_attention_num_buckets, config.shape.num_heads);
    let max_distance = config.shape.relative_attention_max_distance;
    for head in 0..heads {
        if initial.self_avoidance > 0.0 && head >= 2 {
            let own = relative_position_bucket(0, bidirectional, buckets, max_distance);
            table[own * heads + head] -= initial.self_avoidance as f32;
            continue;
        }
        let slope = initial.bias_slope * 0.25f64.powi((head / 2) as i32);
        let right = bidirectional && head % 2 == 1;
        // The nearest position of a bucket speaks for it.
        let mut distance_of = vec![REACH; buckets];
        for distance in (0..REACH).rev() {
            let relative = if right { distance } else { -distance };
            distance_of[relative_position_bucket(relative, bidirectional, buckets, max_distance)] = distance;
        }
        for (bucket, distance) in distance_of.into_iter().enumerate() {
            table[bucket * heads + head] -= (slope * (distance - 1).abs() as f64) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::model::read;

    #[test]
    fn heads_look_to_both_sides_and_the_decoder_to_the_left() {
        let text = r#"{"model_type": "t5", "vocab_size": 8, "d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 4}"#;
        let config = T5Config::parse(text, Path::new("config.json")).unwrap();
        let biases = |bias_slope| {
            let initial = Initial { bias_slope, ..Initial::TRANSFORMERS };
            let model = T5::random_with(config.clone(), initial, Seeds::new(0)).unwrap();
            ["encoder", "decoder"].map(|stack| {
                let name = format!("{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
                read(model.params().get(&name).unwrap().value()).unwrap().to_vec()
            })
        };
        let (plain, sloped) = (biases(0.0), biases(1.0));
        let added = |stack: usize, relative: i64, head: usize| {
            let place = relative_position_bucket(relative, stack == 0, 32, 128) * 4 + head;
            sloped[stack][place] - plain[stack][place]
        };
        let close = |a: f32, b: f32| assert!((a - b).abs() < 1e-5, "{a} and {b}");
        close(added(0, -3, 0), -2.0);
        close(added(0, -1, 0), 0.0);
        close(added(0, 0, 0), -1.0);
        close(added(0, 3, 0), -7.0);
        close(added(0, 3, 1), -2.0);
        close(added(0, -3, 1), -7.0);
        close(added(0, -3, 2), -0.5);
        close(added(0, 50, 3), -1.75);
        close(added(1, -3, 1), -2.0);
        close(added(1, -100, 0), -7.0);
        assert_eq!(biases(0.0), plain);
    }

    #[test]
    fn heads_behind_the_first_pair_avoid_their_own_place_alone() {
        let text = r#"{"model_type": "t5", "vocab_size": 8, "d_model": 8, "d_kv": 2, "d_ff": 8, "num_layers": 1, "num_heads": 4}"#;
        let config = T5Config::parse(text, Path::new("config.json")).unwrap();
        let table = |bias_slope, self_avoidance| {
            let initial = Initial { bias_slope, self_avoidance, ..Initial::TRANSFORMERS };
            let model = T5::random_with(config.clone(), initial, Seeds::new(0)).unwrap();
            let name = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
            read(model.params().get(name).unwrap().value()).unwrap().to_vec()
        };
        let (plain, sloped, avoiding) = (table(0.0, 0.0), table(1.0, 0.0), table(1.0, 3.0));
        let own = relative_position_bucket(0, true, 32, 128);
        for (place, value) in avoiding.iter().enumerate() {
            let wanted = match (place % 4, place / 4 == own) {
                (0 | 1, _) => sloped[place],
                (_, true) => plain[place] - 3.0,
                (_, false) => plain[place],
            };
            assert!((value - wanted).abs() < 1e-6, "{place}");
        }
    }

    #[test]
    fn with_full_likeness_queries_are_keys_and_outputs_are_values_turned() {
        let text = r#"{"model_type": "t5", "vocab_size": 8, "d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 3}"#;
        let config = T5Config::parse(text, Path::new("config.json")).unwrap();
        let weights = |likeness, name: &str| {
            let initial = Initial { likeness, ..Initial::TRANSFORMERS };
            let model = T5::random_with(config.clone(), initial, Seeds::new(0)).unwrap();
            read(model.params().get(&format!("encoder.block.0.layer.0.SelfAttention.{name}.weight")).unwrap().value())
                .unwrap()
                .to_vec()
        };
        let [q, k, v, o] = ["q", "k", "v", "o"].map(|name| weights(1.0, name));
        let independent = weights(0.0, "q");
        let close = |a: f32, b: f32| assert!((a - b).abs() < 1e-6, "{a} and {b}");
        (0..64).for_each(|i| close(q[i], independent[i]));
        (64..96).for_each(|i| close(q[i], k[i] / 2.0));
        let scale = (8f32 / 12.0).sqrt();
        (0..96).for_each(|i| close(o[i], scale * v[i % 12 * 8 + i / 12]));
    }
}
