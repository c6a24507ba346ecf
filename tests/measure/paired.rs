//! The paired bootstrap against sacreBLEU 2.6.0 (`tests/fixtures/README.md`, "Metrics").

use std::cell::RefCell;

use fsa::data::LabelSet;
use fsa::experiment::paired::paired;
use fsa::experiment::score::Metric;
use fsa::measure::bleu::{Statistics, Tokenizer};
use fsa::measure::intervals::{DRAWS, paired_bootstrap};
use fsa::spec::Seeds;
use serde::Deserialize;

use super::{close, json, read};

#[derive(Deserialize)]
struct Line {
    hypothesis: String,
    reference: String,
    second: String,
}

#[derive(Deserialize)]
struct Expected {
    samples: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    metric: String,
    first: usize,
    last: usize,
    every: usize,
    other: String,
    difference: f64,
    low: f64,
    high: f64,
    p: f64,
    p_sacrebleu: Option<f64>,
}

impl Case {
    /// Both systems' outputs, and references.
    fn texts(&self) -> (Vec<String>, Vec<String>, Vec<Vec<String>>) {
        let text = read("tests/fixtures/metrics/corpus.jsonl");
        let lines: Vec<Line> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let lines = &lines[self.first..self.last];
        let theirs = lines.iter().enumerate().map(|(place, line)| match (place % self.every, self.other.as_str()) {
            (0, "second") => line.second.clone(),
            (0, _) => line.reference.clone(),
            _ => line.hypothesis.clone(),
        });
        let ours = lines.iter().map(|line| line.hypothesis.clone()).collect();
        (ours, theirs.collect(), lines.iter().map(|line| vec![line.reference.clone()]).collect())
    }
}

/// Both sides are shares of draws: 4.5 standard errors of their difference, so that of 18 comparisons none is off by chance.
fn near(what: &str, found: f64, expected: f64, samples: usize) {
    let error = (expected * (1.0 - expected) * (1.0 / DRAWS as f64 + 1.0 / samples as f64)).sqrt();
    assert!((found - expected).abs() <= 4.5 * error + 1.0 / DRAWS as f64, "{what}: {found} instead of {expected}");
}

#[test]
fn differences_intervals_and_p_are_those_of_sacrebleus_scores() {
    let expected: Expected = json("paired.json");
    assert_eq!(expected.cases.len(), 12);
    for case in &expected.cases {
        let (ours, theirs, references) = case.texts();
        let metric = if case.metric == "bleu" { Metric::Bleu(Tokenizer::V13a) } else { Metric::Rouge2 };
        let found = paired(&metric, &ours, &theirs, &references, Seeds::new(0)).unwrap();
        let what = format!("{} {}..{}, every {} {}", case.metric, case.first, case.last, case.every, case.other);
        close(&what, found.difference, case.difference);
        near(&what, found.p.unwrap(), case.p, expected.samples);
        // A 2.5 % point of 1000 draws has a standard error of 0.085 deviations, and the interval is 3.92 deviations wide.
        let error = 4.5 * 0.085 * (case.high - case.low) / 3.92;
        for (end, theirs) in [(found.lo, case.low), (found.hi, case.high)] {
            assert!((end.unwrap() - theirs).abs() <= error, "{what}: {end:?} instead of {theirs}");
        }
    }
}

/// sacreBLEU's own p takes absolute differences before it centres them, and so is no two-sided one: never near 1, and half of
/// it where the draws' differences keep their sign and are spread evenly. From fsa's draws its formula gives its value.
#[test]
fn sacrebleus_formula_on_the_same_draws_gives_its_p() {
    let expected: Expected = json("paired.json");
    for case in &expected.cases {
        let Some(theirs) = case.p_sacrebleu else { continue };
        let (first, second, references) = case.texts();
        let statistics = |texts: &[String]| -> Vec<Statistics> {
            let pairs = texts.iter().zip(&references);
            pairs.map(|(text, references)| Statistics::of(text, references, Tokenizer::V13a)).collect()
        };
        let (first, second) = (statistics(&first), statistics(&second));
        let (ones, others) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
        let recorded = |parts: &[Statistics], scores: &RefCell<Vec<f64>>, draw: &[usize]| {
            let score = draw.iter().map(|&line| parts[line]).sum::<Statistics>().score().score;
            scores.borrow_mut().push(score);
            score
        };
        let n = first.len();
        paired_bootstrap(
            Seeds::new(0),
            "bleu",
            n,
            |draw| recorded(&first, &ones, draw),
            |draw| recorded(&second, &others, draw),
        )
        .unwrap();
        let differences: Vec<f64> =
            ones.borrow().iter().zip(others.borrow().iter()).map(|(one, other)| (one - other).abs()).collect();
        // The first is that of all lines.
        let (observed, draws) = differences.split_first().unwrap();
        assert_eq!(draws.len(), DRAWS);
        let mean = draws.iter().sum::<f64>() / DRAWS as f64;
        let further = draws.iter().filter(|&&draw| draw - mean > *observed).count();
        near(
            &format!("every {} {}", case.every, case.other),
            (further + 1) as f64 / (DRAWS + 1) as f64,
            theirs,
            expected.samples,
        );
    }
}

/// Accuracy goes to the exact McNemar test, which has references of its own.
#[test]
fn accuracy_is_mcnemars() {
    let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
    let labels = Metric::Accuracy(LabelSet::new(words(&["yes", "no"])).unwrap());
    let references = vec![words(&["yes"]); 11];
    let (two, nine) = ([["yes"; 2].as_slice(), &["no"; 9]].concat(), [["no"; 2].as_slice(), &["yes"; 9]].concat());
    let found = paired(&labels, &words(&two), &words(&nine), &references, Seeds::new(0)).unwrap();
    let expected: serde_json::Value = json("intervals.json");
    let case = expected["mcnemar"].as_array().unwrap().iter().find(|case| case[0] == 2 && case[1] == 9).unwrap();
    close("2 against 9", found.p.unwrap(), case[2].as_f64().unwrap());
}
