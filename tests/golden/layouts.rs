//! Weights in every layout and dtype that they are read in give the logits that they should (`layouts/` of the fixtures).

use std::collections::HashMap;
use std::fs;

use candle_core::{DType, Device, Tensor};
use fsa::model::{T5, load};
use tempfile::TempDir;

use super::support::*;

/// `v1_1_untied` in float32, in every layout: where it is, how the names of its files begin, and how many have weights.
const FLOAT32: [(&str, &str, usize); 5] = [
    ("t5/v1_1_untied", "model", 1),
    ("layouts/saved_sharded", "model", 3),
    ("layouts/saved", "pytorch_model", 1),
    ("layouts/saved_sharded", "pytorch_model", 3),
    ("layouts/sharded", "pytorch_model", 2),
];

/// A folder with the config of a case and, of `from`, the files whose names begin so.
fn folder(case: &str, from: &str, begin: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(fixture(&format!("t5/{case}/config.json")), folder.path().join("config.json")).unwrap();
    for file in fs::read_dir(fixture(from)).unwrap().map(|file| file.unwrap()) {
        if file.file_name().to_str().unwrap().starts_with(begin) {
            fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
    }
    folder
}

/// The logits of a padded batch, as they are in memory.
fn logits(model: &T5, padded: &Padded) -> Vec<u32> {
    let logits = model.logits(&padded.padded_batch(model), None).unwrap().flatten_all().unwrap();
    logits.to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
}

#[test]
fn one_model_gives_the_same_bits_in_every_layout() {
    let expected = tensors("t5/v1_1_untied/expected.safetensors");
    let padded = Padded::of(&expected);
    let mut first = None;
    for (from, begin, files) in FLOAT32 {
        let folder = folder("v1_1_untied", from, begin);
        let (model, report) = load(folder.path()).unwrap();
        let ending = if begin == "model" { "safetensors" } else { "bin" };
        let read = report.files.iter().filter(|file| file.extension().is_some_and(|it| it == ending)).count();
        assert_eq!((read, report.unused.len(), report.tied), (files, 0, false), "{from} {begin}");
        assert_agrees(&format!("{from} {begin}"), &model, &padded, &expected, "");
        let logits = logits(&model, &padded);
        assert!(*first.get_or_insert_with(|| logits.clone()) == logits, "{from} {begin}: other bits");
    }
}

#[test]
fn what_pytorch_saved_is_the_model() {
    for (case, layout) in [("v1_0_tied_relu", "tied"), ("v1_1_untied", "sharded")] {
        let folder = folder(case, &format!("layouts/{layout}"), "pytorch_model");
        let (model, report) = load(folder.path()).unwrap();
        assert!(report.unused.is_empty(), "{layout}: unused {:?}", report.unused);
        assert_eq!(report.tied, layout == "tied");
        let expected = tensors(&format!("t5/{case}/expected.safetensors"));
        assert_agrees(layout, &model, &Padded::of(&expected), &expected, "");
        // The same numbers as in safetensors, to the bit.
        let (other, _) = load(&fixture(&format!("t5/{case}"))).unwrap();
        for (a, b) in model.params().iter().zip(other.params().iter()) {
            assert_eq!((a.name(), values(a.value())), (b.name(), values(b.value())), "{layout}");
        }
    }
}

#[test]
fn half_precision_is_read_from_both_layouts() {
    for dtype in ["f16", "bf16"] {
        let reference = tensors(&format!("layouts/{dtype}/expected.safetensors"));
        let batch = tensors("t5/v1_1_untied/expected.safetensors");
        let padded = Padded::of(&batch);
        let mut first = None;
        for file in ["model.safetensors", "pytorch_model.bin"] {
            let folder = folder("v1_1_untied", &format!("layouts/{dtype}"), file);
            let (model, _) = load(folder.path()).unwrap();
            let bits = logits(&model, &padded);
            let logits: Vec<f64> = bits.iter().map(|&bits| f32::from_bits(bits).into()).collect();
            let (vocab, expected) = (model.config().shape.vocab_size, values(&reference["logits"]));
            for (token, label) in values(&batch["labels"]).iter().enumerate().filter(|(_, label)| **label >= 0.0) {
                let range = token * vocab..(token + 1) * vocab;
                assert_close(&format!("{dtype} {file} {label}"), &logits[range.clone()], &expected[range], 2e-5);
            }
            assert!(*first.get_or_insert_with(|| bits.clone()) == bits, "{dtype} {file}: other bits");
        }
    }
}

/// As transformers keeps a T5 that it has loaded in half precision, and saves it again.
#[test]
fn each_tensor_has_a_dtype_of_its_own() {
    let padded = Padded::of(&tensors("t5/v1_1_untied/expected.safetensors"));
    let folder = folder("v1_1_untied", "layouts/f16", "model.safetensors");
    let path = folder.path().join("model.safetensors");
    let of_folder = || logits(&load(folder.path()).unwrap().0, &padded);
    let half = of_folder();
    let mut mixed: HashMap<String, Tensor> = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    for (name, tensor) in mixed.iter_mut().filter(|(name, _)| name.ends_with(".wo.weight")) {
        assert_eq!(tensor.dtype(), DType::F16, "{name}");
        *tensor = tensor.to_dtype(DType::F32).unwrap();
    }
    candle_core::safetensors::save(&mixed, &path).unwrap();
    assert!(of_folder() == half, "other bits");
}

#[test]
fn safetensors_come_first() {
    let folder = folder("v1_1_untied", "layouts/bf16", "model");
    fs::write(folder.path().join("pytorch_model.bin"), "not even read").unwrap();
    let (_, report) = load(folder.path()).unwrap();
    assert!(report.files.iter().any(|file| file.ends_with("model.safetensors")), "{:?}", report.files);
}
