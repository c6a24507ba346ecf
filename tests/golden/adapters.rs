//! Soft prompts and LoRA as PEFT wrote them, against its float64 values: logits, losses, gradients, steps, outputs.

use std::collections::{BTreeMap, HashMap};

use candle_core::Tensor;
use fsa::Result;
use fsa::grad::Collect;
use fsa::model::lora::LoraShape;
use fsa::model::peft::read_adapter;
use fsa::model::prompt::virtual_tokens;
use fsa::model::{Batch, Gradient, Packed, Sink, T5, Whole, load};
use fsa::spec::{Optimizer, Seeds, Training};
use fsa::train::Trainer;

use super::support::*;
use super::{adapter_files::bits, generation};

pub const BASE: &str = "t5/v1_1_untied";
/// Five rows; on q and v; on every map, with rsLoRA's scale.
pub const KINDS: [&str; 3] = ["prompt", "lora", "lora_all"];
const EVERYTHING_ELSE: &str = "shared.weight,encoder*,decoder*,lm_head.weight";

pub fn base() -> T5 {
    load(&fixture(BASE)).unwrap().0
}

/// The base with an adapter of PEFT's.
pub fn attached(kind: &str) -> T5 {
    base().with_adapter(read_adapter(&fixture(&format!("adapters/{kind}"))).unwrap()).unwrap()
}

/// `source` behind the model's soft prompt, if it has one.
fn prompted(model: &T5, source: &[u32]) -> Vec<u32> {
    let rows = model.prompt().map_or(0, |prompt| prompt.value().dim(0).unwrap());
    virtual_tokens(0, rows).chain(source.iter().copied()).collect()
}

pub fn padded(model: &T5, expected: &HashMap<String, Tensor>) -> Padded {
    let mut padded = Padded::of(expected);
    padded.sources.iter_mut().for_each(|source| *source = prompted(model, source));
    padded
}

/// Mean loss, no dropout, no smoothing, as the reference has it.
fn training(kind: &str) -> Training {
    let plain = Training { dropout: 0.0, label_smoothing: 0.0, ..Training::default() };
    match kind {
        "prompt" => Training {
            optimizer: Optimizer::AdafactorT5x,
            scale_parameter: false,
            lr: 0.2,
            weight_decay: 1e-5,
            trainable: "prompt_embeddings".into(),
            ..plain
        },
        _ => Training { optimizer: Optimizer::AdamW, lr: 1e-3, trainable: "*lora_*".into(), ..plain },
    }
}

#[test]
fn logits_losses_and_gradients_agree_with_peft() {
    let expected = tensors("adapters/expected.safetensors");
    for kind in KINDS {
        let model = attached(kind);
        assert_agrees(kind, &model, &padded(&model, &expected), &expected, &format!("{kind}."));
    }
}

/// Against the model with LoRA beside its weights, which the test above holds to PEFT's: what is summed where moves the last bits.
#[test]
fn merged_weights_give_the_same_logits() {
    let expected = tensors("adapters/expected.safetensors");
    for kind in ["lora", "lora_all"] {
        let (model, merged) = (attached(kind), attached(kind).merged().unwrap());
        assert_eq!((merged.lora().count(), merged.params().iter().count()), (0, base().params().iter().count()));
        let logits =
            |model: &T5| values(&model.logits(&padded(model, &expected).batch(model, &[0, 1, 2, 3]), None).unwrap());
        assert_close(kind, &logits(&merged), &logits(&model), 2e-5);
        assert_ne!(logits(&merged), logits(&base()), "{kind}");
    }
}

/// Keeps the gradients that a training needs.
struct Tuned<'a>(&'a Training, Collect);

impl Sink for Tuned<'_> {
    fn wants(&self, name: &str) -> bool {
        self.0.trains(name)
    }

    fn take(&mut self, gradient: &Gradient) -> Result<()> {
        self.1.take(gradient)
    }
}

