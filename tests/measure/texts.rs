//! BLEU against sacreBLEU 2.6.0 and ROUGE-2 against rouge_score 0.1.2, line by line and over the corpus.

use std::collections::BTreeMap;

use fsa::measure::bleu::{Statistics, Tokenizer, signature};
use fsa::measure::rouge;
use serde::Deserialize;

use super::{close, json, read};

#[derive(Deserialize)]
struct Line {
    hypothesis: String,
    reference: String,
    second: String,
    tokens_13a: String,
    tokens_intl: String,
    bleu_13a: [u64; 10],
    bleu_intl: [u64; 10],
    bleu2_13a: [u64; 10],
    bleu2_intl: [u64; 10],
    rouge2: f64,
}

#[derive(Deserialize)]
struct Expected {
    one_reference: BTreeMap<String, Score>,
    two_references: BTreeMap<String, Score>,
    slices: BTreeMap<String, BTreeMap<String, Score>>,
    rouge2: f64,
}

#[derive(Deserialize)]
struct Score {
    score: f64,
    precisions: [f64; 4],
    brevity_penalty: f64,
    signature: String,
}

fn corpus() -> Vec<Line> {
    read("tests/fixtures/metrics/corpus.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn statistics([hypothesis_length, reference_length, m1, m2, m3, m4, t1, t2, t3, t4]: [u64; 10]) -> Statistics {
    Statistics { hypothesis_length, reference_length, matches: [m1, m2, m3, m4], totals: [t1, t2, t3, t4] }
}

fn assert_score(what: &str, lines: &[Line], references: usize, expected: &BTreeMap<String, Score>) {
    for tokenizer in Tokenizer::ALL {
        let segments = lines.iter().map(|line| match references {
            1 => Statistics::of(&line.hypothesis, &[&line.reference], tokenizer),
            _ => Statistics::of(&line.hypothesis, &[&line.reference, &line.second], tokenizer),
        });
        let (bleu, expected) = (segments.sum::<Statistics>().score(), &expected[tokenizer.name()]);
        let what = format!("{what}, {}", tokenizer.name());
        close(&what, bleu.score, expected.score);
        close(&format!("{what}: brevity penalty"), bleu.brevity_penalty, expected.brevity_penalty);
        for (ours, theirs) in bleu.precisions.iter().zip(expected.precisions) {
            close(&format!("{what}: precision"), *ours, theirs);
        }
        assert_eq!(signature(tokenizer, references), expected.signature);
    }
}

#[test]
fn every_lines_tokens_and_statistics_are_sacrebleus() {
    let lines = corpus();
    assert!(lines.len() >= 200);
    for line in &lines {
        for (tokenizer, tokens, one, two) in [
            (Tokenizer::V13a, &line.tokens_13a, line.bleu_13a, line.bleu2_13a),
            (Tokenizer::Intl, &line.tokens_intl, line.bleu_intl, line.bleu2_intl),
        ] {
            let what = &line.hypothesis;
            assert_eq!(&tokenizer.tokenize(what), tokens, "{what:?}");
            assert_eq!(Statistics::of(what, &[&line.reference], tokenizer), statistics(one), "{what:?}");
            assert_eq!(Statistics::of(what, &[&line.reference, &line.second], tokenizer), statistics(two), "{what:?}");
        }
    }
}

#[test]
fn corpus_bleu_is_sacrebleus() {
    let (lines, expected): (_, Expected) = (corpus(), json("corpus.json"));
    assert_score("one reference", &lines, 1, &expected.one_reference);
    assert_score("two references", &lines, 2, &expected.two_references);
    for (range, scores) in &expected.slices {
        let (first, last) = range.split_once("..").unwrap();
        assert_score(range, &lines[first.parse().unwrap()..last.parse().unwrap()], 1, scores);
    }
}

#[test]
fn rouge2_is_rouge_scores() {
    let (lines, expected): (_, Expected) = (corpus(), json("corpus.json"));
    let scores: Vec<f64> = lines.iter().map(|line| rouge::rouge2(&line.hypothesis, &line.reference)).collect();
    for (line, score) in lines.iter().zip(&scores) {
        close(&line.hypothesis, *score, line.rouge2);
    }
    close("mean", rouge::corpus(&scores).unwrap(), expected.rouge2);
}
