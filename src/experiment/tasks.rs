//! `fsa tasks`: what tasks there are, what one says, and whether a user's own description and files are sound.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::data::{FewShot, Hub, Layout, Metric, MiniSplit, Origin, Reading, Split, Splits, Task, source};
use crate::error::{Error, Result};
use crate::hub::Progress;
use crate::spec::Seeds;

/// What a description says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Described {
    /// The task's name.
    pub name: String,
    /// The template, with columns in braces.
    pub template: String,
    /// The metric's name; none for free text whose description does not say.
    pub metric: Option<&'static str>,
    /// The label words; none for free text.
    pub labels: Option<Vec<String>>,
    /// The template's columns and what files call each.
    pub columns: BTreeMap<String, Vec<String>>,
    /// What files call the target.
    pub target: Vec<String>,
    /// What files call the list of further answers.
    pub references: Vec<String>,
    /// How its prompts begin.
    pub prefix: Option<String>,
    /// The language its outputs should be in.
    pub language: Option<String>,
    /// The most tokens of a source, where articles are cut.
    pub max_source_tokens: Option<usize>,
    /// Its own files.
    pub splits: Splits<PathBuf>,
    /// Where its data are on the hub.
    pub hub: Option<Hub>,
}

impl Described {
    fn of(task: &Task) -> Self {
        Self {
            name: task.name().to_string(),
            template: task.template().to_string(),
            metric: task.metric().map(Metric::name),
            labels: task.labels().map(|labels| labels.words().to_vec()),
            columns: task.columns().clone(),
            target: task.target_columns().to_vec(),
            references: task.reference_columns().to_vec(),
            prefix: task.prefix().map(String::from),
            language: task.language().map(String::from),
            max_source_tokens: task.max_source_tokens(),
            splits: task.splits().clone(),
            hub: task.hub().cloned(),
        }
    }
}

/// The tasks that come with fsa.
pub fn list() -> Result<Vec<Described>> {
    Task::names().map(|name| Task::named(name).map(|task| Described::of(&task))).collect()
}

/// One description.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// What it says.
    #[serde(flatten)]
    pub described: Described,
    /// Its text.
    pub toml: String,
}

/// The task of this name, or the description at this path.
pub fn show(name_or_path: &str) -> Result<Shown> {
    Ok(Shown { described: Described::of(&resolve(name_or_path, "NAME")?), toml: Task::description(name_or_path)? })
}

/// The task; where a name is not known, the error says in which argument.
fn resolve(name_or_path: &str, argument: &str) -> Result<Task> {
    let task = Task::resolve(name_or_path);
    match name_or_path.ends_with(".toml") {
        true => task,
        false => task.map_err(|error| error.flag(argument)),
    }
}

/// What to validate.
#[derive(Debug, Clone)]
pub struct Validate {
    /// The description's file, or a built-in task's name.
    pub task: String,
    /// The file whose examples are shown; without it the evaluation split of the description.
    pub data: Option<PathBuf>,
    /// Rows to read of each file, at most.
    pub sample: Option<usize>,
    /// Shots per prompt.
    pub shots: usize,
    /// Prompts to show, at most.
    pub n: usize,
    /// Root seed of the shots and the sample.
    pub seed: u64,
    /// How prompts are put together.
    pub layout: Layout,
}

/// What was found sound.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Validated {
    /// The description.
    pub task: Described,
    /// Every file that was read.
    pub files: Vec<File>,
    /// The first prompts.
    pub prompts: Vec<Rendered>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct File {
    /// Which split it is, or `data`.
    pub split: &'static str,
    /// Where it is.
    pub path: PathBuf,
    /// Its examples.
    pub examples: usize,
    /// Rows left out because the task drops their target.
    pub dropped: usize,
    /// Its rows, whether they were read or not.
    pub rows: u64,
    /// Where on the hub it is from.
    pub origin: Option<Origin>,
}

impl File {
    /// Whether only some of its rows were read.
    pub fn is_sample(&self) -> bool {
        ((self.examples + self.dropped) as u64) < self.rows
    }
}

/// A prompt and what should be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rendered {
    /// The example's row in its file, from 0.
    pub row: usize,
    /// The rows of its shots in the training split.
    pub shots: Vec<usize>,
    /// What the model reads, with articles uncut: there is no tokenizer here.
    pub prompt: String,
    /// Every answer that counts as right, the target first.
    pub references: Vec<String>,
}

/// Reads the description and every file that it names, and renders the first prompts.
///
/// # Errors
/// As reading for a run would: of the description by line, of the files by line and column.
pub fn validate(spec: &Validate, progress: &mut dyn Progress) -> Result<Validated> {
    let task = resolve(&spec.task, "FILE")?;
    let mut splits: Vec<(&'static str, Split)> = Vec::new();
    let seeds = Seeds::new(spec.seed);
    let mut read = |path: &Path, split| {
        source::fetch(&task, path, split, progress)?;
        Reading { task: &task, split, sample: spec.sample, seeds }.read(path)
    };
    for (name, path) in task.splits().iter() {
        splits.push((name, read(path, MiniSplit::named(name).unwrap_or(MiniSplit::Test))?));
    }
    if let Some(path) = &spec.data {
        let data = read(path, source::shown(&task, path)).map_err(|error| error.flag("--data"))?;
        splits.push(("data", data));
    }
    splits.iter().filter_map(|(_, split)| split.warning()).for_each(|warning| progress.warn(&warning));
    let files = splits.iter().map(|(split, read)| File {
        split,
        path: read.path.clone(),
        examples: read.len(),
        dropped: read.dropped,
        rows: read.rows,
        origin: read.origin.clone(),
    });
    let files = files.collect();
    let of = |names: &[&str]| names.iter().find_map(|wanted| splits.iter().find(|(name, _)| name == wanted));
    // Where only one file is given, its examples serve as shots too.
    let train = of(&["train", "data"]).map(|(_, split)| split);
    let prompts = match of(&["data", "test", "validation", "train"]) {
        Some((_, split)) => {
            let few = FewShot { task: &task, train, shots: spec.shots, layout: &spec.layout, seeds };
            rendered(&few, split, spec.n)?
        }
        None if spec.shots > 0 => {
            return Err(Error::input("there are no examples to take shots from")
                .flag("--shots")
                .next("give --data FILE, or name the task's files under [splits]"));
        }
        None => Vec::new(),
    };
    Ok(Validated { task: Described::of(&task), files, prompts })
}

/// The first `n` prompts of `split`, articles uncut.
pub(super) fn rendered(few: &FewShot<'_>, split: &Split, n: usize) -> Result<Vec<Rendered>> {
    let members: Vec<usize> = (0..split.len().min(n)).collect();
    // Without a tokenizer no text has tokens, and so none has too many.
    let prompts = few.prompts(split, &members, |_| Ok(Vec::new()))?.prompts;
    let row = |index: usize| few.train.map_or(index, |train| train.examples[index].row);
    Ok(prompts
        .into_iter()
        .map(|prompt| {
            let example = &split.examples[prompt.example];
            Rendered {
                row: example.row,
                shots: prompt.shots.into_iter().map(row).collect(),
                prompt: prompt.source,
                references: example.references.clone(),
            }
        })
        .collect())
}
