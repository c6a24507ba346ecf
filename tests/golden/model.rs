//! T5 in all its variants against transformers in float64: logits, loss, every gradient.

use fsa::model::layers::relative_position_bucket;
use fsa::model::load;
use fsa::model::loss::LossOptions;
use fsa::model::t5::Pass;
use fsa::spec::Smoothing;

use super::support::*;

const CASES: [&str; 6] = ["v1_0_tied_relu", "v1_1_untied", "mt5", "v5_tied_unscaled", "unequal_depths", "long_ragged"];

#[test]
fn logits_loss_and_every_gradient_agree_with_transformers() {
    for case in CASES {
        let (model, report) = load(&fixture(&format!("t5/{case}"))).unwrap();
        assert!(report.unused.is_empty(), "{case}: unused {:?}", report.unused);
        assert_eq!(report.tied, case.contains("tied_"), "{case}: tied");
        let expected = tensors(&format!("t5/{case}/expected.safetensors"));
        assert_agrees(case, &model, &Padded::of(&expected), &expected, "");
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
        let (sum, sink) = gradients(&model, &[batch], Pass { dropout: None, loss, scale: 1.0, low_memory: false });
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
