//! What is asked at every probe: prompts with their references, read and tokenised once.

use crate::data::prompt::{FewShot, Layout};
use crate::data::{LabelSet, MiniSplit, Split, Task, Tokenized, batch, cut, source};
use crate::error::{Error, Result};
use crate::experiment::scoring::Metric;
use crate::measure::Language;
use crate::model::T5Config;
use crate::model_folder;
use crate::report::run_info::DataInfo;
use crate::spec::label_ratio::{Evaluation, Source};
use crate::spec::{LabelRatio, Seeds};
use crate::tokenizer::Tokenizer;
use rand::seq::SliceRandom;

/// One example as it is asked.
pub(super) struct Question {
    /// The prompt.
    pub prompt: String,
    /// Its ids, eos included.
    pub source: Vec<u32>,
    /// The example's own source and the fields in it: texts that to repeat is to copy.
    pub inputs: Vec<String>,
    /// Shots in the prompt: (source, answer).
    pub shots: Vec<(String, String)>,
    /// Answers that count as right.
    pub references: Vec<String>,
    /// Row in its file.
    pub row: usize,
}

/// One evaluation.
pub(super) struct Asked {
    pub task: Task,
    pub shots: usize,
    pub questions: Vec<Question>,
    /// The score, and others to be reported beside it.
    pub metrics: Vec<Metric>,
    pub language: Option<Language>,
    info: Vec<DataInfo>,
}

/// Everything that does not depend on weights.
pub(super) struct Data {
    pub target: Asked,
    /// The target's label words; none for free text.
    pub labels: Option<LabelSet>,
    /// Ids that outputs would begin with: each label word, and each behind the sentinel.
    pub label_ids: Vec<Vec<u32>>,
    /// The target's examples as in training: source and true answer, for the loss.
    pub target_tokens: Vec<Tokenized>,
    pub evaluations: Vec<Asked>,
    /// The training split, where fsa trains itself.
    pub train: Option<(Split, Vec<Tokenized>)>,
    pub tokenizer: Tokenizer,
    pub config: T5Config,
    pub warnings: Vec<String>,
}

impl Data {
    /// Reads tasks, data and tokenizer, and makes all prompts.
    pub fn load(spec: &LabelRatio) -> Result<Self> {
        use MiniSplit::{Test, Train, Validation};
        spec.validate()?;
        model_folder::refuse_missing(&spec.model)?;
        let target_task = Task::resolve(&spec.task)?;
        let config = T5Config::read(&spec.model)?;
        let tokenizer = Tokenizer::from_dir(&spec.model)?;
        tokenizer.check_vocab(config.shape.vocab_size)?;
        let labels = target_task.labels().cloned();
        let label_ids = label_ids(labels.as_ref(), &tokenizer)?;
        let mut warnings = Vec::new();
        if labels.is_none() {
            warnings.push(format!(
                "the targets of task `{}` are free text: label ratio and label mass stay empty",
                target_task.name()
            ));
        }

        let mut reader = Reader { spec, tokenizer: &tokenizer, warnings: &mut warnings };
        let train = match spec.source {
            Source::Train { .. } => {
                let split = reader.split(&target_task, &spec.task, &[Train], "--train")?;
                let tokens = batch::tokenize(&split, |text| tokenizer.encode(text))?;
                Some((split, tokens))
            }
            Source::Checkpoints { .. } => None,
        };
        let own = Evaluation { task: spec.task.clone(), shots: 0 };
        // In the format that it was trained on: no shots, no sentinel.
        let (target, target_split) = reader.asked(target_task, &own, &[Validation, Test], false)?;
        let target_tokens = batch::tokenize(&target_split, |text| tokenizer.encode(text))?;
        let mut known = vec![(target.task.name().to_string(), 0)];
        let evaluations = spec
            .eval
            .iter()
            .map(|evaluation| {
                let task = Task::resolve(&evaluation.task).map_err(|error| error.flag("--eval"))?;
                refuse_twice(&mut known, &task, evaluation)?;
                reader.asked(task, evaluation, &[Test, Validation], spec.prompt_sentinel).map(|(asked, _)| asked)
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { target, labels, label_ids, target_tokens, evaluations, train, tokenizer, config, warnings })
    }

    /// For `run.json`.
    pub fn info(&self) -> Vec<DataInfo> {
        let train = self.train.iter().map(|(split, _)| describe(split));
        let mut all: Vec<DataInfo> = train
            .chain(self.target.info.iter().cloned())
            .chain(self.evaluations.iter().flat_map(|asked| asked.info.iter().cloned()))
            .collect();
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|info| seen.insert(info.path.clone()));
        all
    }
}

/// Errors if the rows of `evaluation` would be those of one of the `known` tasks with their shots; the target is the first.
fn refuse_twice(known: &mut Vec<(String, usize)>, task: &Task, evaluation: &Evaluation) -> Result<()> {
    let (name, shots) = (task.name(), evaluation.shots);
    let error = match known.iter().position(|known| (known.0.as_str(), known.1) == (name, shots)) {
        None => {
            known.push((name.to_string(), shots));
            return Ok(());
        }
        Some(0) => {
            Error::input(format!("`{evaluation}` is the target, which every probe evaluates without shots anyway"))
                .next("leave it out, or give it shots")
        }
        Some(_) => {
            Error::input(format!("`{evaluation}`: another evaluation is of a task `{name}` with {shots} shots too"))
                .next("give each task a name of its own")
        }
    };
    Err(error.flag("--eval"))
}

