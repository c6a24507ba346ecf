//! Reading fixtures, and the comparison that every gradient must pass.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor};
use fsa::grad::Collect;
use fsa::model::batch::IGNORED;
use fsa::model::loss::LossOptions;
use fsa::model::t5::Pass;
use fsa::model::{Batch, Mix, Packed, T5};

/// A file or folder under `tests/fixtures`.
pub fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

/// Tensors of a safetensors fixture.
pub fn tensors(path: &str) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(fixture(path), &Device::Cpu).unwrap()
}

/// Values in f64.
pub fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// A fixture's padded batch.
pub struct Padded {
    pub sources: Vec<Vec<u32>>,
    pub labels: Vec<Vec<u32>>,
}

impl Padded {
    pub fn of(expected: &HashMap<String, Tensor>) -> Self {
        let ids = expected["input_ids"].to_vec2::<i64>().unwrap();
        let mask = expected["attention_mask"].to_vec2::<i64>().unwrap();
        let sources = ids
            .iter()
            .zip(&mask)
            .map(|(ids, mask)| ids.iter().zip(mask).filter(|(_, m)| **m == 1).map(|(id, _)| *id as u32).collect())
            .collect();
        let labels = expected["labels"]
            .to_vec2::<i64>()
            .unwrap()
            .into_iter()
            .map(|row| row.into_iter().filter(|&id| id != -100).map(|id| id as u32).collect())
            .collect();
        Self { sources, labels }
    }

    /// Examples `which`, as one batch of one loss.
    pub fn batch(&self, model: &T5, which: &[usize]) -> Batch {
        let keys: Vec<u64> = which.iter().map(|&i| i as u64).collect();
        Batch::new(
            Packed::new(which.iter().map(|&i| &self.sources[i])),
            &keys,
            Packed::new(which.iter().map(|&i| &self.labels[i])),
            Mix::lanes(1, which.len()),
            model.config().start(),
            model.config().pad(),
        )
        .unwrap()
    }

    /// All examples; labels padded to the longest with ignored ones, as transformers has them.
    pub fn padded_batch(&self, model: &T5) -> Batch {
        let longest = self.labels.iter().map(Vec::len).max().unwrap();
        let labels = self.labels.iter().map(|row| {
            let mut row = row.clone();
            row.resize(longest, IGNORED);
            row
        });
        let keys: Vec<u64> = (0..self.sources.len() as u64).collect();
        Batch::new(
            Packed::new(&self.sources),
            &keys,
            Packed::new(labels),
            Mix::lanes(1, self.sources.len()),
            model.config().start(),
            model.config().pad(),
        )
        .unwrap()
    }

    pub fn tokens(&self) -> usize {
        self.labels.iter().map(Vec::len).sum()
    }
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// Every gradient: ‖Δ‖ ≤ 1e-4·‖g‖ + 1e-6·‖whole gradient‖/√(number of tensors). The second term is for parameters whose
/// gradient is tiny beside the others: f32 rounding is relative to what is summed.
pub fn assert_gradients(
    what: &str,
    got: &BTreeMap<String, Vec<Tensor>>,
    expected: &HashMap<String, Tensor>,
    prefix: &str,
) {
    let expected: BTreeMap<&str, Vec<f64>> = expected
        .iter()
        .filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?.strip_prefix("grad.")?, values(tensor))))
        .collect();
    assert!(!expected.is_empty(), "{what}: no reference gradient under `{prefix}`");
    let got_names: Vec<&str> = got.keys().map(String::as_str).collect();
    let expected_names: Vec<&str> = expected.keys().copied().collect();
    assert_eq!(got_names, expected_names, "{what}: parameters");
    let whole = norm(&expected.values().map(|g| norm(g)).collect::<Vec<_>>());
    let floor = 1e-6 * whole / (expected.len() as f64).sqrt();
    let mut worst = 0f64;
    for (name, reference) in &expected {
        let ours = values(&got[*name][0]);
        let delta: Vec<f64> = ours.iter().zip(reference).map(|(a, b)| a - b).collect();
        let bound = 1e-4 * norm(reference) + floor;
        assert!(ours.len() == reference.len(), "{what}: {name}: {} values, {} expected", ours.len(), reference.len());
        assert!(norm(&delta) <= bound, "{what}: {name}: off by {:e}, allowed {bound:e}", norm(&delta));
        worst = worst.max(norm(&delta) / norm(reference).max(floor));
    }
    println!("{what}: {} gradients, worst relative error {worst:.1e}", expected.len());
}

/// |a − b| ≤ tolerance·(1 + |b|) for all.
pub fn assert_close(what: &str, a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len(), "{what}: length");
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{what}[{i}]: {a} instead of {b}");
    }
}

/// Without dropout and smoothing, the gradients times `scale`.
pub fn pass(scale: f64) -> Pass {
    Pass { dropout: None, loss: LossOptions::PLAIN, scale, low_memory: false }
}

/// (summed loss, gradients).
pub fn gradients(model: &T5, batches: &[Batch], pass: Pass) -> (f64, Collect) {
    let tape = model.forward(batches, pass).unwrap();
    let loss = tape.losses()[0];
    let mut sink = Collect::default();
    model.backward(tape, &mut sink).unwrap();
    (loss, sink)
}

/// Logits, loss and every gradient of the mean loss against the entries of `expected` under `prefix`: as one padded batch, as a
/// packed one, and in micro-batches.
pub fn assert_agrees(what: &str, model: &T5, padded: &Padded, expected: &HashMap<String, Tensor>, prefix: &str) {
    let batch = padded.padded_batch(model);
    let logits = values(&model.logits(&batch, None).unwrap());
    let reference = values(&expected[&format!("{prefix}logits")]);
    let vocab = model.config().shape.vocab_size;
    let kept: Vec<usize> =
        values(&expected["labels"]).iter().enumerate().filter(|(_, l)| **l >= 0.0).map(|(i, _)| i).collect();
    let mut worst = 0f64;
    for &token in &kept {
        let range = token * vocab..(token + 1) * vocab;
        let (ours, reference) = (&logits[range.clone()], &reference[range]);
        assert_close(&format!("{what}: logits"), ours, reference, 2e-5);
        worst = ours.iter().zip(reference).map(|(a, b)| (a - b).abs()).fold(worst, f64::max);
    }
    println!("{what}: logits, worst error {worst:.1e}");

    let loss_sum = &expected[&format!("{prefix}loss_sum")];
    let tokens = padded.tokens() as f64;
    let (loss, sink) = gradients(model, &[batch], pass(1.0 / tokens));
    assert_close(&format!("{what}: loss"), &[loss], &values(loss_sum), 1e-6);
    assert_gradients(what, sink.all(), expected, prefix);

    let (loss, sink) = gradients(model, &[padded.batch(model, &[0, 1, 2, 3])], pass(1.0 / tokens));
    assert_close(&format!("{what}: loss, packed"), &[loss], &values(loss_sum), 1e-6);
    assert_gradients(&format!("{what}, packed"), sink.all(), expected, prefix);

    let micro = [padded.batch(model, &[3]), padded.batch(model, &[0, 2]), padded.batch(model, &[1])];
    let (_, sink) = gradients(model, &micro, pass(1.0 / tokens));
    assert_gradients(&format!("{what}, micro-batches in another order"), sink.all(), expected, prefix);
}
