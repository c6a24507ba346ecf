//! What `fsa pretrain` computes: a small T5 from nothing, on a corpus that is generated.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::label_ratio::{Evaluation, probe_steps};
use super::training::{at_least_one, at_most, not_negative, positive};
use super::{Decoding, Optimizer, Schedule, Training};
use crate::error::{Error, Result};

/// Everything that decides what `fsa pretrain` computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pretrain {
    /// The corpus, by name.
    pub corpus: String,
    /// The run folder.
    pub out: PathBuf,
    /// Root seed of the initial weights, of dropout and of shots; the corpus is the same for every seed.
    pub seed: u64,
    /// Threads of the engine.
    pub threads: usize,
    /// Optimizer steps.
    pub steps: u64,
    /// A probe every so many steps; step 0 and the last step are always probed.
    pub probe_every: u64,
    /// Documents that the held-out loss is of.
    pub held_out: usize,
    /// Prompts of each evaluation.
    pub limit: usize,
    /// Longest answer, eos included; answers are decoded greedily.
    pub max_new_tokens: usize,
    /// Width of the hidden states.
    pub d_model: usize,
    /// Width of an attention head.
    pub d_kv: usize,
    /// Width within a feed-forward layer.
    pub d_ff: usize,
    /// Blocks of the encoder.
    pub num_layers: usize,
    /// Blocks of the decoder.
    pub num_decoder_layers: usize,
    /// Attention heads.
    pub num_heads: usize,
    /// Standard deviation of the initial embedding, which is the head too; d_model^−½ makes first logits of deviation 1.
    pub embedding_deviation: f64,
    /// How steeply the first heads' initial position bias falls with the distance, per position; 0 for transformers' noise.
    pub bias_slope: f64,
    /// How much less the other heads' initial position bias is at their own place; 0 for not at all.
    #[serde(default)]
    pub self_avoidance: f64,
    /// How far initial queries resemble keys, and outputs values, from 0 to 1 (mimetic initialization).
    pub likeness: f64,
    /// Tasks asked at each probe; those that the corpus names if there are none.
    pub eval: Vec<Evaluation>,
    /// How it is trained.
    pub training: Training,
}

impl Pretrain {
    /// Default of `corpus`.
    pub const CORPUS: &str = "mini";
    /// Default of `steps`.
    pub const STEPS: u64 = 8000;
    /// Default of `probe_every`.
    pub const PROBE_EVERY: u64 = 1000;
    /// Default of `held_out`.
    pub const HELD_OUT: usize = 512;
    /// Default of `limit`.
    pub const LIMIT: usize = 100;
    /// Default of `max_new_tokens`.
    pub const MAX_NEW_TOKENS: usize = 32;
    /// Default of `d_model`.
    pub const D_MODEL: usize = 128;
    /// Default of `d_kv`.
    pub const D_KV: usize = 32;
    /// Default of `d_ff`.
    pub const D_FF: usize = 256;
    /// Default of `num_layers` and of `num_decoder_layers`.
    pub const NUM_LAYERS: usize = 3;
    /// Default of `num_heads`.
    pub const NUM_HEADS: usize = 4;

    /// Default of `bias_slope`.
    pub const BIAS_SLOPE: f64 = 2.0;
    /// Default of `self_avoidance`.
    pub const SELF_AVOIDANCE: f64 = 0.0;
    /// Default of `likeness`.
    pub const LIKENESS: f64 = 0.7;

    /// Default of `training`: plain cross-entropy without dropout, as T5 was pretrained; AdamW, a cosine down to 2 %.
    pub fn training() -> Training {
        Training {
            optimizer: Optimizer::AdamW,
            lr: 1e-3,
            schedule: Schedule::Cosine,
            lr_floor: 0.02,
            warmup_steps: 200,
            beta2: 0.98,
            max_grad_norm: 1.0,
            batch_size: 48,
            micro_batch_tokens: 8192,
            dropout: 0.0,
            label_smoothing: 0.0,
            ..Training::default()
        }
    }

    /// Default of `embedding_deviation`.
    pub fn embedding_deviation(d_model: usize) -> f64 {
        (d_model.max(1) as f64).powf(-0.5)
    }

    /// Its probe steps.
    pub fn probe_steps(&self) -> Vec<u64> {
        probe_steps(self.steps, self.probe_every)
    }

    /// How answers are decoded.
    pub fn decoding(&self) -> Decoding {
        Decoding { num_beams: 1, max_new_tokens: self.max_new_tokens, ..Decoding::default() }
    }

    /// The model's `config.json` for a vocabulary of `tokens`, padded to a multiple of 8.
    pub fn config_json(&self, tokens: usize) -> String {
        let fields = [
            ("architectures", "[\"T5ForConditionalGeneration\"]".to_string()),
            ("model_type", "\"t5\"".to_string()),
            ("vocab_size", tokens.next_multiple_of(8).to_string()),
            ("d_model", self.d_model.to_string()),
            ("d_kv", self.d_kv.to_string()),
            ("d_ff", self.d_ff.to_string()),
            ("num_layers", self.num_layers.to_string()),
            ("num_decoder_layers", self.num_decoder_layers.to_string()),
            ("num_heads", self.num_heads.to_string()),
            ("relative_attention_num_buckets", "32".to_string()),
            ("relative_attention_max_distance", "128".to_string()),
            // For whoever fine-tunes it; pretraining itself has the spec's.
            ("dropout_rate", "0.1".to_string()),
            ("layer_norm_epsilon", "1e-06".to_string()),
            ("initializer_factor", "1.0".to_string()),
            ("feed_forward_proj", "\"gated-gelu\"".to_string()),
            ("dense_act_fn", "\"gelu_new\"".to_string()),
            ("is_gated_act", "true".to_string()),
            ("is_encoder_decoder", "true".to_string()),
            ("tie_word_embeddings", "true".to_string()),
            ("scale_decoder_outputs", "false".to_string()),
            ("use_cache", "true".to_string()),
            ("pad_token_id", "0".to_string()),
            ("eos_token_id", "1".to_string()),
            ("decoder_start_token_id", "0".to_string()),
            ("torch_dtype", "\"float32\"".to_string()),
        ];
        let lines: Vec<String> = fields.iter().map(|(key, value)| format!("  \"{key}\": {value}")).collect();
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }

    /// Errors on the first option that cannot be meant, naming its flag.
    pub fn validate(&self) -> Result<()> {
        at_least_one("--threads", self.threads as u64)?;
        at_least_one("--probe-every", self.probe_every)?;
        at_least_one("--held-out", self.held_out as u64)?;
        at_least_one("--limit", self.limit as u64)?;
        at_least_one("--max-new-tokens", self.max_new_tokens as u64)?;
        for (flag, size) in [
            ("--d-model", self.d_model),
            ("--d-kv", self.d_kv),
            ("--d-ff", self.d_ff),
            ("--num-layers", self.num_layers),
            ("--num-decoder-layers", self.num_decoder_layers),
            ("--num-heads", self.num_heads),
        ] {
            at_least_one(flag, size as u64)?;
            at_most(flag, size as u64, 1 << 14)?;
        }
        positive("--embedding-deviation", self.embedding_deviation)?;
        not_negative("--bias-slope", self.bias_slope)?;
        not_negative("--self-avoidance", self.self_avoidance)?;
        not_negative("--likeness", self.likeness)?;
        if self.likeness > 1.0 {
            return Err(Error::input(format!("must be from 0 to 1, not {}", self.likeness)).flag("--likeness"));
        }
        self.training.validate()
    }
}
