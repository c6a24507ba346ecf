//! What gradient-align needs before its first step: data, tokens, probe batches, losses, model; checked in the order of cost.

use std::path::{Path, PathBuf};

use crate::data::{MiniSplit, Split, Task, Tokenized, batch, cut, labels, order, source};
use crate::error::{Error, Result};
use crate::grad::{Losses, Targets};
use crate::model::peft::{self, Adapter, read_adapter};
use crate::model::prompt;
use crate::model::{self, LoadReport, Param, T5, T5Config, Whole};
use crate::model_folder;
use crate::report::run_info::{DataInfo, HashedFile, ModelInfo, hash_bytes, hash_file};
use crate::spec::method::Trained;
use crate::spec::{Estimand, Estimator, GradientAlign, Optimizer, ProbeSplit, Seeds, Training};
use crate::tokenizer::Tokenizer;

/// The data side of a run.
pub(super) struct Data {
    pub task: Task,
    pub train: Split,
    pub train_tokens: Vec<Tokenized>,
    dev: Option<(Split, Vec<Tokenized>)>,
    pub losses: Losses,
    /// Examples of each probe batch.
    pub probes: Vec<Vec<usize>>,
    pub config: T5Config,
    pub warnings: Vec<String>,
    /// What is attached to the model, and frozen.
    pub adapter: Option<Adapter>,
    /// The file that its tensors are in.
    pub adapter_file: Option<HashedFile>,
    /// The method whose stage this is, as rows name it.
    pub method: &'static str,
    pub stage: u32,
    probe_split: ProbeSplit,
}

impl Data {
    /// Reads and checks everything but the weights.
    pub fn load(spec: &GradientAlign) -> Result<Self> {
        spec.validate()?;
        let task = Task::resolve(&spec.task)?;
        if let (None, Some(estimator)) = (task.labels(), spec.estimators.iter().find(|e| e.needs_label_set())) {
            let fitting: Vec<&str> = Estimator::ALL.iter().filter(|e| !e.needs_label_set()).map(|e| e.name()).collect();
            return Err(Error::input(format!(
                "`{}` needs a closed label set, and the targets of task `{}` are free text",
                estimator.name(),
                task.name()
            ))
            .flag("--estimators")
            .next(format!("give --estimators {}", fitting.join(","))));
        }
        let read = |path, split, flag| source::read(&task, path, split).map_err(|error| error.flag(flag));
        let mut train = read(&spec.train, MiniSplit::Train, "--train")?;
        let mut dev = spec.dev.as_ref().map(|path| read(path, MiniSplit::Validation, "--dev")).transpose()?;
        model_folder::refuse_missing(&spec.model)?;
        let config = T5Config::read(&spec.model)?;
        let tokenizer = Tokenizer::from_dir(&spec.model)?;
        tokenizer.check_vocab(config.shape.vocab_size)?;
        let mut warnings = Vec::new();
        for split in std::iter::once(&mut train).chain(&mut dev) {
            let cut = cut::split(&task, split, |text| tokenizer.encode(text))?;
            warnings.extend(warnings_of(split, &task, cut));
        }
        let adapter = spec.adapter.as_deref().map(read_adapter).transpose().map_err(|error| error.flag("--adapter"))?;
        let adapter_file = spec.adapter.as_deref().map(|dir| hash_file(&dir.join(peft::WEIGHTS))).transpose()?;
        let (method, stage) = match &adapter {
            None => ("standard", 1),
            Some(Adapter::Prompt(_)) => ("promot", 2),
            Some(Adapter::Lora(..)) => ("promot-lora", 2),
        };
        let prefix: Vec<u32> = match &adapter {
            Some(Adapter::Prompt(rows)) => prompt::virtual_tokens(0, rows.dim(0)?).collect(),
            _ => Vec::new(),
        };
        let tokenize = |split: &Split| -> Result<Vec<Tokenized>> {
            let mut tokens = batch::tokenize(split, |text| tokenizer.encode(text))?;
            // The soft prompt stands before every source.
            tokens.iter_mut().for_each(|tokens| tokens.source.splice(..0, prefix.iter().copied()).for_each(drop));
            Ok(tokens)
        };
        let train_tokens = tokenize(&train)?;
        let dev = dev.map(|split| tokenize(&split).map(|tokens| (split, tokens))).transpose()?;

        let seeds = Seeds::new(spec.seed);
        let probe_split = match spec.probe_split {
            ProbeSplit::Train => &train,
            // invariant: the spec's validation asks for --dev with this split
            ProbeSplit::Validation => dev.as_ref().map_or(&train, |(split, _)| split),
        };
        let targets = match (task.labels(), probe_split.labels()) {
            (Some(set), Some(labels)) => Targets::Closed {
                classes: set.words().iter().map(|word| tokenizer.encode(word)).collect::<Result<_>>()?,
                labels,
            },
            _ => Targets::Free,
        };
        let mut probes = order::probe_batches(probe_split.len(), spec.training.batch_size, spec.probe_batches, &seeds)?;
        if spec.estimand == Estimand::Summed {
            probes = vec![probes.concat()];
        }
        let losses = Losses::new(targets, &spec.estimators, spec.shuffles, seeds);
        let probe_split = spec.probe_split;
        Ok(Self {
            task,
            train,
            train_tokens,
            dev,
            losses,
            probes,
            config,
            warnings,
            adapter,
            adapter_file,
            method,
            stage,
            probe_split,
        })
    }

