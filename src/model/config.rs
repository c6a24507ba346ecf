//! A T5 checkpoint's `config.json`: candle-transformers' config type, and what it lacks.

use std::path::{Path, PathBuf};

use candle_nn::Activation as CandleActivation;
use candle_transformers::models::t5;
use serde::Deserialize;

use super::layers::feed_forward::Activation;
use crate::error::{Error, Result};
use crate::model_folder;

/// The architectures that fsa trains.
const ARCHITECTURES: [&str; 2] = ["t5", "mt5"];

/// The architecture of a T5, T5 v1.1 or mT5.
#[derive(Debug, Clone)]
pub struct T5Config {
    /// The shapes.
    pub shape: t5::Config,
    /// `t5` or `mt5`.
    pub model_type: String,
    pub(crate) activation: Activation,
    scale_decoder_outputs: Option<bool>,
    path: PathBuf,
}

#[derive(Deserialize)]
struct Extra {
    model_type: Option<String>,
    scale_decoder_outputs: Option<bool>,
}

/// What transformers fills in where a config.json is silent, and candle's type insists on.
const DEFAULTS: [(&str, &str); 12] = [
    ("vocab_size", "32128"),
    ("d_model", "512"),
    ("d_kv", "64"),
    ("d_ff", "2048"),
    ("num_layers", "6"),
    ("num_heads", "8"),
    ("relative_attention_num_buckets", "32"),
    ("dropout_rate", "0.1"),
    ("layer_norm_epsilon", "1e-6"),
    ("initializer_factor", "1.0"),
    ("is_encoder_decoder", "true"),
    ("feed_forward_proj", "\"relu\""),
];

/// The feed-forward by its name in a config.json, as transformers reads it.
fn feed_forward(name: &str) -> Option<(Activation, t5::ActivationWithOptionalGating)> {
    let (gated, name) = name.strip_prefix("gated-").map_or((false, name), |name| (true, name));
    let (ours, activation) = match name {
        "relu" => (Activation::Relu, CandleActivation::Relu),
        "gelu_new" => (Activation::Gelu, CandleActivation::NewGelu),
        // Alone it is the exact one, which no released T5 uses.
        "gelu" if gated => (Activation::Gelu, CandleActivation::NewGelu),
        "silu" | "swish" => (Activation::Silu, CandleActivation::Silu),
        _ => return None,
    };
    Some((ours, t5::ActivationWithOptionalGating { gated, activation }))
}

