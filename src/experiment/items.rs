//! What each output gives to its score: the one place where outputs are held against references, for scores and for tests
//! between two systems.

use super::scoring::Metric;
use crate::measure::bleu::Statistics;
use crate::measure::rouge;

/// Outputs by one metric. ROUGE-2 and accuracy take the first reference.
#[derive(Debug)]
pub(super) enum Items {
    /// Accuracy and exact match: whether each is right. An output whose first word is no label is wrong.
    Right(Vec<bool>),
    /// BLEU's counts.
    Bleu(Vec<Statistics>),
    /// ROUGE-2's F1, from 0 to 1.
    Rouge2(Vec<f64>),
}

impl Items {
    /// Of `outputs`, each with its `references`. An item whose reference is no label has no accuracy and is left out.
    pub fn of(metric: &Metric, outputs: &[String], references: &[Vec<String>]) -> Self {
        let pairs = outputs.iter().zip(references);
        match metric {
            Metric::Bleu(tokenizer) => {
                Self::Bleu(pairs.map(|(output, references)| Statistics::of(output, references, *tokenizer)).collect())
            }
            Metric::Rouge2 => {
                let first = pairs.filter_map(|(output, references)| Some((output, references.first()?)));
                Self::Rouge2(first.map(|(output, reference)| rouge::rouge2(output, reference)).collect())
            }
            Metric::ExactMatch(normaliser) => {
                Self::Right(pairs.map(|(output, aliases)| normaliser.matches(output, aliases)).collect())
            }
            Metric::Accuracy(labels) => {
                let truths = pairs.filter_map(|(output, words)| Some((output, labels.index(words.first()?)?)));
                Self::Right(truths.map(|(output, truth)| labels.first_word(output) == Some(truth)).collect())
            }
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Right(items) => items.len(),
            Self::Bleu(items) => items.len(),
            Self::Rouge2(items) => items.len(),
        }
    }

    /// The name of their bootstrap's stream.
    pub fn stream(&self) -> &'static str {
        match self {
            Self::Right(_) => "right",
            Self::Bleu(_) => "bleu",
            Self::Rouge2(_) => "rouge2",
        }
    }

    /// The corpus score, from 0 to 100, of the `chosen` items, some of them several times; at least one.
    pub fn score(&self, chosen: &[usize]) -> f64 {
        let n = chosen.len() as f64;
        match self {
            Self::Right(items) => 100.0 * (chosen.iter().filter(|&&item| items[item]).count() as f64 / n),
            Self::Bleu(items) => chosen.iter().map(|&item| items[item]).sum::<Statistics>().score().score,
            Self::Rouge2(items) => 100.0 * chosen.iter().map(|&item| items[item]).sum::<f64>() / n,
        }
    }
}