    /// Probe batch `number` with its K losses.
    pub fn probe(&self, number: usize) -> Result<Whole<'_>> {
        self.part_of_probe(number, self.probes[number].len())
    }

    /// The first `examples` of it.
    pub fn part_of_probe(&self, number: usize, examples: usize) -> Result<Whole<'_>> {
        let tokens = match (self.probe_split, &self.dev) {
            (ProbeSplit::Validation, Some((_, tokens))) => tokens,
            _ => &self.train_tokens,
        };
        self.losses.batch(tokens, number as u64, &self.probes[number][..examples])
    }

    /// `model` with what is attached to it.
    pub fn attach(&self, model: T5) -> Result<T5> {
        match self.adapter.clone() {
            Some(adapter) => model.with_adapter(adapter).map_err(|error| error.flag("--adapter")),
            None => Ok(model),
        }
    }

    /// How the model is trained: of all, what is attached is left alone.
    pub fn training(&self, spec: &GradientAlign) -> Training {
        let mut training = spec.training.clone();
        if self.adapter.is_some() && training.trains_everything() {
            training.trainable = Trained::Model.patterns().to_string();
        }
        training
    }

    /// For `run.json`.
    pub fn info(&self) -> Vec<DataInfo> {
        let splits = [&self.train].into_iter().chain(self.dev.iter().map(|(split, _)| split));
        splits
            .map(|split| DataInfo { path: split.path.clone(), sha256: split.sha256.clone(), rows: split.len() as u64 })
            .collect()
    }

    /// Source tokens of the longest probe or training batch that can come up, for the memory estimate.
    pub fn source_tokens(&self, batch_size: usize) -> usize {
        let mut lengths: Vec<usize> = self.train_tokens.iter().map(|tokens| tokens.source.len()).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        let mean = lengths.iter().sum::<usize>() as f64 / lengths.len().max(1) as f64;
        (mean * batch_size as f64).ceil() as usize
    }
}

/// What a split gives reason to warn of.
fn warnings_of(split: &Split, task: &Task, cut: usize) -> Vec<String> {
    let mut warnings = Vec::new();
    let name = split.path.display();
    if cut > 0 {
        let (all, limit) = (split.len(), task.max_source_tokens().unwrap_or_default());
        warnings.push(format!("{name}: the articles of {cut} of {all} examples were cut to {limit} tokens"));
    }
    if split.dropped > 0 {
        warnings.push(format!("{name}: {} rows without a usable label were left out", split.dropped));
    }
    if let (Some(set), Some(of)) = (task.labels(), split.labels())
        && let Some(word) = labels::single_class(&of).and_then(|class| set.word(class))
    {
        warnings
            .push(format!("{name}: every label is `{word}`: shuffling changes nothing, so the cosine says nothing"));
    }
    warnings
}

