//! What pretraining is measured by: the loss on documents that training never shows, and answers to few-shot prompts of the
//! corpus' tasks.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::stream::tokenize;
use crate::data::corpus::{ASKED, SHOTS};
use crate::data::{Corpus, FewShot, Layout, Task, Tokenized};
use crate::error::{Error, Result};
use crate::experiment::answers::{self, Answered};
use crate::experiment::estimate::{self, spread};
use crate::experiment::scoring::{self, Metric};
use crate::model::T5;
use crate::model::loss::LossOptions;
use crate::report::{PretrainRow, ScoreRow};
use crate::spec::{Decoding, Evaluation, Pretrain, Seeds};
use crate::tokenizer::Tokenizer;

/// Prompts that are decoded at once.
const BATCH: usize = 64;
/// The family of rows that speak of all documents.
const ALL: &str = "all";

/// Documents that training never shows.
pub(super) struct HeldOut {
    tokens: Vec<Tokenized>,
    families: Vec<String>,
}

impl HeldOut {
    /// The first `count` of them.
    pub fn of(corpus: &dyn Corpus, tokenizer: &Tokenizer, count: usize) -> Result<Self> {
        let documents = (0..count as u64).into_par_iter().map(|index| {
            let document = corpus.held_out(index);
            Ok((tokenize(tokenizer, &document, index)?, document.family))
        });
        let (tokens, families) = documents.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        Ok(Self { tokens, families })
    }

    /// Their tokens.
    pub fn tokens(&self) -> &[Tokenized] {
        &self.tokens
    }

    /// A row of all documents, and then one of each family.
    pub fn rows(&self, model: &T5, spec: &Pretrain, step: u64, training_loss: Option<f64>) -> Result<Vec<PretrainRow>> {
        let losses = answers::losses(model, &self.tokens, LossOptions::PLAIN, spec.training.micro_batch_tokens)?;
        let mut rows: BTreeMap<&str, PretrainRow> = BTreeMap::new();
        let row = |family: &str| PretrainRow {
            seed: spec.seed,
            step,
            family: family.to_string(),
            training_loss: training_loss.filter(|_| family == ALL),
            held_out_loss: 0.0,
            documents: 0,
            target_tokens: 0,
        };
        let mut all = row(ALL);
        for (loss, family) in losses.iter().zip(&self.families) {
            for row in [&mut all, rows.entry(family).or_insert_with(|| row(family))] {
                row.held_out_loss += loss.sum;
                row.documents += 1;
                row.target_tokens += loss.tokens as u64;
            }
        }
        let mean = |mut row: PretrainRow| {
            row.held_out_loss /= row.target_tokens.max(1) as f64;
            row
        };
        let rows: Vec<PretrainRow> = std::iter::once(all).chain(rows.into_values()).map(mean).collect();
        if rows.iter().any(|row| !row.held_out_loss.is_finite()) {
            return Err(Error::check(format!("the held-out loss at step {step} is no finite number"))
                .next("lower --lr; the rows so far are complete"));
        }
        Ok(rows)
    }
}

/// The prompts of one task with some number of shots.
pub(super) struct Asked {
    task: Task,
    shots: usize,
    sources: Vec<Vec<u32>>,
    references: Vec<Vec<String>>,
    metrics: Vec<Metric>,
}

impl Asked {
    /// The prompts of `evaluation`, at most `spec.limit`.
    pub fn of(corpus: &dyn Corpus, tokenizer: &Tokenizer, evaluation: &Evaluation, spec: &Pretrain) -> Result<Self> {
        let flag = |error: Error| error.flag("--eval");
        let task = corpus.task(&evaluation.task).map_err(flag)?;
        let metrics = Metric::of(&task, "13a")?;
        let mut split = corpus.split(&evaluation.task, ASKED).map_err(flag)?;
        split.examples.truncate(spec.limit);
        let train = match evaluation.shots {
            0 => None,
            _ => Some(corpus.split(&evaluation.task, SHOTS).map_err(flag)?),
        };
        let layout = Layout::default();
        let seeds = Seeds::new(spec.seed);
        let few = FewShot { task: &task, train: train.as_ref(), shots: evaluation.shots, layout: &layout, seeds };
        let members: Vec<usize> = (0..split.len()).collect();
        let prompts = few.prompts(&split, &members, |text| tokenizer.encode(text))?.prompts;
        let sources = prompts.iter().map(|prompt| tokenizer.encode(&prompt.source)).collect::<Result<_>>()?;
        let references = split.examples.into_iter().map(|example| example.references).collect();
        Ok(Self { task, shots: evaluation.shots, sources, references, metrics })
    }

    /// Number of [`Asked::rows`]'s ticks.
    pub fn ticks(&self) -> u64 {
        self.sources.len().div_ceil(BATCH) as u64
    }

    /// Number of prompts.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Prompts of the largest batch.
    pub fn batch(&self) -> usize {
        self.len().min(BATCH)
    }

    /// Tokens of the first right answer of each prompt.
    pub fn answer_lengths(&self, tokenizer: &Tokenizer) -> Result<Vec<usize>> {
        let first = self.references.iter().filter_map(|references| references.first());
        first.map(|answer| tokenizer.encode(answer).map(|ids| ids.len())).collect()
    }

    /// The answers of `model` to `size` of the prompts, in one batch.
    pub fn answer_some(
        &self,
        model: &T5,
        tokenizer: &Tokenizer,
        decoding: &Decoding,
        size: usize,
    ) -> Result<Vec<Answered>> {
        let sources: Vec<&[u32]> = spread(self.len(), size).map(|i| self.sources[i].as_slice()).collect();
        answers::answers(model, tokenizer, &sources, &self.task.prefixes(), decoding)
    }

    /// Prompts that are asked at once, and their source tokens, at the most.
    pub fn most_at_once(&self) -> (usize, usize) {
        estimate::most_at_once(self.sources.iter().map(Vec::as_slice), BATCH)
    }

    /// Asks `model`; a row for each metric. `tick` is called before each batch.
    pub fn rows(
        &self,
        model: &T5,
        tokenizer: &Tokenizer,
        spec: &Pretrain,
        step: u64,
        tick: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<Vec<ScoreRow>> {
        let prefixes = self.task.prefixes();
        let mut answered: Vec<Answered> = Vec::with_capacity(self.sources.len());
        for batch in self.sources.chunks(BATCH) {
            tick(&format!("{} {}-shot, {} of {}", self.task.name(), self.shots, answered.len(), self.sources.len()))?;
            let sources: Vec<&[u32]> = batch.iter().map(Vec::as_slice).collect();
            answered.extend(answers::answers(model, tokenizer, &sources, &prefixes, &spec.decoding())?);
        }
        let ended = answered.iter().filter(|answered| answered.ended).count() as f64 / answered.len().max(1) as f64;
        let outputs: Vec<String> = answered.into_iter().map(|answered| answered.output).collect();
        let row = |metric: &Metric| {
            let scored = scoring::score(metric, &outputs, &self.references, Seeds::new(spec.seed))?;
            Ok(ScoreRow {
                seed: spec.seed,
                step,
                task: self.task.name().to_string(),
                shots: self.shots as u64,
                n: scored.n as u64,
                score: scored.score,
                score_lo: scored.low,
                score_hi: scored.high,
                metric: metric.name().to_string(),
                ended,
            })
        };
        self.metrics.iter().map(row).collect()
    }
}
