//! Corpus BLEU as sacreBLEU 2.x computes it (Papineni et al. 2002; Post 2018, "A call for clarity in reporting BLEU scores").
//!
//! Mixed case, orders 1 to 4, smoothing `exp`, closest reference length, effective order off. A segment becomes ten
//! integers, a corpus is their sum, and a score is arithmetic on the sum: that is what makes a bootstrap cheap.

mod categories;
mod tokenize;

use std::collections::HashMap;
use std::iter::Sum;
use std::ops::AddAssign;

pub use tokenize::Tokenizer;

/// The highest n-gram order.
pub const MAX_ORDER: usize = 4;

/// The sacreBLEU version whose scores these are; part of every signature.
pub const SACREBLEU_VERSION: &str = "2.6.0";

/// What a segment, or a whole corpus, gives to the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Tokens of the hypothesis.
    pub hypothesis_length: u64,
    /// Tokens of the reference whose length is closest to the hypothesis's, the shorter one of two equally close.
    pub reference_length: u64,
    /// Per order 1 to 4: n-grams of the hypothesis that a reference has, each counted at most as often as in the reference
    /// that has it most often.
    pub matches: [u64; MAX_ORDER],
    /// Per order 1 to 4: n-grams of the hypothesis.
    pub totals: [u64; MAX_ORDER],
}

/// A corpus score and its parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bleu {
    /// From 0 to 100.
    pub score: f64,
    /// Per order, smoothed, from 0 to 100; 0 from the first order on that no hypothesis is long enough for.
    pub precisions: [f64; MAX_ORDER],
    /// From 0 to 1.
    pub brevity_penalty: f64,
}

impl Statistics {
    /// Of one `hypothesis` against its `references`. Without a reference nothing matches, and its length is 0.
    pub fn of(hypothesis: &str, references: &[impl AsRef<str>], tokenizer: Tokenizer) -> Self {
        let hypothesis = tokenizer.tokenize(hypothesis);
        let references: Vec<String> = references.iter().map(|text| tokenizer.tokenize(text.as_ref())).collect();
        let mut vocabulary = HashMap::new();
        let hypothesis = ids(&hypothesis, &mut vocabulary);
        let references: Vec<Vec<u32>> = references.iter().map(|text| ids(text, &mut vocabulary)).collect();

        let mut allowed: HashMap<NGram, u64> = HashMap::new();
        for reference in &references {
            for (ngram, count) in ngrams(reference) {
                let most = allowed.entry(ngram).or_default();
                *most = count.max(*most);
            }
        }
        let length = hypothesis.len();
        let closest = references.iter().map(Vec::len).min_by_key(|&other| (length.abs_diff(other), other));
        let mut statistics =
            Self { hypothesis_length: length as u64, reference_length: closest.unwrap_or(0) as u64, ..Self::default() };
        for (ngram, count) in ngrams(&hypothesis) {
            let order = ngram.iter().filter(|&&id| id != NOTHING).count() - 1;
            statistics.totals[order] += count;
            statistics.matches[order] += count.min(allowed.get(&ngram).copied().unwrap_or(0));
        }
        statistics
    }

    /// The score of a corpus whose segments sum up to this.
    pub fn score(&self) -> Bleu {
        let (hypothesis, reference) = (self.hypothesis_length as f64, self.reference_length as f64);
        let brevity_penalty = match self.hypothesis_length < self.reference_length {
            true if self.hypothesis_length == 0 => 0.0,
            true => (1.0 - reference / hypothesis).exp(),
            false => 1.0,
        };
        let mut precisions = [0.0; MAX_ORDER];
        if self.matches.iter().all(|&matches| matches == 0) {
            return Bleu { score: 0.0, precisions, brevity_penalty };
        }
        // Chen and Cherry (2014), method 3, as NIST does it: the k-th order without a match counts 1 / 2^k.
        let mut smoothing = 1.0;
        for (precision, (&matches, &total)) in precisions.iter_mut().zip(self.matches.iter().zip(&self.totals)) {
            if total == 0 {
                break;
            }
            *precision = match matches {
                0 => {
                    smoothing *= 2.0;
                    100.0 / (smoothing * total as f64)
                }
                _ => 100.0 * matches as f64 / total as f64,
            };
        }
        // The logarithm of a precision of zero is -∞, and the score 0.
        let mean = precisions.iter().map(|precision| precision.ln()).sum::<f64>() / MAX_ORDER as f64;
        Bleu { score: brevity_penalty * mean.exp(), precisions, brevity_penalty }
    }
}

