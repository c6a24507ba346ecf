//! Two systems on the same items: how far apart their scores are, and how sure that is.

use super::items::Items;
use super::scoring::Metric;
use crate::error::{Error, Result};
use crate::measure::intervals::{mcnemar, paired_bootstrap};
use crate::spec::Seeds;

/// How two systems differ on the same items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedDifference {
    /// Items.
    pub n: usize,
    /// Score of the first minus score of the second, from −100 to 100.
    pub difference: f64,
    /// Lower end of its 95 % bootstrap interval over items; none with fewer than two.
    pub lo: Option<f64>,
    /// Upper end.
    pub hi: Option<f64>,
    /// Two-sided p of no difference; none with fewer than two items.
    pub p: Option<f64>,
    /// Whose p that is.
    pub test: &'static str,
}

/// Compares the outputs of two systems by `metric`: the exact McNemar test where an output is right or wrong, else the paired
/// bootstrap.
///
/// # Errors
/// If there is nothing to compare, or not the same number of outputs and references.
pub fn paired(
    metric: &Metric,
    first: &[String],
    second: &[String],
    references: &[Vec<String>],
    seeds: Seeds,
) -> Result<PairedDifference> {
    if first.len() != references.len() || second.len() != references.len() {
        return Err(Error::input(format!(
            "two systems are compared on the same items, not on {} and {} outputs for {} references",
            first.len(),
            second.len(),
            references.len()
        ))
        .next("give the outputs of one evaluation by both"));
    }
    let (first, second) = (Items::of(metric, first, references), Items::of(metric, second, references));
    let n = first.count();
    if n == 0 {
        return Err(Error::input("there is nothing to compare").next("give at least one output of each"));
    }
    let all: Vec<usize> = (0..n).collect();
    let drawn = paired_bootstrap(seeds, first.stream(), n, |draw| first.score(draw), |draw| second.score(draw));
    let (test, p) = match (&first, &second) {
        (Items::Right(first), Items::Right(second)) => {
            let only =
                |one: &[bool], other: &[bool]| one.iter().zip(other).filter(|&(one, other)| *one && !other).count();
            ("mcnemar", Some(mcnemar(only(first, second) as u64, only(second, first) as u64)))
        }
        _ => ("paired-bootstrap", drawn.map(|drawn| drawn.p)),
    };
    Ok(PairedDifference {
        n,
        difference: first.score(&all) - second.score(&all),
        lo: drawn.map(|drawn| drawn.interval.0),
        hi: drawn.map(|drawn| drawn.interval.1),
        p: p.filter(|_| n > 1),
        test,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::LabelSet;
    use crate::experiment::scoring::score;
    use crate::measure::Normaliser;
    use crate::measure::bleu::Tokenizer;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| text.to_string()).collect()
    }

    fn references(texts: &[&str]) -> Vec<Vec<String>> {
        texts.iter().map(|text| vec![text.to_string()]).collect()
    }

    #[test]
    fn right_and_wrong_answers_are_mcnemars() {
        let labels = LabelSet::new(texts(&["True", "False"])).unwrap();
        let truth = references(&["True", "False", "True", "False", "True", "True", "True"]);
        let first = texts(&["True", "False", "True", "False.", "True", "True", "no idea"]);
        let second = texts(&["False", "True", "False", "True", "False", "True", ""]);
        let found = paired(&Metric::Accuracy(labels), &first, &second, &truth, Seeds::new(0)).unwrap();
        // Five items that the first alone has right: 2 / 2⁵.
        assert_eq!((found.n, found.test, found.p), (7, "mcnemar", Some(2.0 / 32.0)));
        assert!((found.difference - 100.0 * 5.0 / 7.0).abs() < 1e-12);
        assert!(found.lo.unwrap() > 0.0 && found.hi.unwrap() <= 100.0, "{found:?}");
        let same = paired(&Metric::ExactMatch(Normaliser::Squad), &first, &first, &truth, Seeds::new(0)).unwrap();
        assert_eq!((same.difference, same.lo, same.hi, same.p), (0.0, Some(0.0), Some(0.0), Some(1.0)));
    }

    #[test]
    fn differences_are_those_of_the_scores() {
        let truth = references(&["the cat sat on the mat", "a dog ran over the hill today", "it rains"]);
        let first = texts(&["the cat sat on the mat", "a dog ran over a hill", "it rains"]);
        let second = texts(&["a cat sat on a mat", "a dog ran over the hill today", "no"]);
        for metric in [Metric::Bleu(Tokenizer::V13a), Metric::Rouge2] {
            let found = paired(&metric, &first, &second, &truth, Seeds::new(1)).unwrap();
            let [one, other] = [&first, &second].map(|of| score(&metric, of, &truth, Seeds::new(1)).unwrap().score);
            assert_eq!((found.difference, found.test), (one - other, "paired-bootstrap"));
            assert!(found.lo.unwrap() <= found.difference && found.p.unwrap() > 0.05, "{found:?}");
            let back = paired(&metric, &second, &first, &truth, Seeds::new(1)).unwrap();
            assert_eq!((back.difference, back.p), (-found.difference, found.p));
        }
    }

    #[test]
    fn one_item_has_a_difference_and_no_test_and_none_is_an_error() {
        let truth = references(&["yes"]);
        for metric in [Metric::ExactMatch(Normaliser::Squad), Metric::Rouge2] {
            let found = paired(&metric, &texts(&["yes"]), &texts(&["no"]), &truth, Seeds::new(0)).unwrap();
            assert_eq!((found.n, found.lo, found.hi, found.p), (1, None, None, None));
        }
        let error = |outputs: &[&str], truth: &[Vec<String>]| {
            paired(&Metric::Rouge2, &texts(outputs), &texts(outputs), truth, Seeds::new(0)).unwrap_err().to_string()
        };
        assert!(error(&[], &[]).contains("nothing to compare"));
        assert!(error(&["a", "b"], &truth).contains("2 and 2 outputs for 1 references"));
    }
}