/// The model side of a run.
pub(super) struct Loaded {
    pub model: T5,
    pub info: ModelInfo,
    pub warnings: Vec<String>,
}

/// Reads the weights and hashes every file that the model is made of; errors if `training` names parameters that it does not
/// have.
pub(super) fn load_model(dir: &Path, training: Option<&Training>) -> Result<Loaded> {
    let (model, report) = model::load(dir)?;
    if let Some(training) = training {
        training.check_trainable(model.params().iter().map(Param::name))?;
    }
    let mut files: Vec<PathBuf> = report.files.clone();
    files.extend(Tokenizer::file(dir));
    let hashed = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        model_folder::embedded(dir, name).map_or_else(|| hash_file(path), |bytes| Ok(hash_bytes(path, bytes)))
    };
    let files = files.iter().map(hashed).collect::<Result<Vec<HashedFile>>>()?;
    let params = model.params().count() as u64;
    let info = ModelInfo { path: dir.to_path_buf(), files, params, note: model_folder::note(dir).map(String::from) };
    let warnings = unused(&report, dir);
    Ok(Loaded { model, info, warnings })
}

fn unused(report: &LoadReport, dir: &Path) -> Vec<String> {
    match report.unused.first() {
        None => Vec::new(),
        Some(first) => vec![format!(
            "{}: {} tensors of the checkpoint have no place in the model, `{first}` first; they were not used",
            dir.display(),
            report.unused.len()
        )],
    }
}

/// What is attached; nothing for most runs.
fn adapter_signature(data: &Data) -> String {
    let hash = data.adapter_file.as_ref().map_or("", |file| &file.sha256[..12]);
    match &data.adapter {
        None => String::new(),
        Some(Adapter::Prompt(_)) => format!("|adapter:prompt:{hash}"),
        Some(Adapter::Lora(..)) => format!("|adapter:lora:{hash}"),
    }
}

/// One line that goes with every number of the run: what it depends on, named as sacreBLEU names its own.
pub(super) fn signature(spec: &GradientAlign, data: &Data, model: &ModelInfo) -> String {
    let t = &spec.training;
    let short = |hash: &str| hash.chars().take(12).collect::<String>();
    let weights = model.files.iter().find(|file| file.path.extension().is_some_and(|e| e == "safetensors"));
    let state = match t.optimizer {
        Optimizer::AdamW => String::new(),
        _ => format!("(state:{})", t.adafactor_state.name()),
    };
    let further: String = t.further_choices().iter().map(|choice| format!("|{choice}")).collect();
    let names: Vec<&str> = spec.estimators.iter().map(|estimator| estimator.name()).collect();
    [
        format!("fsa:{}", env!("CARGO_PKG_VERSION")),
        format!("model:{}", weights.map_or_else(|| "none".to_string(), |file| short(&file.sha256))),
        format!("task:{}", data.task.name()),
        format!("train:{}", short(&data.train.sha256)),
        format!("n:{}", data.train.len()),
        format!("probe:{}:{}x{}", spec.probe_split.name(), spec.probe_batches, t.batch_size),
        format!("estimand:{}{}", spec.estimand.name(), adapter_signature(data)),
        format!("estimators:{}", names.join("+")),
        format!("shuffles:{}", spec.shuffles),
        format!("probe-dropout:{}", if spec.probe_dropout { "on" } else { "off" }),
        format!("opt:{}{state}", t.optimizer.name()),
        format!("lr:{}", t.lr),
        format!("warmup:{}", t.warmup_steps),
        format!("wd:{}", t.weight_decay),
        format!("batch:{}", t.batch_size),
        format!("dropout:{}", t.dropout),
        format!("smoothing:{}:{}", t.smoothing.name(), t.label_smoothing),
        format!("z-loss:{}{further}", t.z_loss),
        format!("seed:{}", spec.seed),
        "dtype:f32".to_string(),
        format!("threads:{}", spec.threads),
    ]
    .join("|")
}
