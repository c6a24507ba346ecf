//! The options of `fsa compare` as typed, on the command line or in a config file, and the spec they come to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Args};
use fsa::model::given::Given;
use fsa::spec::compare::{AttachPrompt, Mix, Report, StageTraining};
use fsa::spec::config::Config;
use fsa::spec::preset::IN_CONTEXT;
use fsa::spec::{Compare, Decoding, Evaluation, LabelRatio, Method, Preset, limit};
use fsa::{Error, Result};
use serde::Deserialize;

use crate::cli::choice::{self, one_of, switch, switch_name};
use crate::cli::decoding::DecodingOptions;
use crate::cli::evaluation::{AtMost, PROMPT_SENTINEL};
use crate::cli::files::{self, DataFile};
use crate::cli::how::{File, default_out};
use crate::cli::options::{Layered, every_option, keys};
use crate::cli::preset::{MODEL_HELP, PRESET_HELP, SAMPLE_HELP, by_preset, given, task_file, with_default};
use crate::cli::stages::{NewStages, StageOptions, StageTables, over};
use crate::cli::training::{SEED, TASK, TrainingOptions};
use crate::cli::{lenient, threads};

/// What stands for the paper's in-context tasks.
const ALL: &str = "all";

/// Every option that both a flag and a config key can set; `None` where nothing was said.
#[derive(Debug, Default, Clone, PartialEq, Args, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Options {
    #[arg(long, value_name = "MODEL", help_heading = "Input", help = MODEL_HELP)]
    model: Option<PathBuf>,
    /// A folder with LoRA in PEFT's layout, merged into the model before anything else
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    adapter: Option<PathBuf>,
    #[arg(long, value_name = "TASK", value_delimiter = ',', help_heading = "Input")]
    #[arg(help = format!("Fine-tuned tasks, with commas between, each registered or a task file (*.toml) [default: {TASK}]"))]
    #[serde(deserialize_with = "lenient::names")]
    target: Option<Vec<String>>,
    #[arg(long, value_name = "METHOD", value_delimiter = ',', help_heading = "Input")]
    #[arg(help = format!("Methods, with commas between: {} [default: {}]",
        Method::names().collect::<Vec<_>>().join(", "), by_preset(|of| of.compare.methods.join(","))))]
    #[serde(deserialize_with = "lenient::names")]
    methods: Option<Vec<String>>,
    /// Data file of a task's train, validation or test split, with the task as in --target and --eval, or a folder, `mini` or
    /// `hub` in the path's place; give it once for each split. In a config: a [files] table
    #[arg(long = "file", value_name = "TASK.SPLIT=PATH", value_parser = DataFile::parse, help_heading = "Input")]
    #[serde(deserialize_with = "files::table")]
    files: Option<Vec<DataFile>>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Input", help = SAMPLE_HELP)]
    sample: Option<usize>,
    #[arg(long, value_name = "NAME", value_parser = one_of(&Preset::ALL, Preset::name), help_heading = "Input", help = PRESET_HELP)]
    preset: Option<Preset>,
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Input")]
    #[arg(help = format!("Root seed of the first run [default: {SEED}]"))]
    seed: Option<u64>,
    /// How many runs, each with the next root seed [default: 1]
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Input")]
    seeds: Option<u64>,
    /// Threads; sums depend on it in their last bits [default: one per physical core, shared between --jobs]
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Input")]
    threads: Option<usize>,

    #[command(flatten)]
    #[serde(skip)]
    training: TrainingOptions,
    #[arg(long, value_name = "MIX", help_heading = "Fine-tuning")]
    #[arg(
        help = "Shares of targets in the batches of multi-task methods: equal, or proportional:K, to their examples of which \
        K count at most [default: equal]"
    )]
    mix: Option<String>,

    #[command(flatten)]
    #[serde(skip)]
    stages: StageOptions,
    #[arg(long, value_name = "WHICH", value_parser = one_of(&AttachPrompt::ALL, AttachPrompt::name), help_heading = "Soft prompts")]
    #[arg(help = format!("Where a prompt counts as attached: at the target alone, or at tasks whose label words overlap the \
        target's too; both are measured [default: {}]", AttachPrompt::Target.name()))]
    attach_prompt: Option<AttachPrompt>,

    #[arg(long, value_name = "TASK", value_delimiter = ',', help_heading = "Evaluation")]
    #[arg(help = format!("In-context tasks, with commas between, each with the examples in its prompts (TASK:SHOTS) or with \
        those of --shots; `{ALL}` for the paper's eight [default: {ALL}]"))]
    #[serde(deserialize_with = "lenient::evaluations")]
    eval: Option<Vec<String>>,
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = choice::count, help_heading = "Evaluation")]
    #[arg(help = format!("Examples in the prompts of tasks without a number of their own [default: {}]",
        by_preset(|of| of.compare.shots.iter().map(usize::to_string).collect::<Vec<_>>().join(","))))]
    shots: Option<Vec<usize>>,
    /// Whether every checkpoint of a model is asked the evaluations with the fewest shots, for the trade-off [default: on]
    #[arg(long, value_name = "SWITCH", value_parser = switch(), help_heading = "Evaluation")]
    #[serde(deserialize_with = "lenient::switch")]
    trade_off: Option<bool>,
    /// Examples in the target's own prompts [default: 0]
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Evaluation")]
    target_shots: Option<usize>,
    #[arg(long, value_name = "SPLIT", value_parser = one_of(&Report::ALL, Report::name), help_heading = "Evaluation")]
    #[arg(help = format!("Split of the target that is reported; checkpoints are chosen on the validation split [default: {}]",
        by_preset(|of| of.compare.report.name())))]
    report: Option<Report>,
    #[arg(long, value_name = "N", value_parser = AtMost::parse, help_heading = "Evaluation")]
    #[arg(help = format!("Evaluate at most N examples of each task, or all [default: {}]",
        by_preset(|of| of.limit.map_or_else(|| limit::ALL.to_owned(), |limit| limit.to_string()))))]
    limit: Option<AtMost>,
    #[arg(long, value_name = "SWITCH", value_parser = switch(), help_heading = "Evaluation")]
    #[arg(help = format!("Whether prompts end in <extra_id_0> [default: {}]", switch_name(PROMPT_SENTINEL)))]
    #[serde(deserialize_with = "lenient::switch")]
    prompt_sentinel: Option<bool>,
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(LabelRatio::BLEU_TOKENIZERS))]
    #[arg(help_heading = "Evaluation", help = format!("BLEU's tokenizer; with intl, 13a is reported beside it [default: {}]",
        by_preset(|of| of.bleu_tokenizer)))]
    bleu_tokenizer: Option<String>,

    #[command(flatten)]
    #[serde(skip)]
    decoding: DecodingOptions,

    /// The run folder [default: reports/compare-<target>-seed<seed>]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,
}

