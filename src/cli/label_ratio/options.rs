//! The options of `fsa label-ratio` as typed, on the command line or in a config file, and the spec they come to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Args};
use fsa::model::given::Given;
use fsa::spec::config::Config;
use fsa::spec::label_ratio::Source;
use fsa::spec::{Decoding, Defaults, Evaluation, LabelRatio, Preset, limit};
use fsa::{Error, Result};
use serde::Deserialize;

use crate::cli::choice::{self, one_of, switch, switch_name};
use crate::cli::decoding::DecodingOptions;
use crate::cli::evaluation::{AtMost, PROMPT_SENTINEL};
use crate::cli::files::{self, DataFile};
use crate::cli::how::{File, default_out};
use crate::cli::options::{Layered, every_option, keys};
use crate::cli::preset::{
    ADAPTER_HELP, MODEL_HELP, PRESET_HELP, SAMPLE_HELP, by_preset, given, task_file, with_default,
};
use crate::cli::training::{SEED, TASK, TrainingOptions};
use crate::cli::{lenient, threads};

/// Every option that both a flag and a config key can set; `None` where nothing was said.
#[derive(Debug, Default, Clone, PartialEq, Args, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Options {
    #[arg(long, value_name = "MODEL", help_heading = "Input", help = MODEL_HELP)]
    model: Option<PathBuf>,
    #[arg(long, value_name = "DIR", help_heading = "Input", help = ADAPTER_HELP)]
    adapter: Option<PathBuf>,
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    #[arg(help = format!("The fine-tuned task: a registered one, or the path of a task file (*.toml) [default: {TASK}]"))]
    task: Option<String>,
    /// Training split of the task: a file, a folder of its files, `mini` for the mini world's or `hub` for that on the hub; short for
    /// --file TASK.train=FILE
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    train: Option<PathBuf>,
    /// Validation split of the task, as --train: short for --file TASK.validation=FILE
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    dev: Option<PathBuf>,
    /// Data file of a task's train, validation or test split, with the task as in --task and --eval, or a folder, `mini` or
    /// `hub` in the path's place; give it once for each split. In a config: a [files] table
    #[arg(long = "file", value_name = "TASK.SPLIT=PATH", value_parser = DataFile::parse, help_heading = "Input")]
    #[serde(deserialize_with = "files::table")]
    files: Option<Vec<DataFile>>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Input", help = SAMPLE_HELP)]
    sample: Option<usize>,
    /// Fine-tune nothing: measure every checkpoint-N that another trainer left in this folder, whole models or adapters of --model
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    checkpoints: Option<PathBuf>,
    /// Exit with code 1 after measuring if an entry of --checkpoints was skipped [default: off]
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
    #[arg(help = format!("Root seed of data order, dropout, shots and bootstraps [default: {SEED}]"))]
    seed: Option<u64>,
    /// Threads; sums depend on it in their last bits [default: one per physical core]
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Fine-tuning")]
    threads: Option<usize>,

    #[arg(long, value_name = "TASK:SHOTS", value_delimiter = ',', help_heading = "Evaluation")]
    #[arg(help = format!("Tasks to evaluate with the examples in each prompt, with commas between [default: {}]",
        by_preset(|of| of.eval.join(","))))]
    #[serde(deserialize_with = "lenient::evaluations")]
    eval: Option<Vec<String>>,
    #[arg(long, value_name = "N", value_parser = AtMost::parse, help_heading = "Evaluation")]
    #[arg(help = format!("Evaluate at most N examples of each task, or all [default: {}]",
        by_preset(|of| of.limit.map_or_else(|| limit::ALL.to_owned(), |limit| limit.to_string()))))]
    limit: Option<AtMost>,
    #[arg(long, value_name = "SWITCH", value_parser = switch(), help_heading = "Evaluation")]
    #[arg(help = format!("Whether prompts end in <extra_id_0> [default: {}]", switch_name(PROMPT_SENTINEL)))]
    #[serde(deserialize_with = "lenient::switch")]
    prompt_sentinel: Option<bool>,
    #[arg(long, value_name = "RATIO", value_parser = choice::number, help_heading = "Evaluation")]
    #[arg(help = format!("Label ratio that a probe's interval must lie above to count as the onset [default: {}]",
        LabelRatio::ONSET))]
    onset: Option<f64>,
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(LabelRatio::BLEU_TOKENIZERS))]
    #[arg(help_heading = "Evaluation", help = format!("BLEU's tokenizer; with intl, 13a is reported beside it [default: {}]",
        by_preset(|of| of.bleu_tokenizer)))]
    bleu_tokenizer: Option<String>,

    #[command(flatten)]
    #[serde(skip)]
    decoding: DecodingOptions,

    /// The run folder [default: reports/label-ratio-<task>-seed<seed>]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,
}