#[test]
fn gradients_are_the_same_bits_where_only_the_adapter_wants_them() {
    let expected = tensors("adapters/expected.safetensors");
    for kind in KINDS {
        let (model, training) = (attached(kind), training(kind));
        let batches = [padded(&model, &expected).batch(&model, &[0, 1, 2, 3])];
        let (_, all) = gradients(&model, &batches, pass(1.0));
        let mut tuned = Tuned(&training, Collect::default());
        model.backward(model.forward(&batches, pass(1.0)).unwrap(), &mut tuned).unwrap();
        let tuned = tuned.1.into_all();
        let wanted: Vec<&String> = all.all().keys().filter(|name| training.trains(name)).collect();
        assert_eq!(tuned.keys().collect::<Vec<_>>(), wanted, "{kind}");
        for (name, gradient) in &tuned {
            assert_eq!(values(&gradient[0]), values(&all.all()[name][0]), "{kind}: {name}");
        }
    }
}

#[test]
fn five_steps_agree_with_peft() {
    let expected = tensors("adapters/expected.safetensors");
    for kind in KINDS {
        let training = training(kind);
        for micro in [vec![vec![0, 1, 2, 3]], vec![vec![0, 2], vec![3], vec![1]]] {
            let model = attached(kind);
            let padded = padded(&model, &expected);
            let batches: Vec<Batch> = micro.iter().map(|which| padded.batch(&model, which)).collect();
            let (before, start) = (bits(&model), all_values(&model));
            let mut trainer = Trainer::new(&training, 5, Seeds::new(0));
            let losses: Vec<f64> = (0..5).map(|_| trainer.step(&model, &batches).unwrap()).collect();
            assert_close(&format!("{kind}: losses"), &losses, &values(&expected[&format!("{kind}.step_losses")]), 1e-5);
            let (mut worst, mut tuned) = (0f64, 0);
            for (name, ours) in all_values(&model) {
                if !training.trains(&name) {
                    assert!(bits(&model)[&name] == before[&name], "{kind}: {name} moved");
                    continue;
                }
                let reference = values(&expected[&format!("{kind}.after.{name}")]);
                let moved = distance(&reference, &start[&name]);
                let off = distance(&ours, &reference);
                // As exact as the gradients that the steps came from.
                assert!(off <= 1e-4 * moved, "{kind}: {name}: off by {off:e} after moving by {moved:e}");
                (worst, tuned) = (worst.max(off / moved), tuned + 1);
            }
            assert_eq!(tuned, expected.keys().filter(|name| name.starts_with(&format!("{kind}.after."))).count());
            println!(
                "{kind}: five steps, {} micro-batches, worst error relative to the move {worst:.1e}",
                batches.len()
            );
        }
    }
}

#[test]
fn training_everything_else_leaves_the_prompt_alone() {
    let expected = tensors("adapters/expected.safetensors");
    let model = attached("prompt");
    let batches = [padded(&model, &expected).batch(&model, &[0, 1, 2, 3])];
    let training = Training { trainable: EVERYTHING_ELSE.into(), ..Training::default() };
    let before = bits(&model);
    let mut trainer = Trainer::new(&training, 2, Seeds::new(0));
    (0..2).for_each(|_| assert!(trainer.step(&model, &batches).unwrap().is_finite()));
    for (name, after) in bits(&model) {
        assert_eq!(after == before[&name], name == "prompt_embeddings", "{name}");
    }
}

#[test]
fn greedy_outputs_are_those_of_transformers() {
    let expected = generation::expected_in("adapters");
    for (kind, run) in &expected.runs {
        let model = if kind == "base" { base() } else { attached(kind) };
        let sources = Packed::new(expected.sources.iter().map(|source| prompted(&model, source)));
        let outputs = model.generate(&sources, &generation::decoding(run, expected.max_new_tokens)).unwrap();
        for (i, output) in outputs.iter().enumerate() {
            assert_eq!((&output.ids, output.ended), (&run.ids[i], run.ended[i]), "{kind}, source {i}");
        }
    }
    assert_eq!(expected.runs.len(), 1 + KINDS.len());
}

