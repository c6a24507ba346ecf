//! What gradient-align needs before its first step: data, tokens, probe batches, losses, model; checked in the order of cost.

use std::path::{Path, PathBuf};

use super::asking::describe;
use super::attachment::{Attachment, attached};
use super::checkpoints;
use super::compare::{Examples, Inputs, New, attach, behind_shot, prompt_file, prompt_signature};
use super::estimate;
use crate::data::{MiniSplit, Reading, Split, Task, Tokenized, batch, cut, labels, order};
use crate::error::{Error, Result};
use crate::grad::{Losses, Targets};
use crate::model::given::other_bases;
use crate::model::peft::Adapter;
use crate::model::prompt;
use crate::model::{self, LoadReport, Param, T5, T5Config, Whole};
use crate::model_folder;
use crate::report::run_info::{DataInfo, HashedFile, ModelInfo, hash_bytes, sha256};
use crate::spec::align_methods::{STANDARD, Stages};
use crate::spec::compare::{Mix, StageTraining};
use crate::spec::method::{Attached, Method, Stage};
use crate::spec::{Estimand, Estimator, GradientAlign, Optimizer, ProbeSplit, Seeds, Training};
use crate::tokenizer::Tokenizer;

/// The data side of a run.
pub(super) struct Data {
    pub task: Task,
    pub train: Split,
    train_tokens: Vec<Tokenized>,
    dev: Option<Split>,
    /// The examples of the probed split; those that are probed stand behind the soft prompt and their shot.
    probe_tokens: Vec<Tokenized>,
    pub losses: Losses,
    /// Examples of each probe batch.
    pub probes: Vec<Vec<usize>>,
    pub config: T5Config,
    tokenizer: Tokenizer,
    pub warnings: Vec<String>,
    /// What an earlier stage has trained.
    pub attachment: Option<Attachment>,
    /// The files that it was read from, or those that a new soft prompt starts from.
    pub adapter_files: Vec<HashedFile>,
    /// The method whose last stage this is.
    pub method: Method,
    /// What new attachments take.
    stages: Option<Stages>,
    /// Ids of the soft prompt before every source.
    prefix: Vec<u32>,
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
        let seeds = Seeds::new(spec.seed);
        let read = |path, split, flag| {
            let reading = Reading { task: &task, split, sample: spec.sample, seeds };
            reading.read(path).map_err(|error| error.flag(flag))
        };
        let mut train = read(&spec.train, MiniSplit::Train, "--train")?;
        let mut dev = spec.dev.as_ref().map(|path| read(path, MiniSplit::Validation, "--dev")).transpose()?;
        model_folder::refuse_missing(&spec.model)?;
        let config = T5Config::read(&spec.model)?;
        let tokenizer = Tokenizer::from_dir(&spec.model)?;
        tokenizer.check_vocab(config.shape.vocab_size)?;
        let mut warnings = other_bases(spec.adapter.as_deref(), &spec.model);
        for split in std::iter::once(&mut train).chain(&mut dev) {
            let cut = cut::split(&task, split, |text| tokenizer.encode(text))?;
            warnings.extend(warnings_of(split, &task, cut));
        }
        let attachment = Attachment::read(spec.adapter.as_deref())?;
        let adapter = attachment.as_ref().map(Attachment::adapter);
        let method = method(spec, adapter)?;
        let stages = spec.stages.clone();
        let adapter_files = match (&attachment, &stages) {
            (Some(attachment), _) => attachment.files.clone(),
            (None, Some(stages)) if method.attached() == Attached::Prompt => {
                prompt_file(&stages.prompt)?.into_iter().collect()
            }
            _ => Vec::new(),
        };
        let prompt_rows = match (adapter, &stages) {
            (Some(Adapter::Prompt(rows)), _) => rows.dim(0)?,
            (None, Some(stages)) if is_prompt(method.attached()) => stages.prompt.length,
            _ => 0,
        };
        let prefix: Vec<u32> = prompt::virtual_tokens(0, prompt_rows).collect();
        let tokenize = |split: &Split| batch::tokenize(split, |text| tokenizer.encode(text));
        let train_tokens = tokenize(&train)?;

