//! The options of `fsa gradient-align` as typed, on the command line or in a config file, and the spec they come to.

use std::path::{Path, PathBuf};

use clap::Args;
use fsa::data::{MiniSplit, Task, source};
use fsa::model::given::Given;
use fsa::spec::align_methods::{self, Choose, STANDARD, Stages, takes_stages};
use fsa::spec::config::Config;
use fsa::spec::{Estimand, Estimator, GradientAlign, Preset, ProbeSplit};
use fsa::{Error, Result};
use serde::Deserialize;

use super::unused::refuse_unused;
use crate::cli::choice::{self, one_of, switch, switch_name};
use crate::cli::how::{File, default_out};
use crate::cli::options::{Layered, every_option, keys};
use crate::cli::preset::{MODEL_HELP, PRESET_HELP, SAMPLE_HELP, by_preset, given, task_file};
use crate::cli::stages::{NewStages, StageOptions, StageTables};
use crate::cli::training::{SEED, TASK, TrainingOptions};
use crate::cli::{lenient, required, threads};

/// Every option that both a flag and a config key can set; `None` where nothing was said.
#[derive(Debug, Default, Clone, PartialEq, Args, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Options {
    #[arg(long, value_name = "MODEL", help_heading = "Input", help = MODEL_HELP)]
    model: Option<PathBuf>,
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    #[arg(help = format!("A registered task, or the path of a task file (*.toml) [default: {TASK}]"))]
    task: Option<String>,
    /// Training split of the task: a file, a folder of its files, `mini` for the mini world's or `hub` for that on the hub [default:
    /// that of the task file]
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    train: Option<PathBuf>,
    #[arg(long, value_name = "METHOD", value_delimiter = ',', help_heading = "Input")]
    #[arg(help = format!("Methods, with commas between, each fine-tuned and probed in its last stage: {} [default: {STANDARD}]",
        align_methods::all().collect::<Vec<_>>().join(", ")))]
    #[serde(deserialize_with = "lenient::names")]
    method: Option<Vec<String>>,
    /// Validation split, as --train; needed only for --probe-split validation, and for methods with a stage before the last, whose
    /// checkpoint it chooses [default: that of the task file]
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    dev: Option<PathBuf>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Input", help = SAMPLE_HELP)]
    sample: Option<usize>,
    /// A folder with a soft prompt or LoRA in PEFT's layout, attached and frozen, as in ProMoT's second stage
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    adapter: Option<PathBuf>,
    /// Fine-tune nothing: probe every checkpoint-N that another trainer left in this folder, whole models or adapters of --model
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    checkpoints: Option<PathBuf>,
    /// Exit with code 1 after probing if an entry of --checkpoints was skipped [default: off]
    #[arg(long, value_name = "SWITCH", value_parser = switch(), num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = switch_name(true), help_heading = "Input")]
    #[serde(deserialize_with = "lenient::switch")]
    strict: Option<bool>,
    #[arg(long, value_name = "NAME", value_parser = one_of(&Preset::ALL, Preset::name), help_heading = "Input", help = PRESET_HELP)]
    preset: Option<Preset>,

    #[command(flatten)]
    #[serde(skip)]
    training: TrainingOptions,
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Fine-tuning")]
    #[arg(help = format!("Root seed of data order, dropout and shuffles [default: {SEED}]"))]
    seed: Option<u64>,
    /// Threads; sums depend on it in their last bits [default: one per physical core]
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Fine-tuning")]
    threads: Option<usize>,

    #[command(flatten)]
    #[serde(skip)]
    stages: StageOptions,

    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Probing")]
    #[arg(help = format!("Batches, of --batch-size examples, that every probe measures on [default: {}]", by_preset(|of| of.probe_batches)))]
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
    #[arg(help = format!("Label shuffles per estimator that draws any [default: {}]", by_preset(|of| of.shuffles)))]
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

every_option! {
    Options {
        model task method train dev sample adapter checkpoints strict preset seed threads probe_batches probe_split probe_dropout
        shuffles estimators estimand out
    } { training stages }
}

/// The table of a run's own `spec.toml` that groups the options of stages.
const STAGES: &str = "stages";

/// It.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Tables {
    stages: Option<Stages>,
}

impl Options {
    /// The keys that a config may hold.
    pub fn config_keys() -> Vec<String> {
        keys::<Self>().into_iter().chain([STAGES.to_owned()]).collect()
    }

    /// The options that `file` gives, and its table of stages.
    pub fn read(file: &File) -> Result<(Config<Self>, Tables)> {
        let mut config = file.read::<Self>()?;
        config.values.training = file.read()?.values;
        config.values.stages = file.read()?.values;
        Ok((config, file.read()?.values))
    }

