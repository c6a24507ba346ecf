//! ROUGE-2 as Google's `rouge_score` 0.1.2 computes it, without its stemmer (Lin 2004).
//!
//! A text is lower-cased and every run of characters outside `[a-z0-9]` separates tokens; so letters with accents do too.

use std::collections::HashMap;

/// The name and version of the package whose scores these are; part of the signature.
pub const REFERENCE: &str = "rouge_score-0.1.2";

/// ROUGE-2 F1 of one summary, from 0 to 1: the harmonic mean of the shares of its bigrams and of the reference's that they
/// have in common, a bigram counted as often as it occurs in both. 0 where either has fewer than two tokens.
pub fn rouge2(hypothesis: &str, reference: &str) -> f64 {
    let (hypothesis, reference) = (hypothesis.to_lowercase(), reference.to_lowercase());
    let (ours, theirs) = (bigrams(&hypothesis), bigrams(&reference));
    let common: u64 = ours.iter().map(|(bigram, count)| *count.min(theirs.get(bigram).unwrap_or(&0))).sum();
    if common == 0 {
        return 0.0;
    }
    // 2pr / (p + r), with p = common / ours and r = common / theirs.
    2.0 * common as f64 / (ours.values().sum::<u64>() + theirs.values().sum::<u64>()) as f64
}

/// The corpus score, from 0 to 100: the mean of the summaries' F1 × 100. None of no summary.
pub fn corpus(scores: &[f64]) -> Option<f64> {
    (!scores.is_empty()).then(|| 100.0 * scores.iter().sum::<f64>() / scores.len() as f64)
}

/// The signature of a score.
pub fn signature() -> String {
    format!("rouge:2|measure:f1|stem:no|aggregate:mean|version:{REFERENCE}")
}

/// How often each bigram of the lower-cased `text` occurs.
fn bigrams(text: &str) -> HashMap<(&str, &str), u64> {
    let separator = |character: char| !matches!(character, 'a'..='z' | '0'..='9');
    let tokens: Vec<&str> = text.split(separator).filter(|token| !token.is_empty()).collect();
    let mut counts = HashMap::new();
    for pair in tokens.windows(2) {
        *counts.entry((pair[0], pair[1])).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f1_of_clipped_bigrams() {
        // Bigrams of the hypothesis: the cat (2), cat the, cat sat; of the reference: the cat, cat sat, sat down.
        assert_eq!(rouge2("the cat the cat sat", "The cat sat down."), 2.0 * 2.0 / 7.0);
        assert_eq!(rouge2("naïve-plan", "na ve plan"), 1.0);
        assert_eq!(rouge2("one", "one"), 0.0);
        assert_eq!(rouge2("", ""), 0.0);
    }

    #[test]
    fn the_corpus_score_is_the_mean_in_percent_and_missing_without_texts() {
        assert_eq!(corpus(&[1.0, 0.5, 0.0]), Some(50.0));
        assert_eq!(corpus(&[]), None);
    }
}
