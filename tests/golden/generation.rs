//! Decoding against transformers: greedy token for token, beams sequence for sequence.

use fsa::model::generate::Output;
use fsa::model::{Batch, Mix, Packed, T5, load};
use fsa::spec::{Decoding, LengthPenalty};
use serde::Deserialize;

use super::support::*;

#[derive(Deserialize)]
pub struct Expected {
    pub max_new_tokens: usize,
    pub sources: Vec<Vec<u32>>,
    pub runs: std::collections::BTreeMap<String, Run>,
}

#[derive(Deserialize)]
pub struct Run {
    num_beams: usize,
    length_penalty: Option<f64>,
    pub ids: Vec<Vec<u32>>,
    pub ended: Vec<bool>,
    scores: Option<Vec<f64>>,
}

const CASES: [&str; 6] = ["v1_0_tied_relu", "v1_1_untied", "mt5", "v5_tied_unscaled", "unequal_depths", "long_ragged"];

fn expected(case: &str) -> Expected {
    expected_in(&format!("t5/{case}"))
}

/// What transformers generated, in the folder `folder` of the fixtures.
pub fn expected_in(folder: &str) -> Expected {
    let text = std::fs::read_to_string(fixture(&format!("{folder}/generated.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

pub fn decoding(run: &Run, max_new_tokens: usize) -> Decoding {
    let length_penalty = LengthPenalty::Hf(run.length_penalty.unwrap_or(1.0));
    Decoding { num_beams: run.num_beams, max_new_tokens, min_new_tokens: 0, length_penalty }
}

#[test]
fn greedy_and_beams_agree_with_transformers() {
    for case in CASES {
        let (model, _) = load(&fixture(&format!("t5/{case}"))).unwrap();
        let expected = expected(case);
        let sources = Packed::new(&expected.sources);
        for (name, run) in &expected.runs {
            let outputs = model.generate(&sources, &decoding(run, expected.max_new_tokens)).unwrap();
            for (i, output) in outputs.iter().enumerate() {
                assert_eq!(output.ids, run.ids[i], "{case}, {name}, source {i}");
                assert_eq!(output.ended, run.ended[i], "{case}, {name}, source {i}: ended");
                if let Some(scores) = &run.scores {
                    assert_close(&format!("{case}, {name}, source {i}: score"), &[output.score], &[scores[i]], 1e-5);
                }
            }
        }
    }
}

#[test]
fn one_prompt_alone_decodes_as_in_a_batch() {
    for case in CASES {
        let (model, _) = load(&fixture(&format!("t5/{case}"))).unwrap();
        let expected = expected(case);
        for length_penalty in [LengthPenalty::Hf(1.0), LengthPenalty::T5x(0.6)] {
            for num_beams in [1, 4] {
                let decoding = Decoding { num_beams, max_new_tokens: 9, min_new_tokens: 0, length_penalty };
                let together = model.generate(&Packed::new(&expected.sources), &decoding).unwrap();
                for (source, together) in expected.sources.iter().zip(together) {
                    let alone = model.generate(&Packed::new([source]), &decoding).unwrap();
                    assert_eq!(alone[0].ids, together.ids, "{case}, {num_beams} beams");
                }
            }
        }
    }
}

/// Greedy decoding without a cache: the whole output through the decoder for each token.
fn uncached(model: &T5, source: &[u32], limit: usize) -> Output {
    let (start, pad, eos) = (model.config().start(), model.config().pad(), model.config().eos());
    let mut ids: Vec<u32> = Vec::new();
    while ids.len() < limit {
        // One label more than there is to feed: its input is all of `ids`, shifted.
        let labels: Vec<u32> = ids.iter().copied().chain([eos]).collect();
        let batch =
            Batch::new(Packed::new([source]), &[0], Packed::new([labels]), Mix::lanes(1, 1), start, pad).unwrap();
        let logits = values(&model.logits(&batch, None).unwrap());
        let vocab = model.config().shape.vocab_size;
        let last = &logits[logits.len() - vocab..];
        let best = (0..vocab).max_by(|&a, &b| last[a].total_cmp(&last[b]).then(b.cmp(&a))).unwrap() as u32;
        if best == eos {
            return Output { ids, ended: true, score: 0.0 };
        }
        ids.push(best);
    }
    Output { ids, ended: false, score: 0.0 }
}

#[test]
fn a_cached_decode_equals_an_uncached_one() {
    for case in ["v1_1_untied", "unequal_depths", "v1_0_tied_relu"] {
        let (model, _) = load(&fixture(&format!("t5/{case}"))).unwrap();
        let expected = expected(case);
        let run = &expected.runs["greedy"];
        let cached = model.generate(&Packed::new(&expected.sources), &decoding(run, 12)).unwrap();
        for (source, cached) in expected.sources.iter().zip(cached) {
            let plain = uncached(&model, source, 12);
            assert_eq!((cached.ids, cached.ended), (plain.ids, plain.ended), "{case}");
        }
    }
}

#[test]
fn min_new_tokens_keeps_eos_away() {
    let (model, _) = load(&fixture("t5/unequal_depths")).unwrap();
    let expected = expected("unequal_depths");
    for num_beams in [1, 3] {
        let length_penalty = LengthPenalty::T5x(0.6);
        let decoding = Decoding { num_beams, max_new_tokens: 12, min_new_tokens: 12, length_penalty };
        for output in model.generate(&Packed::new(&expected.sources), &decoding).unwrap() {
            assert_eq!((output.ids.len(), output.ended), (12, false));
        }
    }
}
