//! Outputs against references by one metric, with interval and signature: the one place that scores are made.

use serde::Serialize;

use super::items::Items;
use crate::data::metric::Metric as TaskMetric;
use crate::data::{LabelSet, Task};
use crate::error::{Error, Result};
use crate::measure::bleu::{self, MAX_ORDER, Statistics, Tokenizer};
use crate::measure::intervals::{DRAWS, bootstrap};
use crate::measure::{Normaliser, Proportion, rouge};
use crate::spec::Seeds;

/// A metric, with what it needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metric {
    /// Corpus BLEU.
    Bleu(Tokenizer),
    /// Mean ROUGE-2 F1.
    Rouge2,
    /// Exact match. A reference line is the one answer, or a JSON list of all aliases.
    ExactMatch(Normaliser),
    /// The output's first word against the true label word.
    Accuracy(LabelSet),
}

impl Metric {
    /// The score of `task`, and with BLEU's `intl` tokenizer 13a beside it.
    ///
    /// # Errors
    /// If the task has none.
    pub(super) fn of(task: &Task, bleu_tokenizer: &str) -> Result<Vec<Self>> {
        Ok(match task.metric() {
            Some(TaskMetric::Accuracy) => {
                task.labels().map(|labels| Self::Accuracy(labels.clone())).into_iter().collect()
            }
            Some(TaskMetric::EmTrivia) => vec![Self::ExactMatch(Normaliser::TriviaQa)],
            Some(TaskMetric::EmSquad) => vec![Self::ExactMatch(Normaliser::Squad)],
            Some(TaskMetric::Rouge2) => vec![Self::Rouge2],
            Some(TaskMetric::Bleu) if bleu_tokenizer == "intl" => {
                vec![Self::Bleu(Tokenizer::Intl), Self::Bleu(Tokenizer::V13a)]
            }
            Some(TaskMetric::Bleu) => vec![Self::Bleu(Tokenizer::V13a)],
            None => {
                let all = TaskMetric::ALL.map(TaskMetric::name).join(", ");
                return Err(Error::input(format!("task `{}` has no metric", task.name()))
                    .flag("--eval")
                    .next(format!("add `metric = \"…\"` to its description, one of {all}")));
            }
        })
    }

    /// The name in rows: BLEU says which tokenizer.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Accuracy(_) => "accuracy",
            Self::ExactMatch(Normaliser::TriviaQa) => "em-trivia",
            Self::ExactMatch(Normaliser::Squad) => "em-squad",
            Self::Bleu(Tokenizer::V13a) => "bleu-13a",
            Self::Bleu(Tokenizer::Intl) => "bleu-intl",
            Self::Rouge2 => "rouge2",
        }
    }

    /// What has to be known to compare a score of it with another, where each output has so many `references`.
    fn signature(&self, references: usize) -> String {
        match self {
            Self::Bleu(tokenizer) => bleu::signature(*tokenizer, references),
            Self::Rouge2 => rouge::signature(),
            Self::ExactMatch(normaliser) => normaliser.signature(),
            Self::Accuracy(labels) => format!(
                "accuracy|match:first-word|labels:{}|version:fsa-{}",
                labels.words().join(","),
                env!("CARGO_PKG_VERSION")
            ),
        }
    }
}

/// A score.
#[derive(Debug, Serialize)]
pub struct Scored {
    /// From 0 to 100.
    pub score: f64,
    /// Low end of its 95 % interval; none where it cannot be told.
    pub low: Option<f64>,
    /// High end.
    pub high: Option<f64>,
    /// How the interval was made.
    pub interval: Interval,
    /// Number of outputs.
    pub n: usize,
    /// What has to be known to compare the score with another.
    pub signature: String,
    /// BLEU's parts.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub bleu: Option<Parts>,
}

/// How an interval was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interval {
    /// Wilson's, of a proportion.
    Wilson,
    /// Percentiles of draws of outputs.
    Bootstrap {
        /// Number of draws.
        draws: usize,
        /// Root seed.
        seed: u64,
    },
}

/// What BLEU is made of.
#[derive(Debug, Serialize)]
pub struct Parts {
    /// Of orders 1 to 4, in per cent.
    pub precisions: [f64; MAX_ORDER],
    /// From 0 to 1.
    pub brevity_penalty: f64,
    /// Tokens of all outputs.
    pub hypothesis_length: u64,
    /// Tokens of the closest references.
    pub reference_length: u64,
}

/// Scores `outputs` against each one's `references`, of which each has at least one. ROUGE-2 and accuracy take the first.
///
/// # Errors
/// If there is nothing to score.
pub(super) fn score(metric: &Metric, outputs: &[String], references: &[Vec<String>], seeds: Seeds) -> Result<Scored> {
    let items = Items::of(metric, outputs, references);
    let signature = metric.signature(references.first().map_or(1, Vec::len));
    if let Items::Right(hits) = &items {
        return proportion(Proportion::of(hits.iter().copied()), signature);
    }
    let n = items.count();
    if n == 0 {
        return Err(nothing());
    }
    let interval = bootstrap(seeds, items.stream(), n, |draw| items.score(draw));
    Ok(Scored {
        score: items.score(&(0..n).collect::<Vec<_>>()),
        low: interval.map(|ends| ends.0),
        high: interval.map(|ends| ends.1),
        interval: Interval::Bootstrap { draws: DRAWS, seed: seeds.root() },
        n,
        signature,
        bleu: match &items {
            Items::Bleu(segments) => Some(Parts::of(segments)),
            _ => None,
        },
    })
}

impl Parts {
    fn of(segments: &[Statistics]) -> Self {
        let corpus: Statistics = segments.iter().copied().sum();
        let bleu = corpus.score();
        Self {
            precisions: bleu.precisions,
            brevity_penalty: bleu.brevity_penalty,
            hypothesis_length: corpus.hypothesis_length,
            reference_length: corpus.reference_length,
        }
    }
}

fn proportion(proportion: Proportion, signature: String) -> Result<Scored> {
    let (low, high) = proportion.wilson().ok_or_else(nothing)?;
    Ok(Scored {
        score: 100.0 * proportion.rate().ok_or_else(nothing)?,
        low: Some(100.0 * low),
        high: Some(100.0 * high),
        interval: Interval::Wilson,
        n: proportion.items as usize,
        signature,
        bleu: None,
    })
}

/// A file without lines is refused when it is read; this says so should a caller get past that.
fn nothing() -> Error {
    Error::input("there is nothing to score").next("give at least one line")
}
