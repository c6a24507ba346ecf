//! A run that nothing stops: what it measures and what it leaves.

use std::fs;

use fsa::experiment::{Existing, pretrain};
use fsa::model;
use fsa::tokenizer::Tokenizer;
use serde_json::Value;

use super::support::*;
use crate::run::support::{files, rows};

#[test]
fn the_loss_falls_and_the_model_is_one_that_fsa_reads() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let outcome = run(&spec(&out), Existing::Refuse);
    assert!(outcome.files.iter().all(|file| file.is_file()), "{:?}", outcome.files);

    let losses = rows(&fs::read_to_string(out.join("rows.jsonl")).unwrap());
    let all: Vec<&Value> = losses.iter().filter(|row| row["family"] == "all").collect();
    assert_eq!(all.iter().map(|row| row["step"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 5, 10, 15, 20]);
    assert!(all[0]["training_loss"].is_null() && all[0]["documents"] == 8);
    let held_out: Vec<f64> = all.iter().map(|row| row["held_out_loss"].as_f64().unwrap()).collect();
    // The tokens that are in every target are learnt in no time; a fresh model is near the logarithm of the vocabulary.
    assert!((held_out[0] - (128f64).ln()).abs() < 1.5 && held_out[4] < 0.5 * held_out[0], "{held_out:?}");
    assert!(all[4]["training_loss"].as_f64().unwrap() < all[1]["training_loss"].as_f64().unwrap());
    let tokens = |family: &str| -> u64 {
        let of_family = losses.iter().filter(|row| row["family"] == family && row["step"] == 20);
        of_family.map(|row| row["target_tokens"].as_u64().unwrap()).sum()
    };
    assert_eq!(tokens("all"), tokens("statement") + tokens("question"));

    let scores = rows(&fs::read_to_string(out.join("scores.jsonl")).unwrap());
    assert_eq!(scores.len(), 5 * 2);
    assert!(scores.iter().all(|row| row["n"] == 3 && row["metric"] == "em-squad"));
    for (table, columns) in [
        ("pretrain.csv", "seed,step,family,training_loss,held_out_loss,documents,target_tokens"),
        ("scores.csv", "seed,step,task,shots,n,score,score_lo,score_hi,metric,ended"),
    ] {
        assert_eq!(fs::read_to_string(out.join(table)).unwrap().lines().next(), Some(columns));
    }

    let (read, report) = model::load(&outcome.model).unwrap();
    assert!(report.tied && report.unused.is_empty());
    let tokenizer = Tokenizer::from_dir(&outcome.model).unwrap();
    assert_eq!(read.config().shape.vocab_size, tokenizer.vocab_size().next_multiple_of(8));
    assert_eq!(read.config().decoder_scale(), 1.0);
    let card = fs::read_to_string(outcome.model.join("README.md")).unwrap();
    assert!(card.contains("has seen the formats of the evaluation tasks") && card.contains(&outcome.signature));
    assert!(!card.split("```").step_by(2).any(|text| text.contains('{')), "a place of the template is empty: {card}");
    assert!(card.contains("| WebQuestions |     1 | exact match |") && !card.contains("{dropout}"), "{card}");
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_does_not() {
    let place = tempfile::tempdir().unwrap();
    let spec = |name: &str| spec(&place.path().join(name));
    let weights = |name: &str| fs::read(place.path().join(name).join("model/model.safetensors")).unwrap();
    for name in ["one", "two"] {
        run(&spec(name), Existing::Refuse);
    }
    run(&fsa::spec::Pretrain { seed: 1, ..spec("other") }, Existing::Refuse);
    assert!(weights("one") == weights("two"));
    assert!(weights("one") != weights("other"));
}

#[test]
fn a_plan_writes_nothing_and_knows_the_size() {
    let place = tempfile::tempdir().unwrap();
    let spec = spec(&place.path().join("run"));
    let plan = pretrain::plan(&spec, &Toy).unwrap();
    assert!(files(place.path()).is_empty());
    assert_eq!(
        (plan.documents, &plan.evaluations[..]),
        (160, &["web_questions:1", "web_questions:0"].map(String::from)[..])
    );
    let time = plan.time.as_ref().unwrap();
    let counts: Vec<u64> = time.parts.iter().map(|part| part.count).collect();
    assert_eq!(counts, [spec.steps, 1, spec.probe_steps().len() as u64 - 1]);
    assert!(time.parts.iter().all(|part| part.total_s.is_finite() && part.total_s > 0.0), "{time:?}");
    let outcome = run(&spec, Existing::Refuse);
    assert_eq!(plan.signature, outcome.signature);
    assert_eq!(plan.params, model::load(&outcome.model).unwrap().0.params().count() as u64);
    assert_eq!(outcome.signature.matches("|betas:0.9,0.98|max-grad-norm:1|").count(), 1, "{}", outcome.signature);
}

#[test]
fn a_task_that_the_corpus_does_not_know_is_refused_and_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let mut spec = spec(&place.path().join("run"));
    spec.eval = vec![fsa::spec::Evaluation { task: "trivia_qa".into(), shots: 1 }];
    let error = pretrain::run(&spec, &Toy, Existing::Refuse, &[], &mut Patient { left: usize::MAX }).unwrap_err();
    assert_eq!(error.to_string(), "--eval: the corpus says nothing about `trivia_qa`");
    assert!(files(place.path()).is_empty());
}
