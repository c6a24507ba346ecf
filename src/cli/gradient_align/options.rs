//! The options of `fsa gradient-align` as typed, on the command line or in a config file, and the spec they come to.

use std::path::{Path, PathBuf};

use clap::Args;
use fsa::Result;
use fsa::spec::{AdafactorState, Estimand, Estimator, GradientAlign, Optimizer, ProbeSplit, Smoothing, Training};
use serde::Deserialize;

use super::lenient;
use crate::cli::choice::{self, one_of, switch, switch_name};
use crate::cli::{required, threads};

/// The task fine-tuned where none is named: the paper's.
const TASK: &str = "rte";
/// The root seed where none is given.
const SEED: u64 = 0;

/// Every option that both a flag and a config key can set; `None` where nothing was said.
#[derive(Debug, Default, Clone, PartialEq, Args, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Options {
    /// Folder of the model, in Hugging Face layout
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    model: Option<PathBuf>,
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    #[arg(help = format!("A registered task, or the path of a task file (*.toml) [default: {TASK}]"))]
    task: Option<String>,
    /// Training split of the task
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    train: Option<PathBuf>,
    /// Validation split; needed only for --probe-split validation
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    dev: Option<PathBuf>,

    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Fine-tuning")]
    #[arg(help = format!("Optimizer steps [default: {}]", GradientAlign::STEPS))]
    steps: Option<u64>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Fine-tuning")]
    #[arg(help = format!("Examples per step, and per probe batch [default: {}]", Training::default().batch_size))]
    batch_size: Option<usize>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Fine-tuning")]
    #[arg(help = format!("Source tokens that go through the model at once; less takes less memory, the sums stay exact \
        [default: {}]", Training::default().micro_batch_tokens))]
    micro_batch_tokens: Option<usize>,
    #[arg(long, value_name = "NAME", value_parser = one_of(&Optimizer::ALL, Optimizer::name), help_heading = "Fine-tuning")]
    #[arg(help = format!("The optimizer [default: {}]", Training::default().optimizer.name()))]
    optimizer: Option<Optimizer>,
    #[arg(long, value_name = "NAME", value_parser = one_of(&AdafactorState::ALL, AdafactorState::name), help_heading = "Fine-tuning")]
    #[arg(help = format!("What Adafactor's second moments start from [default: {}]", Training::default().adafactor_state.name()))]
    adafactor_state: Option<AdafactorState>,
    #[arg(long, value_name = "RATE", value_parser = choice::number, help_heading = "Fine-tuning")]
    #[arg(help = format!("Learning rate, constant after the warm-up [default: {}; {} for adamw]",
        Optimizer::AdafactorT5x.default_lr(), Optimizer::AdamW.default_lr()))]
    lr: Option<f64>,
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Fine-tuning")]
    #[arg(help = format!("Steps in which the learning rate rises to --lr [default: {}]", Training::default().warmup_steps))]
    warmup_steps: Option<u64>,
    #[arg(long, value_name = "RATE", value_parser = choice::number, help_heading = "Fine-tuning")]
    #[arg(help = format!("Weight decay, as the optimizer defines it [default: {}]", Training::default().weight_decay))]
    weight_decay: Option<f64>,
    #[arg(long, value_name = "RATE", value_parser = choice::number, help_heading = "Fine-tuning")]
    #[arg(help = format!("Dropout rate, from 0 to below 1 [default: {}]", Training::default().dropout))]
    dropout: Option<f64>,
    #[arg(long, value_name = "RATE", value_parser = choice::number, help_heading = "Fine-tuning")]
    #[arg(help = format!("Label smoothing, from 0 to below 1 [default: {}]", Training::default().label_smoothing))]
    label_smoothing: Option<f64>,
    #[arg(long, value_name = "NAME", value_parser = one_of(&Smoothing::ALL, Smoothing::name), help_heading = "Fine-tuning")]
    #[arg(help = format!("Whose definition of label smoothing [default: {}]", Training::default().smoothing.name()))]
    smoothing: Option<Smoothing>,
    #[arg(long, value_name = "WEIGHT", value_parser = choice::number, help_heading = "Fine-tuning")]
    #[arg(help = format!("Weight of the squared log normaliser in the loss [default: {}]", Training::default().z_loss))]
    z_loss: Option<f64>,
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Fine-tuning")]
    #[arg(help = format!("Root seed of data order, dropout and shuffles [default: {SEED}]"))]
    seed: Option<u64>,
    /// Threads; sums depend on it in their last bits [default: one per physical core]
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Fine-tuning")]
    threads: Option<usize>,

    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Probing")]
    #[arg(help = format!("Steps between probes; the first and the last step are always probed [default: {}]",
        GradientAlign::PROBE_EVERY))]
    probe_every: Option<u64>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Probing")]
    #[arg(help = format!("Batches that every probe measures on [default: {}]", GradientAlign::PROBE_BATCHES))]
    probe_batches: Option<usize>,
    #[arg(long, value_name = "SPLIT", value_parser = one_of(&ProbeSplit::ALL, ProbeSplit::name), help_heading = "Probing")]
    #[arg(help = format!("Where they are drawn from [default: {}]", GradientAlign::PROBE_SPLIT.name()))]
    probe_split: Option<ProbeSplit>,
    #[arg(long, value_name = "SWITCH", value_parser = switch(), help_heading = "Probing")]
    #[arg(help = format!("Dropout in probes, with equal masks for all gradients [default: {}]",
        switch_name(GradientAlign::PROBE_DROPOUT)))]
    #[serde(deserialize_with = "lenient::switch")]
    probe_dropout: Option<bool>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Probing")]
    #[arg(help = format!("Label shuffles per estimator that draws any [default: {}]", GradientAlign::SHUFFLES))]
    shuffles: Option<usize>,
    #[arg(long, value_name = "NAMES", value_delimiter = ',', help_heading = "Probing")]
    #[arg(value_parser = one_of(&Estimator::ALL, Estimator::name))]
    #[arg(help = format!("Which labels make the format gradient, with commas between [default: {}]",
        GradientAlign::ESTIMATORS.map(Estimator::name).join(",")))]
    #[serde(deserialize_with = "lenient::estimators")]
    estimators: Option<Vec<Estimator>>,
    #[arg(long, value_name = "NAME", value_parser = one_of(&Estimand::ALL, Estimand::name), help_heading = "Probing")]
    #[arg(help = format!("Which cosine: averaged over batches, or of the summed gradients [default: {}]",
        GradientAlign::ESTIMAND.name()))]
    estimand: Option<Estimand>,

    /// The run folder [default: reports/gradient-align-<task>-seed<seed>]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,
}