#[test]
fn fresh_matrices_change_nothing_until_they_are_trained() {
    let expected = tensors("adapters/expected.safetensors");
    let shape = LoraShape { rank: 4, alpha: 8.0, target_modules: vec!["k".into(), "wo".into()] };
    let base = base();
    let model = base.with_new_lora(&shape, Seeds::new(3)).unwrap();
    // Two blocks each: k of three attentions, wo of two feed-forwards.
    assert_eq!(model.lora().count(), 2 * 2 * (3 + 2));
    let batch = Padded::of(&expected).batch(&base, &[0, 1, 2, 3]);
    let logits = |model: &T5| values(&model.logits(&batch, None).unwrap());
    assert_eq!(logits(&model), logits(&base));
    let mut seen = Vec::new();
    for a in model.lora().filter(|param| param.name().ends_with("lora_A.weight")) {
        let bound = (a.value().dim(1).unwrap() as f64).powf(-0.5);
        let values = values(a.value());
        assert!(values.iter().all(|value| value.abs() <= bound + 1e-7), "{}", a.name());
        assert!(values.iter().any(|value| value.abs() > 0.8 * bound), "{}", a.name());
        assert!(!seen.contains(&values[0]), "{} is another's", a.name());
        seen.push(values[0]);
    }
    assert!(bits(&base.with_new_lora(&shape, Seeds::new(3)).unwrap()) == bits(&model));
    assert!(bits(&base.with_new_lora(&shape, Seeds::new(4)).unwrap()) != bits(&model));
    let before = bits(&model);
    let mut trainer = Trainer::new(&training("lora"), 2, Seeds::new(0));
    (0..2).for_each(|_| assert!(trainer.step(&model, std::slice::from_ref(&batch)).unwrap() > 0.0));
    for (name, after) in bits(&model) {
        assert_eq!(after != before[&name], name.contains("lora_"), "{name}");
    }
}

/// K losses at once, with a soft prompt and LoRA on every map: each has the gradients that it has alone.
#[test]
fn gradients_of_several_losses_are_each_losss_own() {
    let expected = tensors("adapters/expected.safetensors");
    let model = attached("lora_all").with_prompt(attached("prompt").prompt().unwrap().value().clone()).unwrap();
    let padded = padded(&model, &expected);
    let targets: Vec<&[u32]> = padded.labels.iter().chain(padded.labels.iter().rev()).map(Vec::as_slice).collect();
    let weights: [[f32; 8]; 3] = [
        [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0],
        [0.25, 0.5, 0.75, 0.5, 0.75, 0.5, 0.25, 0.5],
    ];
    let of = |losses: &[[f32; 8]], tokens: usize| -> BTreeMap<String, Vec<Tensor>> {
        let whole = Whole {
            sources: padded.sources.iter().map(Vec::as_slice).collect(),
            keys: (0..4).collect(),
            targets: targets.clone(),
            weights: losses.iter().map(|weights| weights.to_vec()).collect(),
        };
        let batches = whole.cut(tokens, model.config()).unwrap();
        assert_eq!(batches.len() > 1, tokens < 100);
        gradients(&model, &batches, pass(1.0)).1.into_all()
    };
    let alone: Vec<_> = weights.iter().map(|weights| of(&[*weights], 4096)).collect();
    for tokens in [4096, 20] {
        for (name, together) in of(&weights, tokens) {
            for (k, alone) in alone.iter().enumerate() {
                let (ours, own) = (values(&together[k]), values(&alone[&name][0]));
                let norm = distance(&own, &vec![0.0; own.len()]);
                // Sums of the same products in another order.
                assert!(distance(&ours, &own) <= 1e-5 * norm, "{name}, loss {k}: off by {:e}", distance(&ours, &own));
            }
        }
    }
}

fn all_values(model: &T5) -> BTreeMap<String, Vec<f64>> {
    model.params().iter().map(|param| (param.name().to_string(), values(param.value()))).collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}
