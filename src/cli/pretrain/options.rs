//! The options of `fsa pretrain` as typed, on the command line or in a config file, and the spec they come to.

use std::path::PathBuf;

use clap::{Arg, Args};
use fsa::Result;
use fsa::spec::config::Config;
use fsa::spec::{Evaluation, Pretrain};
use serde::Deserialize;

use crate::cli::choice;
use crate::cli::how::{File, default_out};
use crate::cli::options::every_option;
use crate::cli::preset::with_default;
use crate::cli::training::{SEED, TrainingOptions};
use crate::cli::{lenient, threads};

/// Every option that both a flag and a config key can set; `None` where nothing was said.
#[derive(Debug, Default, Clone, PartialEq, Args, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Options {
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    #[arg(help = format!("The corpus that documents are taken from [default: {}]", Pretrain::CORPUS))]
    corpus: Option<String>,

    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Model")]
    #[arg(help = format!("Width of the hidden states [default: {}]", Pretrain::D_MODEL))]
    d_model: Option<usize>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Model")]
    #[arg(help = format!("Width of an attention head [default: {}]", Pretrain::D_KV))]
    d_kv: Option<usize>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Model")]
    #[arg(help = format!("Width within a feed-forward layer [default: {}]", Pretrain::D_FF))]
    d_ff: Option<usize>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Model")]
    #[arg(help = format!("Blocks of the encoder [default: {}]", Pretrain::NUM_LAYERS))]
    num_layers: Option<usize>,
    /// Blocks of the decoder [default: as many as of the encoder]
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Model")]
    num_decoder_layers: Option<usize>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Model")]
    #[arg(help = format!("Attention heads [default: {}]", Pretrain::NUM_HEADS))]
    num_heads: Option<usize>,
    /// Standard deviation of the initial embedding [default: one over the square root of --d-model]
    #[arg(long, value_name = "NUMBER", value_parser = choice::number, help_heading = "Model")]
    embedding_deviation: Option<f64>,
    #[arg(long, value_name = "NUMBER", value_parser = choice::number, help_heading = "Model")]
    #[arg(help = format!("How steeply the first heads' initial position bias falls with the distance; 0 for plain noise [default: {}]",
        Pretrain::BIAS_SLOPE))]
    bias_slope: Option<f64>,
    #[arg(long, value_name = "SHARE", value_parser = choice::number, help_heading = "Model")]
    #[arg(help = format!("How far initial queries resemble keys, and outputs values, from 0 to 1 [default: {}]", Pretrain::LIKENESS))]
    likeness: Option<f64>,

    #[command(flatten)]
    #[serde(skip)]
    training: TrainingOptions,
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Training")]
    #[arg(help = format!("Root seed of initial weights, dropout and shots [default: {SEED}]"))]
    seed: Option<u64>,
    /// Threads; sums depend on it in their last bits [default: one per physical core]
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Training")]
    threads: Option<usize>,

    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Probing")]
    #[arg(help = format!("Documents of the held-out loss [default: {}]", Pretrain::HELD_OUT))]
    held_out: Option<usize>,
    /// Tasks to ask with the examples in each prompt, with commas between [default: the corpus' own]
    #[arg(long, value_name = "TASK:SHOTS", value_delimiter = ',', help_heading = "Probing")]
    #[serde(deserialize_with = "lenient::evaluations")]
    eval: Option<Vec<String>>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Probing")]
    #[arg(help = format!("Prompts of each task, at most [default: {}]", Pretrain::LIMIT))]
    limit: Option<usize>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Probing")]
    #[arg(help = format!("Longest answer in tokens [default: {}]", Pretrain::MAX_NEW_TOKENS))]
    max_new_tokens: Option<usize>,

    /// The run folder [default: reports/pretrain-<corpus>-seed<seed>]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,
}

every_option! {
    Options {
        corpus d_model d_kv d_ff num_layers num_decoder_layers num_heads embedding_deviation bias_slope likeness seed threads held_out eval limit
        max_new_tokens out
    } { training }
}