impl T5Config {
    /// Reads `config.json` in `dir`.
    ///
    /// # Errors
    /// If it is absent, is no JSON, describes another architecture, or shapes that cannot be.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = dir.join("config.json");
        let text = model_folder::read_text(dir, "config.json").map_err(|error| Error::io("read", &path, error))?;
        Self::parse(&text, &path)
    }

    /// Reads the text of a config.json; `path` is named in errors.
    ///
    /// # Errors
    /// As [`T5Config::read`].
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let json_error = |error: serde_json::Error| {
            let line = error.line();
            let wrong = Error::input(format!("it is not a T5 config: {error}"))
                .at(path)
                .next("use the config.json that belongs to the weights")
                .caused_by(error);
            // A value that has been read already has lost its line.
            if line > 0 { wrong.line(line) } else { wrong }
        };
        let mut json: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).map_err(json_error)?;
        let extra: Extra = serde_json::from_value(json.clone().into()).map_err(json_error)?;
        let model_type = extra.model_type.unwrap_or_default();
        if !ARCHITECTURES.contains(&model_type.as_str()) {
            return Err(Error::input(format!("model_type `{model_type}` is not supported"))
                .at(path)
                .column("model_type")
                .next(format!("fsa trains {}", ARCHITECTURES.join(" and "))));
        }
        for (key, value) in [("pad_token_id", "0"), ("eos_token_id", "1")].iter().chain(&DEFAULTS) {
            if json.get(*key).is_none_or(serde_json::Value::is_null) {
                // invariant: every value in the table is valid JSON
                json.insert(key.to_string(), serde_json::from_str(value).unwrap_or_default());
            }
        }
        for key in ["tie_word_embeddings", "use_cache", "relative_attention_max_distance", "is_decoder"] {
            if json.get(key).is_some_and(serde_json::Value::is_null) {
                json.remove(key);
            }
        }
        // candle's type has names of its own, and knows two of the gated ones.
        let named = json.insert("feed_forward_proj".into(), "relu".into()).unwrap_or_default();
        let Some((activation, feed_forward_proj)) = named.as_str().and_then(feed_forward) else {
            let named = named.as_str().map_or_else(|| named.to_string(), String::from);
            return Err(Error::input(format!("activation `{named}` is not supported"))
                .at(path)
                .column("feed_forward_proj")
                .next("fsa has relu, gated-relu, gelu_new, gated-gelu, silu and gated-silu"));
        };
        let shape: t5::Config = serde_json::from_value(json.into()).map_err(json_error)?;
        let shape = t5::Config { feed_forward_proj, ..shape };
        let config = Self {
            shape,
            model_type,
            activation,
            scale_decoder_outputs: extra.scale_decoder_outputs,
            path: path.to_path_buf(),
        };
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> Result<()> {
        let shape = &self.shape;
        let decoder_layers = self.decoder_layers();
        for (key, value) in [
            ("vocab_size", shape.vocab_size),
            ("d_model", shape.d_model),
            ("d_kv", shape.d_kv),
            ("d_ff", shape.d_ff),
            ("num_layers", shape.num_layers),
            ("num_decoder_layers", decoder_layers),
            ("num_heads", shape.num_heads),
            ("relative_attention_max_distance", shape.relative_attention_max_distance),
        ] {
            // Every layer has its names and shapes listed before a weight is read.
            let most = if key.ends_with("_layers") { 1 << 14 } else { 1 << 28 };
            if value == 0 || value > most {
                return Err(self.wrong(key, format!("{value} cannot be")));
            }
        }
        let (buckets, distance) = (shape.relative_attention_num_buckets, shape.relative_attention_max_distance);
        if buckets < 4 || buckets % 2 == 1 || distance <= buckets / 2 {
            return Err(self.wrong(
                "relative_attention_num_buckets",
                format!("{buckets} buckets over a distance of {distance} cannot be"),
            ));
        }
        if !(0.0..1.0).contains(&shape.dropout_rate) {
            return Err(self.wrong("dropout_rate", format!("{} is not a rate", shape.dropout_rate)));
        }
        for (key, id) in [
            ("pad_token_id", shape.pad_token_id),
            ("eos_token_id", shape.eos_token_id),
            ("decoder_start_token_id", shape.decoder_start_token_id.unwrap_or(shape.pad_token_id)),
        ] {
            if id >= shape.vocab_size {
                return Err(self.wrong(key, format!("{id} is outside the vocabulary of {}", shape.vocab_size)));
            }
        }
        Ok(())
    }

    fn wrong(&self, key: &str, what: String) -> Error {
        Error::input(what).at(&self.path).column(key).next("use the config.json that belongs to the weights")
    }

    /// Decoder blocks.
    pub fn decoder_layers(&self) -> usize {
        self.shape.num_decoder_layers.unwrap_or(self.shape.num_layers)
    }

    /// The token that decoding starts from.
    pub fn start(&self) -> u32 {
        self.shape.decoder_start_token_id.unwrap_or(self.shape.pad_token_id) as u32
    }

    /// The padding token.
    pub fn pad(&self) -> u32 {
        self.shape.pad_token_id as u32
    }

    /// The end-of-sequence token.
    pub fn eos(&self) -> u32 {
        self.shape.eos_token_id as u32
    }

    /// What hidden states are multiplied by before the head: d_model^−½ or 1. `mt5` never scales; `t5` scales by
    /// `scale_decoder_outputs` where the config has it, else iff the head is said to be tied (transformers' rule).
    pub fn decoder_scale(&self) -> f64 {
        let scaled = self.model_type == "t5" && self.scale_decoder_outputs.unwrap_or(self.shape.tie_word_embeddings);
        if scaled { (self.shape.d_model as f64).powf(-0.5) } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(feed_forward: &str) -> Result<T5Config> {
        let text = format!("{{\"model_type\": \"t5\", \"feed_forward_proj\": \"{feed_forward}\"}}");
        T5Config::parse(&text, Path::new("config.json"))
    }

    #[test]
    fn activations_have_transformers_names() {
        for (name, activation) in
            [("relu", Activation::Relu), ("gelu_new", Activation::Gelu), ("silu", Activation::Silu)]
        {
            for (name, gated) in [(name.to_string(), false), (format!("gated-{name}"), true)] {
                let config = parsed(&name).unwrap();
                assert_eq!((config.activation, config.shape.feed_forward_proj.gated), (activation, gated), "{name}");
            }
        }
        // What released models say, and mean `gelu_new` by.
        let config = parsed("gated-gelu").unwrap();
        assert_eq!((config.activation, config.shape.feed_forward_proj.gated), (Activation::Gelu, true));
        for other in ["gelu", "tanh", "gated-elu", "gated-", ""] {
            let said = parsed(other).unwrap_err().to_string();
            let known = "fsa has relu, gated-relu, gelu_new, gated-gelu, silu and gated-silu";
            let column = "config.json: column feed_forward_proj";
            assert_eq!(said, format!("{column}: activation `{other}` is not supported; {known}"));
        }
    }
}