every_option! {
    Options {
        model adapter target methods files sample preset seed seeds threads mix attach_prompt eval shots trade_off target_shots report limit
        prompt_sentinel bleu_tokenizer out
    } { training stages decoding }
}

/// Makes the options of fine-tuning state how long this command does it.
pub fn stages(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "steps" => with_default(arg, &by_preset(|of| of.compare.model.steps)),
        "probe_every" => arg.help(format!(
            "Steps between checkpoints, each scored on the target [default: {}]",
            by_preset(|of| of.compare.model.probe_every)
        )),
        "trainable" => arg.hide(true),
        _ => arg,
    }
}

/// The tables of a run's own `spec.toml` that group options, beside those of [`StageOptions`].
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Tables {
    model_stage: Option<StageTraining>,
    decoding: Option<Decoding>,
    #[serde(skip)]
    stages: StageTables,
}

impl Options {
    /// The keys that a config may hold.
    pub fn config_keys() -> Vec<String> {
        let options = keys::<Self>().into_iter().map(|key| if key == "file" { "files".to_owned() } else { key });
        options.chain(["model-stage", "decoding"].into_iter().chain(StageTables::KEYS).map(String::from)).collect()
    }

    /// The options that `file` gives: those of their own, and those in tables, over which the others win.
    pub fn read(file: &File) -> Result<(Config<Self>, Tables)> {
        let mut config = file.read::<Self>()?;
        config.values.training = file.read()?.values;
        config.values.stages = file.read()?.values;
        config.values.decoding = file.read()?.values;
        let tables = Tables { stages: file.read()?.values, ..file.read()?.values };
        Ok((config, tables))
    }

