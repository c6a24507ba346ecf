//! Wilson's interval and the exact McNemar test against scipy.stats.binomtest (1.17.1).

use fsa::measure::Proportion;
use fsa::measure::intervals::mcnemar;
use serde::Deserialize;

use super::{close, json};

#[derive(Deserialize)]
struct Expected {
    /// hits, items, low, high
    wilson: Vec<(u64, u64, f64, f64)>,
    /// only the first right, only the second right, p
    mcnemar: Vec<(u64, u64, f64)>,
}

#[test]
fn wilson_is_scipys() {
    for (hits, items, low, high) in json::<Expected>("intervals.json").wilson {
        let found = Proportion { hits, items }.wilson().unwrap();
        close(&format!("{hits} of {items}, low"), found.0, low);
        close(&format!("{hits} of {items}, high"), found.1, high);
    }
}

#[test]
fn mcnemar_is_the_binomial_test() {
    for (first, second, p) in json::<Expected>("intervals.json").mcnemar {
        let found = mcnemar(first, second);
        // Relative: a p of 1e-200 must not pass as 0.
        assert!((found - p).abs() <= 1e-9 * p, "{first}, {second}: {found:e} instead of {p:e}");
    }
}