/// Names every option once, for merging and for asking which were given.
macro_rules! every_option {
    ($($option:ident)*) => {
        impl Options {
            /// These options, and where they say nothing those of `below`.
            pub fn or(self, below: Self) -> Self {
                Self { $($option: self.$option.or(below.$option)),* }
            }

            /// The keys of the options that say something.
            pub fn given(&self) -> Vec<String> {
                let all = [$((stringify!($option), self.$option.is_some())),*];
                all.into_iter().filter(|(_, given)| *given).map(|(name, _)| name.replace('_', "-")).collect()
            }
        }
    };
}

every_option! {
    model task train dev steps batch_size micro_batch_tokens optimizer adafactor_state lr warmup_steps weight_decay dropout label_smoothing
    smoothing z_loss seed threads probe_every probe_batches probe_split probe_dropout shuffles estimators estimand out
}

impl Options {
    /// The spec that these options come to, with a default for everything that has one.
    pub fn resolve(self) -> Result<GradientAlign> {
        let task = self.task.unwrap_or_else(|| TASK.to_owned());
        let seed = self.seed.unwrap_or(SEED);
        let mut estimators = self.estimators.unwrap_or_else(|| GradientAlign::ESTIMATORS.to_vec());
        // A set: the order and the repetitions of a list must not make another run of it.
        estimators.sort();
        estimators.dedup();
        let defaults = Training::default();
        let optimizer = self.optimizer.unwrap_or(defaults.optimizer);
        Ok(GradientAlign {
            model: required(
                self.model,
                "--model",
                "the model's folder",
                "path/to/model (or `model` in a --config file)",
            )?,
            train: required(
                self.train,
                "--train",
                "the training split",
                "path/to/train.tsv (or `train` in a --config file)",
            )?,
            dev: self.dev,
            out: self.out.unwrap_or_else(|| default_out(&task, seed)),
            task,
            seed,
            threads: self.threads.unwrap_or_else(threads::default),
            steps: self.steps.unwrap_or(GradientAlign::STEPS),
            probe_every: self.probe_every.unwrap_or(GradientAlign::PROBE_EVERY),
            probe_batches: self.probe_batches.unwrap_or(GradientAlign::PROBE_BATCHES),
            probe_split: self.probe_split.unwrap_or(GradientAlign::PROBE_SPLIT),
            probe_dropout: self.probe_dropout.unwrap_or(GradientAlign::PROBE_DROPOUT),
            shuffles: self.shuffles.unwrap_or(GradientAlign::SHUFFLES),
            estimators,
            estimand: self.estimand.unwrap_or(GradientAlign::ESTIMAND),
            training: Training {
                optimizer,
                adafactor_state: self.adafactor_state.unwrap_or(defaults.adafactor_state),
                lr: self.lr.unwrap_or_else(|| optimizer.default_lr()),
                warmup_steps: self.warmup_steps.unwrap_or(defaults.warmup_steps),
                weight_decay: self.weight_decay.unwrap_or(defaults.weight_decay),
                batch_size: self.batch_size.unwrap_or(defaults.batch_size),
                micro_batch_tokens: self.micro_batch_tokens.unwrap_or(defaults.micro_batch_tokens),
                dropout: self.dropout.unwrap_or(defaults.dropout),
                label_smoothing: self.label_smoothing.unwrap_or(defaults.label_smoothing),
                smoothing: self.smoothing.unwrap_or(defaults.smoothing),
                z_loss: self.z_loss.unwrap_or(defaults.z_loss),
            },
        })
    }
}

/// The run folder where none is named: the same command finds the same folder again, so that --resume works.
fn default_out(task: &str, seed: u64) -> PathBuf {
    // A task file's name stands for its path.
    let task = Path::new(task).file_stem().map_or(task.into(), |stem| stem.to_string_lossy());
    Path::new("reports").join(format!("gradient-align-{task}-seed{seed}"))
}