        let (probe_split, mut probe_tokens) = match (spec.probe_split, &dev) {
            (ProbeSplit::Validation, Some(split)) => (split, tokenize(split)?),
            // invariant: the spec's validation asks for --dev with the other split
            _ => (&train, train_tokens.clone()),
        };
        let targets = match (task.labels(), probe_split.labels()) {
            (Some(set), Some(labels)) => Targets::Closed {
                classes: set.words().iter().map(|word| tokenizer.encode(word)).collect::<Result<_>>()?,
                labels,
            },
            _ => Targets::Free,
        };
        let mut probes = order::probe_batches(probe_split.len(), spec.training.batch_size, spec.probe_batches, &seeds)?;
        for &i in probes.iter().flatten() {
            let own = &mut probe_tokens[i].source;
            if method.shots > 0 {
                // The same one at every probe: what moves is the model.
                let mut rng = seeds.rng(&format!("probe.shots.{}", task.name()), &[i as u64]);
                *own = tokenizer.encode(&behind_shot(&train, &probe_split.examples[i].source, &mut rng)?)?;
            }
            own.splice(..0, prefix.iter().copied());
        }
        if spec.estimand == Estimand::Summed {
            probes = vec![probes.concat()];
        }
        let losses = Losses::new(targets, &spec.estimators, spec.shuffles, seeds);
        Ok(Self {
            task,
            train,
            train_tokens,
            dev,
            probe_tokens,
            losses,
            probes,
            config,
            tokenizer,
            warnings,
            attachment,
            adapter_files,
            method,
            stages,
            prefix,
        })
    }

    /// Probe batch `number` with its K losses.
    pub fn probe(&self, number: usize) -> Result<Whole<'_>> {
        self.part_of_probe(number, self.probes[number].len())
    }

    /// The first `examples` of it.
    pub fn part_of_probe(&self, number: usize, examples: usize) -> Result<Whole<'_>> {
        self.losses.batch(&self.probe_tokens, number as u64, &self.probes[number][..examples])
    }

    /// Puts probed examples behind the soft prompt `prefix` in place of the one that they stand behind.
    pub fn stand_behind(&mut self, prefix: Vec<u32>) {
        for &i in self.probes.iter().flatten() {
            self.probe_tokens[i].source.splice(..self.prefix.len(), prefix.iter().copied());
        }
        self.prefix = prefix;
    }

    /// Errors if what is probed has ids that `model` does not have.
    pub fn fits(&self, model: &T5) -> Result<()> {
        self.tokenizer.check_vocab(model.config().shape.vocab_size)
    }

    /// The stage that is probed, and its number, from 1.
    pub fn stage(&self) -> Option<(&'static Stage, u32)> {
        self.method.stages().last().map(|stage| (stage, self.method.stages().len() as u32))
    }

    /// `model` with what is attached to it: what an earlier stage has trained, or something new.
    pub fn attach(&self, model: T5, seeds: Seeds) -> Result<T5> {
        let what = self.method.attached();
        match (&self.attachment, &self.stages) {
            (None, Some(Stages { prompt, lora, .. })) if what != Attached::Nothing => {
                attach(&model, what, New { prompt, lora, task: &self.task, tokenizer: &self.tokenizer }, seeds)
            }
            (attachment, _) => attached(model, attachment.as_ref()),
        }
    }

    /// How the stage is trained. Of a model with something attached, the method says what is trained, unless the user has.
    pub fn training(&self, spec: &GradientAlign) -> Result<StageTraining> {
        let mut last = spec.last_stage()?;
        if let Some((stage, _)) = self.stage()
            && stage.attached != Attached::Nothing
            && last.training.trains_everything()
        {
            last.training.trainable = stage.trained.patterns().to_string();
        }
        Ok(last)
    }

    /// The batches that it is trained on.
    pub fn inputs(&self, training: &Training, seeds: Seeds) -> Result<Inputs<'_>> {
        let (name, prefix) = (self.task.name(), self.prefix.clone());
        let of = Examples { name, split: &self.train, tokens: &self.train_tokens, prefix };
        Inputs::new(&self.tokenizer, vec![of], self.method.shots, Mix::Equal, training, seeds)
    }

    /// For `run.json`.
    pub fn info(&self) -> Vec<DataInfo> {
        let splits = [&self.train].into_iter().chain(&self.dev);
        splits.map(describe).collect()
    }

    /// Source tokens of a batch in the mean, for the memory estimate.
    pub fn source_tokens(&self, batch_size: usize) -> usize {
        let of = |tokens: &Tokenized| self.prefix.len() + (1 + self.method.shots) * tokens.source.len();
        estimate::mean_tokens(self.train_tokens.iter().map(of), batch_size)
    }
}

/// The method whose last stage `spec` is; where it names none, what is attached says it.
fn method(spec: &GradientAlign, adapter: Option<&Adapter>) -> Result<Method> {
    let found = match adapter {
        None => STANDARD,
        Some(Adapter::Prompt(_)) => "promot",
        Some(Adapter::Lora(..)) => "promot-lora",
    };
    let found = Method::named(found)?;
    match spec.method.first() {
        None => Ok(found),
        Some(method) if adapter.is_none() || method.attached() == found.attached() => Ok(*method),
        Some(method) => Err(Error::input(format!("it is not what the first stage of `{}` trains", method.name()))
            .at(spec.adapter.as_deref().unwrap_or(Path::new("")))
            .flag("--adapter")
            .next(format!("give --method {}, or another adapter", found.name()))),
    }
}