    /// The spec that these options, over `tables` of a config, come to, with a default for everything that has one.
    pub fn resolve(self, tables: Tables, quiet: bool) -> Result<GradientAlign> {
        let task = self.task.unwrap_or_else(|| TASK.to_owned());
        let seed = self.seed.unwrap_or(SEED);
        let mut estimators = self.estimators.unwrap_or_else(|| GradientAlign::ESTIMATORS.to_vec());
        // A set: the order and the repetitions of a list must not make another run of it.
        estimators.sort();
        estimators.dedup();
        let data = [self.train.as_deref(), self.dev.as_deref(), self.checkpoints.as_deref(), task_file(&task)];
        let Given { model, adapter } = given(self.model, self.adapter, data.into_iter().flatten(), quiet)?;
        let defaults = self.preset.unwrap_or_else(|| Preset::of(&model)).defaults();
        let probe_split = self.probe_split.unwrap_or(GradientAlign::PROBE_SPLIT);
        let named = self.method.as_deref().map(align_methods::named).transpose()?;
        if named.as_ref().is_some_and(Vec::is_empty) && adapter.is_some() {
            return Err(Error::input(format!("cannot be used with --method {STANDARD}, which has nothing attached"))
                .flag("--adapter")
                .next("leave one of the two out"));
        }
        let method = named.unwrap_or_default();
        let has_adapter = adapter.is_some();
        refuse_unused(&self.stages.given(), &method, has_adapter)?;
        let chooses = !has_adapter && method.iter().any(|method| method.stages().len() > 1);
        let dev = match probe_split {
            ProbeSplit::Train if !chooses => self.dev,
            _ => file(self.dev, &task, &model, MiniSplit::Validation)?,
        };
        let stages = method.iter().any(|method| takes_stages(method, has_adapter)).then(|| {
            let (tables, choose) = tables.stages.map_or_else(Default::default, |stages: Stages| {
                let Stages { prompt, lora, choose, prompt_stage, lora_stage } = stages;
                let tables = StageTables {
                    prompt_stage: Some(prompt_stage),
                    lora_stage: Some(lora_stage),
                    prompt: Some(prompt),
                    lora: Some(lora),
                };
                (tables, Some(choose))
            });
            let NewStages { prompt, lora, prompt_stage, lora_stage } =
                self.stages.resolve(tables, &defaults, &self.training);
            let choose = choose.unwrap_or_else(|| Choose {
                limit: defaults.limit,
                bleu_tokenizer: defaults.bleu_tokenizer.to_owned(),
                decoding: defaults.decoding(),
            });
            Stages { prompt, lora, choose, prompt_stage, lora_stage }
        });
        let (steps, probe_every, training) = match self.checkpoints {
            // They bring their own steps.
            Some(_) => (0, 1, self.training.of_checkpoints(defaults.training())?),
            None => (
                self.training.steps_or(defaults.align.steps),
                self.training.probe_every_or(defaults.align.probe_every),
                self.training.resolve_over(defaults.training()),
            ),
        };
        Ok(GradientAlign {
            train: required(
                file(self.train, &task, &model, MiniSplit::Train)?,
                "--train",
                "the training split",
                "path/to/train.tsv, or hub for the task's data set on the hub (or `train` in a --config file)",
            )?,
            dev,
            sample: self.sample,
            method,
            model,
            adapter,
            checkpoints: self.checkpoints,
            strict: self.strict.unwrap_or(false),
            out: self.out.unwrap_or_else(|| default_out("gradient-align", &task, seed)),
            task,
            seed,
            threads: self.threads.unwrap_or_else(threads::default),
            steps,
            probe_every,
            probe_batches: self.probe_batches.unwrap_or(defaults.probe_batches),
            probe_split,
            probe_dropout: self.probe_dropout.unwrap_or(GradientAlign::PROBE_DROPOUT),
            shuffles: self.shuffles.unwrap_or(defaults.shuffles),
            estimators,
            estimand: self.estimand.unwrap_or(GradientAlign::ESTIMAND),
            training,
            stages,
        })
    }
}

/// The file of `split`: what is `given`, else what there is for the task.
fn file(given: Option<PathBuf>, task: &str, model: &Path, split: MiniSplit) -> Result<Option<PathBuf>> {
    match given {
        Some(path) => Ok(Some(path)),
        None => Ok(source::of(&Task::resolve(task)?, model, &[split], |_| None).map(|(_, path)| path)),
    }
}
