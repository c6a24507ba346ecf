//! Shapes that have a name: released models', to be measured with random weights where the weights are not at hand.

use std::path::Path;

use super::config::T5Config;
use crate::error::Result;
use crate::spec::MINI;

/// A shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// That of the embedded model.
    Mini,
    /// google/t5-v1_1-small.
    #[serde(rename = "t5-v1_1-small")]
    T5V11Small,
    /// google/t5-v1_1-base.
    #[serde(rename = "t5-v1_1-base")]
    T5V11Base,
    /// google/mt5-small.
    #[serde(rename = "mt5-small")]
    Mt5Small,
}

impl Shape {
    /// All of them, by size.
    pub const ALL: [Self; 4] = [Self::Mini, Self::T5V11Small, Self::T5V11Base, Self::Mt5Small];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mini => MINI,
            Self::T5V11Small => "t5-v1_1-small",
            Self::T5V11Base => "t5-v1_1-base",
            Self::Mt5Small => "mt5-small",
        }
    }

    /// Its `config.json`, as far as shapes and losses go; none of the embedded model, which has one.
    pub fn json(self) -> Option<&'static str> {
        match self {
            Self::Mini => None,
            Self::T5V11Small => Some(
                r#"{"model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "feed_forward_proj": "gated-gelu",
 "tie_word_embeddings": false, "vocab_size": 32128, "d_model": 512, "d_kv": 64, "d_ff": 1024, "num_layers": 8,
 "num_decoder_layers": 8, "num_heads": 6, "decoder_start_token_id": 0, "dropout_rate": 0.1}"#,
            ),
            Self::T5V11Base => Some(
                r#"{"model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "feed_forward_proj": "gated-gelu",
 "tie_word_embeddings": false, "vocab_size": 32128, "d_model": 768, "d_kv": 64, "d_ff": 2048, "num_layers": 12,
 "num_decoder_layers": 12, "num_heads": 12, "decoder_start_token_id": 0, "dropout_rate": 0.1}"#,
            ),
            Self::Mt5Small => Some(
                r#"{"model_type": "mt5", "architectures": ["MT5ForConditionalGeneration"], "feed_forward_proj": "gated-gelu",
 "tie_word_embeddings": false, "vocab_size": 250112, "d_model": 512, "d_kv": 64, "d_ff": 1024, "num_layers": 8,
 "num_decoder_layers": 8, "num_heads": 6, "decoder_start_token_id": 0, "dropout_rate": 0.1}"#,
            ),
        }
    }

    /// Its configuration.
    ///
    /// # Errors
    /// If the embedded model's cannot be read.
    pub fn config(self) -> Result<T5Config> {
        match self.json() {
            Some(json) => T5Config::parse(json, Path::new(self.name())),
            None => T5Config::read(Path::new(MINI)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::load::shapes;

    #[test]
    fn the_shapes_have_as_many_parameters_as_transformers_models() {
        let counted: BTreeMap<String, usize> =
            serde_json::from_str(include_str!("../../tests/fixtures/shapes.json")).unwrap();
        let named: Vec<Shape> = Shape::ALL.into_iter().filter(|shape| shape.json().is_some()).collect();
        assert_eq!(named.len(), counted.len());
        for shape in named {
            let config = shape.config().unwrap();
            let head = config.shape.vocab_size * config.shape.d_model;
            let body: usize = shapes(&config).iter().map(|(_, dims)| dims.iter().product::<usize>()).sum();
            assert_eq!(body + head, counted[shape.name()], "{}", shape.name());
        }
        assert!(Shape::Mini.config().is_ok());
    }
}