every_option! {
    Options {
        model adapter task train dev files sample checkpoints strict seed threads eval limit prompt_sentinel onset bleu_tokenizer preset out
    } { training decoding }
}

/// Makes the options of fine-tuning state how long this command does it.
pub fn fine_tuning(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "steps" => with_default(arg, &by_preset(|of| of.ratio.steps)),
        "probe_every" => with_default(arg, &by_preset(|of| of.ratio.probe_every)),
        _ => arg,
    }
}

/// The tables of a run's own `spec.toml` that group options.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Tables {
    source: Option<Source>,
    decoding: Option<Decoding>,
}

impl Tables {
    /// The keys of the options that the tables set.
    fn given(&self) -> Vec<String> {
        let source = self.source.clone().map(Options::from_source).unwrap_or_default();
        let decoding = self.decoding.map(DecodingOptions::all_of).unwrap_or_default();
        source.given().into_iter().chain(decoding.given()).collect()
    }
}

impl Options {
    /// The keys that a config may hold.
    pub fn config_keys() -> Vec<String> {
        let options = keys::<Self>().into_iter().map(|key| if key == "file" { "files".to_owned() } else { key });
        options.chain(["source", "decoding"].map(String::from)).collect()
    }

    /// The options that `file` gives: those of their own, and those in tables.
    pub fn read(file: &File) -> Result<(Config<Self>, Tables)> {
        let mut config = file.read::<Self>()?;
        config.values.training = file.read()?.values;
        config.values.decoding = file.read()?.values;
        let tables = file.read::<Tables>()?.values;
        let given = config.values.given();
        if let Some(twice) = tables.given().into_iter().find(|key| given.contains(key)) {
            let error = Error::input("is given twice, once in a table of its own").flag(format!("--{twice}"));
            return Err(config.place(error.next("keep one of the two"), &[]));
        }
        Ok((config, tables))
    }

    fn from_source(source: Source) -> Self {
        match source {
            Source::Train { steps, probe_every, training } => {
                Self { training: TrainingOptions::all_of(steps, probe_every, training), ..Self::default() }
            }
            Source::Checkpoints { dir, strict } => {
                Self { checkpoints: Some(dir), strict: Some(strict), ..Self::default() }
            }
        }
    }