fn is_prompt(attached: Attached) -> bool {
    matches!(attached, Attached::Prompt | Attached::RandomPrompt)
}

/// What a split gives reason to warn of.
fn warnings_of(split: &Split, task: &Task, cut: usize) -> Vec<String> {
    let mut warnings: Vec<String> = split.warning().into_iter().collect();
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
        // By the model's name where it has one: where a cache lies is nobody's business.
        let path = dir.join(name);
        match model_folder::embedded(dir, name) {
            Some(bytes) => Ok(hash_bytes(&path, bytes)),
            None => Ok(HashedFile { sha256: sha256(&model_folder::on_disk(dir).join(name))?, path }),
        }
    };
    let files = files.iter().map(hashed).collect::<Result<Vec<HashedFile>>>()?;
    let params = model.params().count() as u64;
    let info = ModelInfo {
        path: dir.to_path_buf(),
        files,
        params,
        note: model_folder::note(dir).map(String::from),
        commit: model_folder::commit(dir),
    };
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

/// What is attached, and the method where it is another than that says; nothing for most runs.
fn method_signature(spec: &GradientAlign, data: &Data) -> Result<String> {
    let mut parts: Vec<String> = spec.method.iter().map(|method| format!("method:{}", method.name())).collect();
    parts.extend(data.attachment.as_ref().map(Attachment::signature));
    if let (None, Some(stages)) = (&data.attachment, &data.stages) {
        parts.extend(match data.method.attached() {
            Attached::Nothing => None,
            Attached::Prompt => Some(prompt_signature(&stages.prompt)?),
            Attached::RandomPrompt => Some(format!("prompt:{}xrandom", stages.prompt.length)),
            Attached::Lora => Some(stages.lora.signature()),
        });
    }
    Ok(parts.iter().map(|part| format!("|{part}")).collect())
}

/// One line that goes with every number of the run: what it depends on, named as sacreBLEU names its own.
/// `series` are the files of the checkpoints, where fsa does not train itself.
pub(super) fn signature(spec: &GradientAlign, data: &Data, model: &ModelInfo, series: &[HashedFile]) -> Result<String> {
    // What is trained follows from the method, unless the user has said it.
    let last = spec.last_stage()?;
    let t = &Training { trainable: spec.training.trainable.clone(), ..last.training };
    let state = match t.optimizer {
        Optimizer::AdamW => String::new(),
        _ => format!("(state:{})", t.adafactor_state.name()),
    };
    let further: String = t.further_choices().iter().map(|choice| format!("|{choice}")).collect();
    let trained = match spec.checkpoints {
        Some(_) => checkpoints::signature(series),
        None => {
            format!("opt:{}{state}|lr:{}|warmup:{}|wd:{}", t.optimizer.name(), t.lr, t.warmup_steps, t.weight_decay)
        }
    };
    let names: Vec<&str> = spec.estimators.iter().map(|estimator| estimator.name()).collect();
    let probed = data.dev.as_ref().filter(|_| spec.probe_split == ProbeSplit::Validation);
    let dev = probed.map(|dev| format!("dev:{}|", describe(dev).signature())).unwrap_or_default();
    let parts = [
        format!("fsa:{}", env!("CARGO_PKG_VERSION")),
        format!("model:{}", model.weights()),
        format!("task:{}", data.task.name()),
        format!("train:{}", describe(&data.train).signature()),
        format!("n:{}", data.train.len()),
        format!("{dev}probe:{}:{}x{}", spec.probe_split.name(), spec.probe_batches, t.batch_size),
        format!("estimand:{}{}", spec.estimand.name(), method_signature(spec, data)?),
        format!("estimators:{}", names.join("+")),
        format!("shuffles:{}", spec.shuffles),
        format!("probe-dropout:{}", if spec.probe_dropout { "on" } else { "off" }),
        trained,
        format!("batch:{}", t.batch_size),
        format!("dropout:{}", t.dropout),
        format!("smoothing:{}:{}", t.smoothing.name(), t.label_smoothing),
        format!("z-loss:{}{further}", t.z_loss),
        format!("seed:{}", spec.seed),
        "dtype:f32".to_string(),
        format!("threads:{}", spec.threads),
    ];
    Ok(parts.join("|"))
}
