//! `--trainable`: what is frozen keeps its bits, everything else moves, and both go on from a checkpoint.

use std::path::Path;

use fsa::model::{Batch, T5, T5Config, Whole};
use fsa::spec::{Optimizer, Seeds, Training};
use fsa::train::{Checkpoint, Trainer};

use super::support::*;

const NORMS: &str = "*layer_norm.weight";

fn model() -> T5 {
    T5::random(T5Config::parse(CONFIG, Path::new("config.json")).unwrap(), Seeds::new(0)).unwrap()
}

fn batches(model: &T5) -> Vec<Batch> {
    let (sources, targets): ([&[u32]; 2], [&[u32]; 2]) = ([&[5, 6, 7, 1], &[9, 8, 1]], [&[12, 1], &[13, 14, 1]]);
    Whole::training(sources.to_vec(), vec![0, 1], targets.to_vec()).cut(4096, model.config()).unwrap()
}

/// Every parameter's bits by its name.
fn bits(model: &T5) -> Vec<(String, Vec<u32>)> {
    let of = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect();
    let value = |param: &fsa::model::Param| param.value().flatten_all().unwrap().to_vec1().unwrap();
    model.params().iter().map(|param| (param.name().to_string(), of(value(param)))).collect()
}

fn norms(max_grad_norm: f64, optimizer: Optimizer) -> Training {
    Training { trainable: NORMS.into(), max_grad_norm, optimizer, lr: 0.1, ..Training::default() }
}

#[test]
fn frozen_parameters_keep_their_bits_and_the_others_move() {
    for training in [norms(0.0, Optimizer::AdafactorT5x), norms(0.5, Optimizer::AdamW)] {
        let model = model();
        let before = bits(&model);
        let mut trainer = Trainer::new(&training, 2, Seeds::new(0));
        for _ in 0..2 {
            trainer.step(&model, &batches(&model)).unwrap();
        }
        let mut moved = 0;
        for ((name, before), (_, after)) in before.iter().zip(&bits(&model)) {
            assert_eq!(before != after, name.ends_with("layer_norm.weight"), "{name}");
            moved += usize::from(before != after);
        }
        // 2 per block of the encoder, 3 per block of the decoder, and both final ones.
        assert_eq!(moved, 2 * 2 + 2 * 3 + 2);
        assert!(trainer.optimizer().state().all(|(name, _)| name.contains("layer_norm.weight/")));
    }
}

#[test]
fn a_checkpoint_goes_on_with_the_same_bits() {
    let training = norms(0.0, Optimizer::AdafactorT5x);
    let (one, mut trainer) = (model(), Trainer::new(&training, 3, Seeds::new(0)));
    trainer.step(&one, &batches(&one)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::save(folder.path(), &one, &trainer).unwrap();
    let (other, mut again) = (model(), Trainer::new(&training, 3, Seeds::new(0)));
    checkpoint.restore(&other, &mut again).unwrap();
    for (model, trainer) in [(&one, &mut trainer), (&other, &mut again)] {
        trainer.step(model, &batches(model)).unwrap();
    }
    assert!(bits(&one) == bits(&other));
}

#[test]
fn it_is_in_the_signature_and_a_pattern_for_nothing_is_refused() {
    let place = Place::new();
    let plain = place.done("gradient-align --config run.toml --dry-run");
    assert!(!plain.contains("|trainable:"), "{plain}");
    let some = place.done(&format!("gradient-align --config run.toml --dry-run --trainable {NORMS}"));
    assert!(some.contains(&format!("|trainable:{NORMS}|")), "{some}");
    let quiet = "gradient-align --config run.toml --quiet --out out";
    place.done(&format!("{quiet} --trainable {NORMS},shared.weight"));
    // Probes still measure every parameter.
    let rows = place.rows("out");
    assert!(rows.iter().any(|row| row["name"] == "encoder.block.0.layer.0.SelfAttention.q.weight"));
    for command in ["gradient-align --config run.toml --out new", "gradient-align --config run.toml --dry-run"] {
        let said = place.refusal(&format!("{command} --trainable {NORMS},*lm_hed*"));
        assert!(said.starts_with("--trainable: no parameter of the model is called `*lm_hed*`"), "{said}");
    }
}