    /// The spec that these options, over `below` and `tables` of a config, come to, with a default for everything that has one.
    pub fn resolve(mut self, mut below: Self, tables: Tables, quiet: bool) -> Result<LabelRatio> {
        let task = self.task.clone().or_else(|| below.task.clone()).unwrap_or_else(|| TASK.to_owned());
        let mut files = below.take_files(&task)?;
        files.extend(self.take_files(&task)?);
        let source = match (tables.source, &self.checkpoints) {
            // The table is one choice, and --checkpoints the other: only what is typed beside it can be in its way.
            (Some(Source::Train { .. }), Some(_)) | (None, _) => Self::default(),
            (Some(source), _) => Self::from_source(source),
        };
        let mut options = self.or(below).or(source);
        if let Some(decoding) = tables.decoding {
            options.decoding = options.decoding.over_spec(decoding);
        }
        let seed = options.seed.unwrap_or(SEED);
        let data = files.values().map(PathBuf::as_path).chain(options.checkpoints.as_deref()).chain(task_file(&task));
        let Given { model, adapter } = given(options.model, options.adapter, data, quiet)?;
        let defaults = options.preset.unwrap_or_else(|| Preset::of(&model)).defaults();
        Ok(LabelRatio {
            model,
            adapter,
            out: options.out.unwrap_or_else(|| default_out("label-ratio", &task, seed)),
            task,
            seed,
            threads: options.threads.unwrap_or_else(threads::default),
            eval: evaluations(options.eval, &defaults)?,
            files,
            limit: options.limit.map_or(defaults.limit, |AtMost(limit)| limit),
            sample: options.sample,
            prompt_sentinel: options.prompt_sentinel.unwrap_or(PROMPT_SENTINEL),
            onset: options.onset.unwrap_or(LabelRatio::ONSET),
            bleu_tokenizer: options.bleu_tokenizer.unwrap_or_else(|| defaults.bleu_tokenizer.to_owned()),
            decoding: options.decoding.resolve_over(defaults.decoding()),
            source: source_of(options.training, options.checkpoints, options.strict, &defaults)?,
        })
    }

    /// The data files by task and split, --train and --dev of `task` among them.
    fn take_files(&mut self, task: &str) -> Result<BTreeMap<String, PathBuf>> {
        let short = [("--train", "train", self.train.take()), ("--dev", "validation", self.dev.take())];
        let short = short.into_iter().filter_map(|(flag, split, path)| Some((flag, format!("{task}.{split}"), path?)));
        let long = self.files.take().unwrap_or_default().into_iter().map(|file| ("--file", file.key, file.path));
        let mut files = BTreeMap::new();
        for (flag, key, path) in long.chain(short) {
            if files.contains_key(&key) {
                let what = format!("the file of `{key}` is given twice");
                return Err(Error::input(what).flag(flag).next("keep one of the two"));
            }
            files.insert(key, path);
        }
        Ok(files)
    }
}

/// The evaluations in `given`, each once, in its order.
fn evaluations(given: Option<Vec<String>>, defaults: &Defaults) -> Result<Vec<Evaluation>> {
    let given = given.unwrap_or_else(|| defaults.eval.iter().map(ToString::to_string).collect());
    let mut evaluations = Vec::new();
    for text in &given {
        let evaluation = Evaluation::parse(text.trim())?;
        if evaluation.task.is_empty() {
            return Err(Error::input(format!("`{text}` names no task"))
                .flag("--eval")
                .next("write TASK:SHOTS, such as trivia_qa:1"));
        }
        // A repetition would only be measured and drawn twice.
        if !evaluations.contains(&evaluation) {
            evaluations.push(evaluation);
        }
    }
    match evaluations.is_empty() {
        true => Err(Error::input("needs at least one evaluation").flag("--eval")),
        false => Ok(evaluations),
    }
}

/// Where the checkpoints come from. What would be said in vain is an error.
fn source_of(
    training: TrainingOptions,
    checkpoints: Option<PathBuf>,
    strict: Option<bool>,
    defaults: &Defaults,
) -> Result<Source> {
    match (checkpoints, strict) {
        (None, Some(_)) => Err(Error::input("says something about --checkpoints only")
            .flag("--strict")
            .next("leave it out, or give --checkpoints DIR")),
        (None, None) => Ok(Source::Train {
            steps: training.steps_or(defaults.ratio.steps),
            probe_every: training.probe_every_or(defaults.ratio.probe_every),
            training: training.resolve_over(defaults.training()),
        }),
        (Some(dir), strict) => match training.given().first() {
            Some(key) => Err(Error::input("cannot be used with --checkpoints, which are fine-tuned already")
                .flag(format!("--{key}"))
                .next("leave one of the two out")),
            None => Ok(Source::Checkpoints { dir, strict: strict.unwrap_or(false) }),
        },
    }
}
