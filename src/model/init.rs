//! Random initial weights in the scale that transformers gives a fresh T5 (T5PreTrainedModel._init_weights).

use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::array::tensor;
use super::config::T5Config;
use super::load::{HEAD, shapes};
use super::params::{Param, Params};
use super::t5::T5;
use crate::error::Result;
use crate::spec::Seeds;

impl T5 {
    /// A model of random weights, each parameter from the stream `init/NAME`. It has a head of its own unless the config ties
    /// it to the embedding.
    pub fn random(config: T5Config, seeds: Seeds) -> Result<Self> {
        Self::random_with(config, 1.0, seeds)
    }

    /// As [`T5::random`], with this standard deviation of the embedding and of a head of its own, before the config's
    /// `initializer_factor`. transformers' is 1, which makes a tied head that is not scaled begin with logits of deviation
    /// d_model^½; d_model^−½ makes it begin with those of deviation 1.
    pub fn random_with(config: T5Config, embedding_deviation: f64, seeds: Seeds) -> Result<Self> {
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
                "shared" | "lm_head" => embedding_deviation,
                _ => (shape.d_model as f64).powf(-0.5),
            };
            Some(scale * shape.initializer_factor)
        };
        let mut params = Params::default();
        for (name, dims) in all {
            let count = dims.iter().product();
            let values = match deviation(&name) {
                None => vec![1.0; count],
                Some(deviation) => normal(&mut seeds.rng(&format!("init/{name}"), &[]), count, deviation),
            };
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
