//! Weights in every layout and dtype that they are read in give the logits that they should (`layouts/` of the fixtures).

use std::fs;

use fsa::model::load;
use tempfile::TempDir;

use super::support::*;

/// A folder with the config of a case and, of a layout, the files whose names begin so.
fn folder(case: &str, layout: &str, begin: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(fixture(&format!("t5/{case}/config.json")), folder.path().join("config.json")).unwrap();
    for file in fs::read_dir(fixture(&format!("layouts/{layout}"))).unwrap().map(|file| file.unwrap()) {
        if file.file_name().to_str().unwrap().starts_with(begin) {
            fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
    }
    folder
}

#[test]
fn what_pytorch_saved_is_the_model() {
    for (case, layout) in [("v1_0_tied_relu", "tied"), ("v1_1_untied", "sharded")] {
        let folder = folder(case, layout, "pytorch_model");
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
        for file in ["model.safetensors", "pytorch_model.bin"] {
            let folder = folder("v1_1_untied", dtype, file);
            let (model, _) = load(folder.path()).unwrap();
            let padded = Padded::of(&batch).padded_batch(&model);
            let logits = values(&model.logits(&padded, None).unwrap());
            let (vocab, expected) = (model.config().shape.vocab_size, values(&reference["logits"]));
            for (token, label) in values(&batch["labels"]).iter().enumerate().filter(|(_, label)| **label >= 0.0) {
                let range = token * vocab..(token + 1) * vocab;
                assert_close(&format!("{dtype} {file} {label}"), &logits[range.clone()], &expected[range], 2e-5);
            }
        }
    }
}

#[test]
fn safetensors_come_first() {
    let folder = folder("v1_1_untied", "bf16", "model");
    fs::write(folder.path().join("pytorch_model.bin"), "not even read").unwrap();
    let (_, report) = load(folder.path()).unwrap();
    assert!(report.files.iter().any(|file| file.ends_with("model.safetensors")), "{:?}", report.files);
}
