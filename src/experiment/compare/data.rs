//! What a target with a seed is trained on and asked, read and tokenised once.

use super::attach::New;
use super::inputs::Examples;
use crate::data::{MiniSplit, Split, Task, Tokenized, batch};
use crate::error::{Error, Result};
use crate::experiment::asking::{Asked, Asking, Examiner, Labels, Reader, describe};
use crate::experiment::attachment::Attachment;
use crate::model::{self, T5, T5Config};
use crate::model_folder;
use crate::report::run_info::DataInfo;
use crate::spec::Compare;
use crate::spec::compare::Report;
use crate::spec::label_ratio::Evaluation;
use crate::tokenizer::Tokenizer;

/// What all targets and seeds share.
pub(super) struct Base {
    pub tokenizer: Tokenizer,
    pub config: T5Config,
    /// What is merged into the model before anything else.
    pub attachment: Option<Attachment>,
}

impl Base {
    /// Reads what belongs to the model, but for its weights.
    pub fn load(spec: &Compare) -> Result<Self> {
        let model = &spec.model;
        model_folder::refuse_missing(model)?;
        let attachment = Attachment::read(spec.adapter.as_deref())?;
        attachment.as_ref().map_or(Ok(()), Attachment::refuse_prompt)?;
        let config = T5Config::read(model)?;
        let tokenizer = Tokenizer::from_dir(model)?;
        tokenizer.check_vocab(config.shape.vocab_size)?;
        Ok(Self { tokenizer, config, attachment })
    }

    /// `model`, as its folder has it, with what is merged into it.
    pub fn merged(&self, model: T5) -> Result<T5> {
        self.attachment.as_ref().map_or(Ok(None), |it| it.merge(&model).map(Some)).map(|with| with.unwrap_or(model))
    }

    /// The model that all methods begin with.
    pub fn model(&self, spec: &Compare) -> Result<T5> {
        self.merged(model::load(&spec.model)?.0)
    }
}

/// A fine-tuned task under one seed.
pub(super) struct Target {
    /// Its name as rows have it.
    pub name: String,
    pub task: Task,
    pub seed: u64,
    pub train: Split,
    pub train_tokens: Vec<Tokenized>,
    pub labels: Labels,
    /// What checkpoints are chosen by.
    pub choose: Asked,
    /// What is reported; the same where the spec says so.
    pub report: Option<Asked>,
    /// In-context evaluations, the target not among them.
    pub evaluations: Vec<Asked>,
}

impl Target {
    /// Reads the task `typed` and everything that is asked of models fine-tuned on it.
    pub fn load(spec: &Compare, base: &Base, typed: &str, seed: u64, warnings: &mut Vec<String>) -> Result<Self> {
        use MiniSplit::{Test, Train, Validation};
        let task = Task::resolve(typed).map_err(|error| error.flag("--target"))?;
        let labels = Labels::of(&task, &base.tokenizer)?;
        let asking = Asking {
            model: &spec.model,
            files: &spec.files,
            limit: spec.limit,
            sample: spec.sample,
            bleu_tokenizer: &spec.bleu_tokenizer,
            seed,
        };
        let mut reader = Reader { asking, tokenizer: &base.tokenizer, warnings };
        let train = reader.split(&task, typed, &[Train], "--file")?;
        let train_tokens = batch::tokenize(&train, |text| base.tokenizer.encode(text))?;
        let own = Evaluation { task: typed.to_string(), shots: spec.target_shots };
        // In the format that it was trained on: no sentinel.
        let mut ask = |splits: &[MiniSplit]| -> Result<Asked> {
            reader.asked(Task::resolve(typed)?, &own, splits, false).map(|(asked, _)| asked)
        };
        let choose = ask(&[Validation, Test])?;
        let report = match spec.report {
            Report::Validation => None,
            Report::Test => Some(ask(&[Test, Validation])?),
        };
        let mut evaluations: Vec<Asked> = Vec::new();
        for evaluation in spec.eval.iter().filter(|evaluation| evaluation.task != typed) {
            let other = Task::resolve(&evaluation.task).map_err(|error| error.flag("--eval"))?;
            let twice = |asked: &Asked| (asked.task.name(), asked.shots) == (other.name(), evaluation.shots);
            if other.name() == task.name() || evaluations.iter().any(twice) {
                return Err(Error::input(format!("`{evaluation}`: another task has the name `{}` too", other.name()))
                    .flag("--eval")
                    .next("give each task a name of its own"));
            }
            evaluations.push(reader.asked(other, evaluation, &[Test, Validation], spec.prompt_sentinel)?.0);
        }
        let name = task.name().to_string();
        Ok(Self { name, task, seed, train, train_tokens, labels, choose, report, evaluations })
    }

    /// Who asks models of this target, with the ids of a soft prompt before each source.
    pub fn examiner<'a>(&'a self, spec: &'a Compare, base: &'a Base, prefix: &'a [u32]) -> Examiner<'a> {
        Examiner { tokenizer: &base.tokenizer, labels: &self.labels, decoding: &spec.decoding, seed: self.seed, prefix }
    }

    /// What it is trained on, behind the ids of a soft prompt.
    pub fn training(&self, prefix: &[u32]) -> Examples<'_> {
        Examples { name: &self.name, split: &self.train, tokens: &self.train_tokens, prefix: prefix.to_vec() }
    }

    /// What is attached anew for it is made of this.
    pub fn attachments<'a>(&'a self, spec: &'a Compare, base: &'a Base) -> New<'a> {
        New { prompt: &spec.prompt, lora: &spec.lora, task: &self.task, tokenizer: &base.tokenizer }
    }

    /// Whether the label words of `asked` overlap the target's.
    pub fn is_matched(&self, asked: &Asked) -> bool {
        let words = |task: &Task| task.labels().map(|labels| labels.words().to_vec()).unwrap_or_default();
        let own = words(&self.task);
        words(&asked.task).iter().any(|word| own.contains(word))
    }

    /// For `run.json`.
    pub fn info(&self) -> Vec<DataInfo> {
        let asked = std::iter::once(&self.choose).chain(&self.report).chain(&self.evaluations);
        std::iter::once(describe(&self.train)).chain(asked.flat_map(|asked| asked.info.iter().cloned())).collect()
    }
}
