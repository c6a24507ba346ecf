//! What an inference task gives away without being understood: two baselines that a model must beat.
//!
//! Words are runs of letters and digits, in lower case.

use std::collections::{BTreeMap, BTreeSet};

use super::intervals::Proportion;

/// A premise, a hypothesis and the class that the second has in the light of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inference<'a> {
    /// What is known.
    pub premise: &'a str,
    /// What is claimed.
    pub hypothesis: &'a str,
    /// Its class, from 0.
    pub class: usize,
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// The share of the hypothesis's words that occur in the premise; 0 for a hypothesis without words.
fn overlap(item: &Inference<'_>) -> f64 {
    let premise: BTreeSet<String> = words(item.premise).into_iter().collect();
    Proportion::of(words(item.hypothesis).iter().map(|word| premise.contains(word))).rate().unwrap_or(0.0)
}

/// How many of `test` the overlap of words gets right, where class 0 has at least so much of it (or at most so much): the
/// threshold and the side are those that are right most often on `train`. For two classes.
pub fn word_overlap(train: &[Inference<'_>], test: &[Inference<'_>]) -> Proportion {
    let measured = |items: &[Inference<'_>]| -> Vec<(f64, usize)> {
        items.iter().map(|item| (overlap(item), item.class)).collect()
    };
    let (train, test) = (measured(train), measured(test));
    let right = |items: &[(f64, usize)], threshold: f64, above: usize| {
        Proportion::of(
            items.iter().map(|&(share, class)| (if share >= threshold { above } else { 1 - above }) == class),
        )
    };
    let mut thresholds: Vec<f64> = train.iter().map(|(share, _)| *share).collect();
    thresholds.sort_by(f64::total_cmp);
    thresholds.dedup();
    let choices = thresholds.into_iter().flat_map(|threshold| [(threshold, 0), (threshold, 1)]);
    // The first of the best, so that a tie does not depend on the order of examples.
    let best = choices.fold((0, (0.0, 0)), |best, choice| {
        let hits = right(&train, choice.0, choice.1).hits;
        if hits > best.0 { (hits, choice) } else { best }
    });
    right(&test, best.1.0, best.1.1)
}

/// How many of `test` naive Bayes gets right from the hypothesis alone: its words and pairs of neighbours, counted in `train`
/// with one added to each count. For any number of classes.
pub fn hypothesis_only(train: &[Inference<'_>], test: &[Inference<'_>]) -> Proportion {
    let classes = train.iter().chain(test).map(|item| item.class + 1).max().unwrap_or(0);
    let mut counts: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut totals = vec![0.0; classes];
    let mut items = vec![0.0f64; classes];
    for item in train {
        items[item.class] += 1.0;
        for feature in features(item.hypothesis) {
            counts.entry(feature).or_insert_with(|| vec![0.0; classes])[item.class] += 1.0;
            totals[item.class] += 1.0;
        }
    }
    let known = counts.len() as f64;
    let guess = |item: &Inference<'_>| {
        let seen: Vec<&Vec<f64>> = features(item.hypothesis).iter().filter_map(|feature| counts.get(feature)).collect();
        let score = |class: usize| {
            let likely = |count: &&Vec<f64>| ((count[class] + 1.0) / (totals[class] + known)).ln();
            (items[class] + 1.0).ln() + seen.iter().map(likely).sum::<f64>()
        };
        (0..classes).fold(0, |best, class| if score(class) > score(best) { class } else { best })
    };
    Proportion::of(test.iter().map(|item| guess(item) == item.class))
}

/// Words, and pairs of neighbours.
fn features(text: &str) -> Vec<String> {
    let words = words(text);
    let pairs: Vec<String> = words.windows(2).map(|pair| pair.join(" ")).collect();
    words.into_iter().chain(pairs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(premise: &'static str, hypothesis: &'static str, class: usize) -> Inference<'static> {
        Inference { premise, hypothesis, class }
    }

    #[test]
    fn overlap_finds_the_threshold_and_its_side() {
        let train =
            [item("a b c.", "A b.", 0), item("a b c.", "a b x", 0), item("a b c", "x y", 1), item("a b c", "a x y", 1)];
        assert_eq!(word_overlap(&train, &train), Proportion { hits: 4, items: 4 });
        let turned = train.map(|item| Inference { class: 1 - item.class, ..item });
        assert_eq!(word_overlap(&turned, &turned), Proportion { hits: 4, items: 4 });
        assert_eq!(word_overlap(&train, &turned), Proportion { hits: 0, items: 4 });
    }

    #[test]
    fn a_telling_word_or_pair_is_found_without_the_premise() {
        let train =
            [item("", "it is so", 0), item("", "it is not so", 1), item("", "he is", 0), item("", "he is not", 1)];
        let test = [item("", "she is not", 1), item("", "she is", 0)];
        assert_eq!(hypothesis_only(&train, &test), Proportion { hits: 2, items: 2 });
        // The same words in another order, and a third class.
        let train = [item("", "a b c", 0), item("", "c b a", 1), item("", "b a c", 2)];
        assert_eq!(hypothesis_only(&train, &train), Proportion { hits: 3, items: 3 });
    }

    #[test]
    fn nothing_learned_is_nothing_known() {
        assert_eq!(hypothesis_only(&[], &[]), Proportion::default());
        assert_eq!(word_overlap(&[], &[item("a", "a", 0)]), Proportion { hits: 1, items: 1 });
    }
}
