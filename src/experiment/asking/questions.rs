//! Questions: prompts with their references, read and tokenised once.

use std::path::PathBuf;

use super::Asking;
use crate::data::prompt::{FewShot, Layout};
use crate::data::{MiniSplit, Reading, Split, Task, cut, source};
use crate::error::{Error, Result};
use crate::experiment::scoring::Metric;
use crate::measure::Language;
use crate::report::run_info::{DataInfo, DataOrigin, HashedFile};
use crate::spec::Seeds;
use crate::spec::label_ratio::Evaluation;
use crate::tokenizer::Tokenizer;
use rand::seq::SliceRandom;

/// One example as it is asked.
pub(in crate::experiment) struct Question {
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
pub(in crate::experiment) struct Asked {
    pub task: Task,
    pub shots: usize,
    pub questions: Vec<Question>,
    /// The score, and others to be reported beside it.
    pub metrics: Vec<Metric>,
    pub language: Option<Language>,
    /// The files that they are from.
    pub info: Vec<DataInfo>,
}

/// For `run.json`.
pub(in crate::experiment) fn describe(split: &Split) -> DataInfo {
    let hashed = |(path, sha256): &(PathBuf, String)| HashedFile { path: path.clone(), sha256: sha256.clone() };
    DataInfo {
        path: split.path.clone(),
        sha256: split.sha256.clone(),
        rows: split.len() as u64,
        file_rows: Some(split.rows),
        sampled: split.is_sample(),
        files: split.files.iter().map(hashed).collect(),
        origin: split.origin.as_ref().map(|origin| DataOrigin {
            repo: origin.repo.clone(),
            revision: origin.revision.clone(),
            commit: origin.commit.clone(),
        }),
    }
}

/// What reading evaluations takes.
pub(in crate::experiment) struct Reader<'a> {
    pub asking: Asking<'a>,
    pub tokenizer: &'a Tokenizer,
    pub warnings: &'a mut Vec<String>,
}

impl Reader<'_> {
    /// Reads the first of `splits` that there is something for, its articles cut where the task says so; `typed` is the task
    /// as the user named it.
    pub fn split(&mut self, task: &Task, typed: &str, splits: &[MiniSplit], flag: &str) -> Result<Split> {
        let given = |split: MiniSplit| self.asking.files.get(&format!("{typed}.{}", split.name())).cloned();
        let Some((split, path)) = source::of(task, self.asking.model, splits, given) else {
            let names: Vec<&str> = splits.iter().map(|split| split.name()).collect();
            let hub = task.hub().and_then(|hub| {
                let split = names.iter().find(|name| hub.splits.iter().any(|(split, _)| split == **name))?;
                Some(format!(", or --file {typed}.{split}=hub for {} on the hub", hub.id))
            });
            return Err(Error::input(format!("task `{typed}` has no file for its {} split", names.join(" or ")))
                .flag(flag)
                .next(format!(
                    "give --file {typed}.{}=path/to/file{}",
                    names.first().copied().unwrap_or("test"),
                    hub.unwrap_or_default()
                )));
        };
        let reading = Reading { task, split, sample: self.asking.sample, seeds: Seeds::new(self.asking.seed) };
        let mut split = reading.read(&path).map_err(|error| error.flag(flag))?;
        self.warnings.extend(split.warning().filter(|warning| !self.warnings.contains(warning)));
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
    pub fn asked(
        &mut self,
        task: Task,
        evaluation: &Evaluation,
        splits: &[MiniSplit],
        sentinel: bool,
    ) -> Result<(Asked, Split)> {
        let asking = self.asking;
        let typed = &evaluation.task;
        let metrics = Metric::of(&task, asking.bleu_tokenizer)?;
        let mut split = self.split(&task, typed, splits, "--file")?;
        let seeds = Seeds::new(asking.seed);
        if let Some(limit) = asking.limit.filter(|&limit| limit < split.len()) {
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
