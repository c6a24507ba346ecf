//! T5 in all its variants against transformers in float64: logits, loss, every gradient.

use fsa::grad::Collect;
use fsa::model::layers::relative_position_bucket;
use fsa::model::loss::LossOptions;
use fsa::model::t5::Pass;
use fsa::model::{Batch, T5, load};
use fsa::spec::Smoothing;

use super::support::*;

const CASES: [&str; 6] = ["v1_0_tied_relu", "v1_1_untied", "mt5", "v5_tied_unscaled", "unequal_depths", "long_ragged"];

fn pass(scale: f64) -> Pass {
    Pass { dropout: None, loss: LossOptions::PLAIN, scale }
}

/// (summed loss, gradients).
fn gradients(model: &T5, batches: &[Batch], pass: Pass) -> (f64, Collect) {
    let tape = model.forward(batches, pass).unwrap();
    let loss = tape.losses()[0];
    let mut sink = Collect::default();
    model.backward(tape, &mut sink).unwrap();
    (loss, sink)
}

#[test]
fn logits_loss_and_every_gradient_agree_with_transformers() {
    for case in CASES {
        let (model, report) = load(&fixture(&format!("t5/{case}"))).unwrap();
        assert!(report.unused.is_empty(), "{case}: unused {:?}", report.unused);
        assert_eq!(report.tied, case.contains("tied_"), "{case}: tied");
        let expected = tensors(&format!("t5/{case}/expected.safetensors"));
        let padded = Padded::of(&expected);

        let batch = padded.padded_batch(&model);
        let logits = values(&model.logits(&batch, None).unwrap());
        let reference = values(&expected["logits"]);
        let vocab = model.config().shape.vocab_size;
        let kept: Vec<usize> =
            values(&expected["labels"]).iter().enumerate().filter(|(_, l)| **l >= 0.0).map(|(i, _)| i).collect();
        for &token in &kept {
            let range = token * vocab..(token + 1) * vocab;
            assert_close(&format!("{case}: logits"), &logits[range.clone()], &reference[range], 2e-5);
        }

        let tokens = padded.tokens() as f64;
        let (loss, sink) = gradients(&model, &[batch], pass(1.0 / tokens));
        assert_close(&format!("{case}: loss"), &[loss], &values(&expected["loss_sum"]), 1e-6);
        assert_gradients(case, sink.all(), &expected, "");

        let (loss, sink) = gradients(&model, &[padded.batch(&model, &[0, 1, 2, 3])], pass(1.0 / tokens));
        assert_close(&format!("{case}: loss, packed"), &[loss], &values(&expected["loss_sum"]), 1e-6);
        assert_gradients(&format!("{case}, packed"), sink.all(), &expected, "");

        let micro = [padded.batch(&model, &[3]), padded.batch(&model, &[0, 2]), padded.batch(&model, &[1])];
        let (_, sink) = gradients(&model, &micro, pass(1.0 / tokens));
        assert_gradients(&format!("{case}, micro-batches in another order"), sink.all(), &expected, "");
    }
}

#[test]
fn smoothing_and_z_loss_agree_with_their_definitions() {
    let (model, _) = load(&fixture("t5/v1_1_untied")).unwrap();
    let padded = Padded::of(&tensors("t5/v1_1_untied/expected.safetensors"));
    let expected = tensors("t5/v1_1_untied/expected_smoothing.safetensors");
    for (kind, loss) in [
        ("t5x", LossOptions { label_smoothing: 0.1, smoothing: Smoothing::T5x, z_loss: 0.0 }),
        ("hf", LossOptions { label_smoothing: 0.1, smoothing: Smoothing::Hf, z_loss: 0.0 }),
        ("zloss", LossOptions { label_smoothing: 0.0, smoothing: Smoothing::T5x, z_loss: 1e-4 }),
    ] {
        let batch = padded.batch(&model, &[0, 1, 2, 3]);
        let (sum, sink) = gradients(&model, &[batch], Pass { dropout: None, loss, scale: 1.0 });
        assert_close(kind, &[sum], &values(&expected[&format!("{kind}.loss_sum")]), 1e-6);
        assert_gradients(kind, sink.all(), &expected, &format!("{kind}."));
    }
}

#[test]
fn relative_buckets_are_transformers_integers() {
    let text = std::fs::read_to_string(fixture("relative_buckets.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let first = json["first"].as_i64().unwrap();
    for table in json["tables"].as_array().unwrap() {
        let number = |key: &str| table[key].as_u64().unwrap() as usize;
        let bidirectional = table["bidirectional"].as_bool().unwrap();
        for (j, bucket) in table["buckets"].as_array().unwrap().iter().enumerate() {
            let relative = first + j as i64;
            let ours = relative_position_bucket(relative, bidirectional, number("num_buckets"), number("max_distance"));
            assert_eq!(ours as u64, bucket.as_u64().unwrap(), "position {relative}, bidirectional {bidirectional}");
        }
    }
}