    /// The spec that these options, over `tables` of a config, come to, with a default for everything that has one; `jobs` processes
    /// share the cores.
    pub fn resolve(self, tables: Tables, jobs: usize, quiet: bool) -> Result<Compare> {
        if self.training.given().iter().any(|key| key == "trainable") {
            return Err(Error::input("cannot be used here: what is trained follows from the method")
                .flag("--trainable")
                .next("leave it out"));
        }
        let target = self.target.unwrap_or_else(|| vec![TASK.to_owned()]);
        let mut data = BTreeMap::new();
        for file in self.files.unwrap_or_default() {
            if data.insert(file.key.clone(), file.path).is_some() {
                let what = format!("the file of `{}` is given twice", file.key);
                return Err(Error::input(what).flag("--file").next("keep one of the two"));
            }
        }
        let own = data.values().map(PathBuf::as_path).chain(target.iter().filter_map(|task| task_file(task)));
        let Given { model, adapter } = given(self.model, self.adapter, own, quiet)?;
        let defaults = self.preset.unwrap_or_else(|| Preset::of(&model)).defaults();
        let seed = self.seed.unwrap_or(SEED);
        let names = self.methods.unwrap_or_else(|| defaults.compare.methods.iter().map(ToString::to_string).collect());
        let mut methods = Vec::new();
        for name in &names {
            let method = Method::named(name.trim())?;
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
        let shots = self.shots.unwrap_or_else(|| defaults.compare.shots.to_vec());
        let eval = evaluations(self.eval, &shots)?;
        let given = self.training.given();
        let has = |key: &str| given.iter().any(|given| given == key);
        let mut model_stage = over(tables.model_stage.unwrap_or_else(|| defaults.model_stage()), &self.training);
        if has("steps") {
            model_stage.steps = self.training.steps_or(model_stage.steps);
        }
        if has("probe-every") {
            model_stage.probe_every = self.training.probe_every_or(model_stage.probe_every);
        }
        let NewStages { prompt, lora, prompt_stage, lora_stage } =
            self.stages.resolve(tables.stages, &defaults, &self.training);
        let decoding = match tables.decoding {
            Some(decoding) => self.decoding.over_spec(decoding),
            None => self.decoding,
        };
        Ok(Compare {
            out: self.out.unwrap_or_else(|| default_out("compare", target.first().map_or(TASK, String::as_str), seed)),
            model,
            adapter,
            target: target.iter().map(|name| name.trim().to_owned()).collect(),
            methods,
            seed,
            seeds: self.seeds.unwrap_or(1),
            threads: self.threads.unwrap_or_else(|| (threads::default() / jobs).max(1)),
            eval,
            trade_off: self.trade_off.unwrap_or(true),
            files: data,
            limit: self.limit.map_or(defaults.limit, |AtMost(limit)| limit),
            sample: self.sample,
            prompt_sentinel: self.prompt_sentinel.unwrap_or(PROMPT_SENTINEL),
            bleu_tokenizer: self.bleu_tokenizer.unwrap_or_else(|| defaults.bleu_tokenizer.to_owned()),
            attach_prompt: self.attach_prompt.unwrap_or(AttachPrompt::Target),
            target_shots: self.target_shots.unwrap_or(0),
            report: self.report.unwrap_or(defaults.compare.report),
            decoding: decoding.resolve_over(defaults.decoding()),
            mix: self.mix.as_deref().map_or(Ok(Mix::Equal), Mix::parse)?,
            prompt,
            lora,
            model_stage,
            prompt_stage,
            lora_stage,
        })
    }
}

/// The evaluations that `given` comes to, each once: those without a number of shots with each of `shots`.
fn evaluations(given: Option<Vec<String>>, shots: &[usize]) -> Result<Vec<Evaluation>> {
    let mut evaluations = Vec::new();
    let mut add = |evaluation: Evaluation| {
        if !evaluations.contains(&evaluation) {
            evaluations.push(evaluation);
        }
    };
    for text in given.unwrap_or_else(|| vec![ALL.to_owned()]) {
        let text = text.trim();
        match (text, text.contains(':')) {
            (ALL, _) => {
                for &shots in shots {
                    IN_CONTEXT.iter().for_each(|task| add(Evaluation { task: task.to_string(), shots }));
                }
            }
            ("", _) => return Err(Error::input("a name is empty").flag("--eval").next("write TASK or TASK:SHOTS")),
            (_, true) => add(Evaluation::parse(text)?),
            (task, false) => shots.iter().for_each(|&shots| add(Evaluation { task: task.to_owned(), shots })),
        }
    }
    match evaluations.is_empty() {
        true => Err(Error::input("needs at least one evaluation").flag("--eval")),
        false => Ok(evaluations),
    }
}
