//! Wilson's interval and the exact McNemar test against scipy.stats.binomtest, Student's t against scipy.stats.t (1.17.1).

use fsa::measure::Proportion;
use fsa::measure::intervals::mcnemar;
use fsa::measure::means::{t_interval, t_point};
use serde::Deserialize;

use super::{close, json};

#[derive(Deserialize)]
struct Expected {
    /// hits, items, low, high
    wilson: Vec<(u64, u64, f64, f64)>,
    /// only the first right, only the second right, p
    mcnemar: Vec<(u64, u64, f64)>,
    /// degrees of freedom, 97.5 % point
    t_point: Vec<(usize, f64)>,
    /// values, low, high
    t_interval: Vec<(Vec<f64>, f64, f64)>,
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

#[test]
fn students_t_is_scipys() {
    let expected: Expected = json("intervals.json");
    for (freedom, point) in expected.t_point {
        close(&format!("{freedom} degrees of freedom"), t_point(freedom), point);
    }
    for (values, low, high) in expected.t_interval {
        let found = t_interval(&values).unwrap();
        close(&format!("{values:?}, low"), found.0, low);
        close(&format!("{values:?}, high"), found.1, high);
    }
}