impl AddAssign for Statistics {
    fn add_assign(&mut self, other: Self) {
        self.hypothesis_length += other.hypothesis_length;
        self.reference_length += other.reference_length;
        self.matches.iter_mut().zip(other.matches).for_each(|(sum, value)| *sum += value);
        self.totals.iter_mut().zip(other.totals).for_each(|(sum, value)| *sum += value);
    }
}

impl Sum for Statistics {
    fn sum<I: Iterator<Item = Self>>(segments: I) -> Self {
        segments.fold(Self::default(), |mut sum, segment| {
            sum += segment;
            sum
        })
    }
}

/// sacreBLEU's signature of a score with `references` references a segment.
pub fn signature(tokenizer: Tokenizer, references: usize) -> String {
    let tokenizer = tokenizer.name();
    format!("nrefs:{references}|case:mixed|eff:no|tok:{tokenizer}|smooth:exp|version:{SACREBLEU_VERSION}")
}

/// Up to four token ids, filled up with [`NOTHING`].
type NGram = [u32; MAX_ORDER];

/// No token.
const NOTHING: u32 = u32::MAX;

/// The tokens of `text` as numbers, new ones numbered by their place in `vocabulary`.
fn ids<'a>(text: &'a str, vocabulary: &mut HashMap<&'a str, u32>) -> Vec<u32> {
    let tokens = text.split(' ').filter(|token| !token.is_empty());
    tokens
        .map(|token| {
            let next = vocabulary.len() as u32;
            *vocabulary.entry(token).or_insert(next)
        })
        .collect()
}

/// How often each n-gram of orders 1 to 4 occurs.
fn ngrams(ids: &[u32]) -> HashMap<NGram, u64> {
    let mut counts = HashMap::new();
    for order in 1..=MAX_ORDER {
        for window in ids.windows(order) {
            let mut ngram = [NOTHING; MAX_ORDER];
            ngram[..order].copy_from_slice(window);
            *counts.entry(ngram).or_default() += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statistics(hypothesis: &str, references: &[&str]) -> Statistics {
        Statistics::of(hypothesis, references, Tokenizer::V13a)
    }

    #[test]
    fn matches_are_clipped_by_the_reference_that_has_most() {
        let segment = statistics("the the the cat", &["the cat", "the the dog sat"]);
        assert_eq!(segment.matches, [3, 2, 0, 0]);
        assert_eq!(segment.totals, [4, 3, 2, 1]);
        assert_eq!((segment.hypothesis_length, segment.reference_length), (4, 4));
    }

    #[test]
    fn of_two_equally_close_references_the_shorter_counts() {
        assert_eq!(statistics("a b c", &["a b c d", "a b"]).reference_length, 2);
        assert_eq!(statistics("a b c", &[]).reference_length, 0);
    }

    #[test]
    fn orders_without_a_match_are_smoothed_and_nothing_in_common_is_zero() {
        // sacrebleu.corpus_bleu(["a b c d e"], [["a b x d y"]]).score
        let score = statistics("a b c d e", &["a b x d y"]).score();
        assert!((score.precisions[2] - 100.0 / 6.0).abs() < 1e-12 && (score.precisions[3] - 100.0 / 8.0).abs() < 1e-12);
        assert_eq!(statistics("a b c d e", &["v w x y z"]).score().score, 0.0);
        assert_eq!(statistics("", &["v w"]).score(), Bleu { score: 0.0, precisions: [0.0; 4], brevity_penalty: 0.0 });
        // Too short for order 4, and effective order is off.
        assert_eq!(statistics("a b c", &["a b c"]).score().score, 0.0);
    }

    #[test]
    fn the_signature_is_sacrebleus() {
        assert_eq!(
            signature(Tokenizer::V13a, 1),
            format!("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:{SACREBLEU_VERSION}")
        );
    }
}
