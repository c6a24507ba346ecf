//! Reading fixtures, and the comparison that every gradient must pass.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor};
use fsa::model::batch::IGNORED;
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