fn describe(split: &Split) -> DataInfo {
    DataInfo { path: split.path.clone(), sha256: split.sha256.clone(), rows: split.len() as u64 }
}

/// The ids of each label word as an output begins with it: alone, and behind `<extra_id_0>`.
fn label_ids(labels: Option<&LabelSet>, tokenizer: &Tokenizer) -> Result<Vec<Vec<u32>>> {
    let sentinel = tokenizer.token_to_id("<extra_id_0>");
    let mut all = Vec::new();
    for word in labels.iter().flat_map(|labels| labels.words()) {
        let mut ids = tokenizer.encode(word)?;
        ids.pop();
        all.extend(sentinel.map(|sentinel| std::iter::once(sentinel).chain(ids.iter().copied()).collect()));
        all.push(ids);
    }
    // An output that begins with `not sure` begins with `not`: counted once.
    let extends = |ids: &Vec<u32>, other: &Vec<u32>| ids.len() > other.len() && ids.starts_with(other);
    let shortest = all.iter().filter(|ids| !all.iter().any(|other| extends(ids, other))).cloned();
    Ok(shortest.collect())
}

/// What reading evaluations takes.
struct Reader<'a> {
    spec: &'a LabelRatio,
    tokenizer: &'a Tokenizer,
    warnings: &'a mut Vec<String>,
}

impl Reader<'_> {
    /// Reads the first of `splits` that there is something for, its articles cut where the task says so; `typed` is the task
    /// as the user named it.
    fn split(&mut self, task: &Task, typed: &str, splits: &[MiniSplit], flag: &str) -> Result<Split> {
        let given = |split: MiniSplit| self.spec.files.get(&format!("{typed}.{}", split.name())).cloned();
        let Some((split, path)) = source::of(task, &self.spec.model, splits, given) else {
            let names: Vec<&str> = splits.iter().map(|split| split.name()).collect();
            return Err(Error::input(format!("task `{typed}` has no file for its {} split", names.join(" or ")))
                .flag(flag)
                .next(format!("give --file {typed}.{}=path/to/file", names.first().copied().unwrap_or("test"))));
        };
        let mut split = source::read(task, &path, split).map_err(|error| error.flag(flag))?;
        let cut = cut::split(task, &mut split, |text| self.tokenizer.encode(text))?;
        if cut > 0 {
            self.warnings.push(format!(
                "{}: the articles of {cut} of {} examples were cut to {} tokens",
                split.path.display(),
                split.len(),
                task.max_source_tokens().unwrap_or_default()
            ));
        }
        Ok(split)
    }

    /// The questions of `evaluation`, with the examples that they are made of.
    fn asked(
        &mut self,
        task: Task,
        evaluation: &Evaluation,
        splits: &[MiniSplit],
        sentinel: bool,
    ) -> Result<(Asked, Split)> {
        let spec = self.spec;
        let typed = &evaluation.task;
        let metrics = Metric::of(&task, &spec.bleu_tokenizer)?;
        let mut split = self.split(&task, typed, splits, "--file")?;
        let seeds = Seeds::new(spec.seed);
        if let Some(limit) = spec.limit.filter(|&limit| limit < split.len()) {
            // The same examples for every run of this seed, in the file's order.
            let mut chosen: Vec<usize> = (0..split.len()).collect();
            chosen.shuffle(&mut seeds.rng(&format!("limit.{}", task.name()), &[]));
            chosen.truncate(limit);
            chosen.sort_unstable();
            split.examples = chosen.into_iter().map(|i| split.examples[i].clone()).collect();
        }
        let train = match evaluation.shots {
            0 => None,
            _ => Some(self.split(&task, typed, &[MiniSplit::Train], "--file")?),
        };
        let layout = Layout { sentinel, ..Layout::default() };
        let few = FewShot { task: &task, train: train.as_ref(), shots: evaluation.shots, layout: &layout, seeds };
        let members: Vec<usize> = (0..split.len()).collect();
        let prompts = few.prompts(&split, &members, |text| self.tokenizer.encode(text))?;
        let questions = prompts
            .prompts
            .into_iter()
            .map(|prompt| {
                let example = &split.examples[prompt.example];
                let mut inputs = vec![example.source.clone()];
                inputs.extend(task.template().fields(&example.source).into_iter().map(String::from));
                let shots = train.iter().flat_map(|train| prompt.shots.iter().map(|&i| &train.examples[i]));
                Ok(Question {
                    source: self.tokenizer.encode(&prompt.source)?,
                    inputs,
                    shots: shots.map(|shot| (shot.source.clone(), shot.target.clone())).collect(),
                    references: example.references.clone(),
                    row: example.row,
                    prompt: prompt.source,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let info = std::iter::once(&split).chain(&train).map(describe).collect();
        let language = task.language().and_then(language);
        Ok((Asked { shots: evaluation.shots, questions, metrics, language, info, task }, split))
    }
}

fn language(code: &str) -> Option<Language> {
    match code {
        "en" => Some(Language::English),
        "de" => Some(Language::German),
        "fr" => Some(Language::French),
        "ro" => Some(Language::Romanian),
        _ => None,
    }
}