/// Makes an option that is shared with fine-tuning state what pretraining has for a default.
pub fn pretraining(arg: Arg) -> Arg {
    let t = Pretrain::training();
    let default = match arg.get_id().as_str() {
        "steps" => Pretrain::STEPS.to_string(),
        "probe_every" => Pretrain::PROBE_EVERY.to_string(),
        "batch_size" => t.batch_size.to_string(),
        "micro_batch_tokens" => t.micro_batch_tokens.to_string(),
        "optimizer" => t.optimizer.name().to_string(),
        "adafactor_state" => t.adafactor_state.name().to_string(),
        "scale_parameter" => choice::switch_name(t.scale_parameter).to_string(),
        "lr" => t.lr.to_string(),
        "schedule" => t.schedule.name().to_string(),
        "lr_floor" => t.lr_floor.to_string(),
        "warmup_steps" => t.warmup_steps.to_string(),
        "weight_decay" => t.weight_decay.to_string(),
        "beta1" => t.beta1.to_string(),
        "beta2" => t.beta2.to_string(),
        "max_grad_norm" => t.max_grad_norm.to_string(),
        "trainable" => t.trainable.clone(),
        "dropout" => t.dropout.to_string(),
        "label_smoothing" => t.label_smoothing.to_string(),
        "smoothing" => t.smoothing.name().to_string(),
        "z_loss" => t.z_loss.to_string(),
        _ => return arg,
    };
    let heading = if arg.get_id() == "probe_every" { "Probing" } else { "Training" };
    with_default(arg, &default).help_heading(heading)
}

impl Options {
    /// The options that `file` gives.
    pub fn read(file: &File) -> Result<Config<Self>> {
        let mut config = file.read::<Self>()?;
        config.values.training = file.read()?.values;
        Ok(config)
    }

    /// The spec that these options come to, with a default for everything that has one.
    pub fn resolve(self) -> Result<Pretrain> {
        let corpus = self.corpus.unwrap_or_else(|| Pretrain::CORPUS.to_owned());
        let seed = self.seed.unwrap_or(SEED);
        let d_model = self.d_model.unwrap_or(Pretrain::D_MODEL);
        let num_layers = self.num_layers.unwrap_or(Pretrain::NUM_LAYERS);
        let eval = self.eval.unwrap_or_default();
        Ok(Pretrain {
            out: self.out.unwrap_or_else(|| default_out("pretrain", &corpus, seed)),
            corpus,
            seed,
            threads: self.threads.unwrap_or_else(threads::default),
            steps: self.training.steps_or(Pretrain::STEPS),
            probe_every: self.training.probe_every_or(Pretrain::PROBE_EVERY),
            held_out: self.held_out.unwrap_or(Pretrain::HELD_OUT),
            limit: self.limit.unwrap_or(Pretrain::LIMIT),
            max_new_tokens: self.max_new_tokens.unwrap_or(Pretrain::MAX_NEW_TOKENS),
            d_model,
            d_kv: self.d_kv.unwrap_or(Pretrain::D_KV),
            d_ff: self.d_ff.unwrap_or(Pretrain::D_FF),
            num_layers,
            num_decoder_layers: self.num_decoder_layers.unwrap_or(num_layers),
            num_heads: self.num_heads.unwrap_or(Pretrain::NUM_HEADS),
            likeness: self.likeness.unwrap_or(Pretrain::LIKENESS),
            bias_slope: self.bias_slope.unwrap_or(Pretrain::BIAS_SLOPE),
            embedding_deviation: self.embedding_deviation.unwrap_or_else(|| Pretrain::embedding_deviation(d_model)),
            eval: eval.iter().map(|text| Evaluation::parse(text.trim())).collect::<Result<_>>()?,
            training: self.training.resolve_over(Pretrain::training()),
        })
    }
}
