//! What is asked at every probe, read and tokenised once.

use crate::data::{MiniSplit, Split, Task, Tokenized, batch};
use crate::error::{Error, Result};
use crate::experiment::asking::{Asked, Asking, Labels, Reader, describe};
use crate::experiment::attachment::Attachment;
use crate::model::T5Config;
use crate::model::given::other_bases;
use crate::model::peft::Adapter;
use crate::model_folder;
use crate::report::run_info::DataInfo;
use crate::spec::LabelRatio;
use crate::spec::label_ratio::{Evaluation, Source};
use crate::tokenizer::Tokenizer;

/// Everything that does not depend on weights.
pub(super) struct Data {
    pub target: Asked,
    /// The target's label words.
    pub labels: Labels,
    /// The target's examples as in training: source and true answer, for the loss.
    pub target_tokens: Vec<Tokenized>,
    pub evaluations: Vec<Asked>,
    /// The training split, where fsa trains itself.
    pub train: Option<(Split, Vec<Tokenized>)>,
    /// What goes with the model.
    pub attachment: Option<Attachment>,
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
        let attachment = Attachment::read(spec.adapter.as_deref())?;
        let labels = Labels::of(&target_task, &tokenizer)?;
        let mut warnings = other_bases(spec.adapter.as_deref(), &spec.model);
        if labels.set.is_none() {
            warnings.push(format!(
                "the targets of task `{}` are free text: label ratio and label mass stay empty",
                target_task.name()
            ));
        }

        let mut reader = Reader { asking: Asking::from(spec), tokenizer: &tokenizer, warnings: &mut warnings };
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
        Ok(Self { target, labels, target_tokens, evaluations, train, attachment, tokenizer, config, warnings })
    }

    /// Rows of the soft prompt that goes with the model.
    pub fn prompt_rows(&self) -> Result<usize> {
        match self.attachment.as_ref().map(Attachment::adapter) {
            Some(Adapter::Prompt(rows)) => Ok(rows.dim(0)?),
            _ => Ok(0),
        }
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
