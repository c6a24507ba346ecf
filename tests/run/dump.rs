//! `fsa dump`: what another framework needs to check a batch by, and what it refuses.

use std::collections::BTreeMap;
use std::fs;

use candle_core::{DType, Device, Tensor};
use serde_json::Value;

use super::support::*;

const BATCH: &str = "\
{\"source\": \"The river is near the school.\", \"target\": \"True\"}
{\"source\": \"They say that it does not rain in the market.\", \"target\": \"a small house\"}

{\"source\": \"What?\", \"target\": \"\"}
";
const DUMP: &str = "dump --model model --input batch.jsonl --threads 1";

fn place() -> Place {
    let place = Place::new();
    place.write("batch.jsonl", BATCH);
    place
}

fn dumped(place: &Place, out: &str) -> BTreeMap<String, Tensor> {
    candle_core::safetensors::load(place.path(out), &Device::Cpu).unwrap().into_iter().collect()
}

fn table(tensor: &Tensor) -> Vec<Vec<i64>> {
    assert_eq!(tensor.dtype(), DType::I64);
    tensor.to_vec2().unwrap()
}

/// The mean over target tokens of −log softmax(logits)[label], in f64; labels of −100 do not count.
fn mean_cross_entropy(logits: &Tensor, labels: &[Vec<i64>]) -> f64 {
    let logits: Vec<Vec<Vec<f64>>> = logits.to_dtype(DType::F64).unwrap().to_vec3().unwrap();
    let mut losses = Vec::new();
    for (rows, labels) in logits.iter().zip(labels) {
        for (row, &label) in rows.iter().zip(labels).filter(|(_, label)| **label != -100) {
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let normaliser = largest + row.iter().map(|logit| (logit - largest).exp()).sum::<f64>().ln();
            losses.push(normaliser - row[usize::try_from(label).unwrap()]);
        }
    }
    losses.iter().sum::<f64>() / losses.len() as f64
}

#[test]
fn a_dump_holds_the_batch_its_loss_and_every_gradient() {
    let place = place();
    let said: Value = serde_json::from_str(&place.done(&format!("{DUMP} --out batch.safetensors --json"))).unwrap();
    let tensors = dumped(&place, "batch.safetensors");
    let weights = place.weights("model");

    let gradients: BTreeMap<&str, &Tensor> =
        tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix("grad.")?, tensor))).collect();
    let names: Vec<&str> = weights.keys().map(String::as_str).collect();
    assert_eq!(gradients.keys().copied().collect::<Vec<_>>(), names);
    for (name, gradient) in &gradients {
        assert_eq!(gradient.dims(), weights[*name].dims(), "{name}");
        let values: Vec<f32> = gradient.flatten_all().unwrap().to_vec1().unwrap();
        assert!(values.iter().all(|value| value.is_finite()) && values.iter().any(|value| *value != 0.0), "{name}");
    }
    let others: Vec<&str> = tensors.keys().map(String::as_str).filter(|name| !name.starts_with("grad.")).collect();
    assert_eq!(others, ["attention_mask", "input_ids", "labels", "logits", "loss"]);

    let (ids, mask, labels) =
        (table(&tensors["input_ids"]), table(&tensors["attention_mask"]), table(&tensors["labels"]));
    // Ids on which the mask is 1, ended by the end of the sequence; then padding.
    for (ids, mask) in ids.iter().zip(&mask) {
        let length = mask.iter().filter(|&&bit| bit == 1).count();
        assert!(mask[..length].iter().all(|&bit| bit == 1) && mask[length..].iter().all(|&bit| bit == 0), "{mask:?}");
        assert!(ids[length - 1] == 1 && ids[length..].iter().all(|&id| id == 0), "{ids:?}");
        assert!(ids[..length - 1].iter().all(|&id| id > 1), "{ids:?}");
    }
    for labels in &labels {
        let length = labels.iter().position(|&id| id == 1).unwrap() + 1;
        assert!(labels[length..].iter().all(|&id| id == -100), "{labels:?}");
    }
    // An empty target is its end alone.
    assert_eq!(labels[2][0], 1);
    assert_eq!(tensors["logits"].dims(), [3, labels[0].len(), 288]);

    let loss = tensors["loss"].to_scalar::<f32>().unwrap() as f64;
    let expected = mean_cross_entropy(&tensors["logits"], &labels);
    assert!((loss - expected).abs() < 1e-5, "{loss} and {expected}");
    assert!((said["loss"].as_f64().unwrap() - expected).abs() < 1e-5);
    assert_eq!((said["examples"].as_u64(), said["gradients"].as_u64()), (Some(3), Some(names.len() as u64)));
}

#[test]
fn a_gradient_is_the_slope_of_the_loss() {
    let place = place();
    place.done(&format!("{DUMP} --out batch.safetensors"));
    let gradients = dumped(&place, "batch.safetensors");
    let weights = place.weights("model");
    // Both ways along the head's gradient: in f32 the loss has some 1e-7 of rounding, the step changes it by about 1e-2.
    let gradient = &gradients["grad.lm_head.weight"];
    let square = gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap() as f64;
    let step = 1e-2 / square;
    let loss = |sign: f64| -> f64 {
        let mut moved = weights.clone();
        let head = (&weights["lm_head.weight"] + (gradient * (sign * step)).unwrap()).unwrap();
        moved.insert("lm_head.weight".into(), head);
        place.save("model", &moved);
        place.done(&format!("{DUMP} --out moved.safetensors --force"));
        dumped(&place, "moved.safetensors")["loss"].to_scalar::<f32>().unwrap() as f64
    };
    let slope = (loss(1.0) - loss(-1.0)) / (2.0 * step);
    assert!((slope / square - 1.0).abs() < 1e-3, "{slope} and {square}");
}

#[test]
fn options_of_the_loss_take_part_and_dropout_has_a_seed() {
    let place = place();
    let loss = |flags: &str| -> f32 {
        place.done(&format!("{DUMP} --out out.safetensors --force {flags}"));
        dumped(&place, "out.safetensors")["loss"].to_scalar().unwrap()
    };
    let plain = loss("");
    assert_eq!(loss(""), plain);
    assert_ne!(loss("--label-smoothing 0.1"), plain);
    assert_ne!(loss("--label-smoothing 0.1"), loss("--label-smoothing 0.1 --smoothing hf"));
    let dropped = loss("--dropout 0.5 --seed 3");
    assert_ne!(dropped, plain);
    assert_eq!(loss("--dropout 0.5 --seed 3"), dropped);
    assert_ne!(loss("--dropout 0.5 --seed 4"), dropped);
}

#[test]
fn an_existing_file_is_kept_unless_forced() {
    let place = place();
    place.write("out.safetensors", "mine");
    assert_eq!(
        place.refusal(&format!("{DUMP} --out out.safetensors")),
        "out.safetensors: --out: it exists already; choose another name, or give --force to overwrite it"
    );
    // Forced, but it cannot be done: it stays all the same.
    place.write("bad.jsonl", "{}");
    place.refusal("dump --model model --input bad.jsonl --out out.safetensors --force");
    place.done(&format!("{DUMP} --out out.safetensors --force"));
    assert!(dumped(&place, "out.safetensors").contains_key("loss"));
    #[cfg(unix)]
    {
        // Who may read it is for the user's umask to say.
        let mode = |name: &str| {
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(place.path(name)).unwrap().permissions())
        };
        assert_eq!(mode("out.safetensors"), mode("train.tsv"));
    }
}

#[test]
fn places_that_cannot_be_written_to_are_named() {
    let place = place();
    let said = place.refusal(&format!("{DUMP} --out none/out.safetensors"));
    assert!(said.starts_with("none/out.safetensors: --out: cannot write it: No such file or directory"), "{said}");
    fs::create_dir(place.path("folder")).unwrap();
    let said = place.refusal(&format!("{DUMP} --out folder --force"));
    assert!(said.starts_with("folder: --out: "), "{said}");
    let said = place.refusal(&format!("{DUMP} --out train.tsv/out.safetensors"));
    assert!(said.starts_with("train.tsv/out.safetensors: --out: cannot write it: Not a directory"), "{said}");
}

#[test]
fn lines_that_are_no_example_are_named() {
    let place = place();
    let good = "{\"source\": \"a\", \"target\": \"b\"}\n";
    let next = "; give {\"source\": \"…\", \"target\": \"…\"} on each line";
    for (bad, what) in [
        ("{\"source\": \"a\"}", "missing field `target`"),
        ("{\"source\": \"a\", \"target\": \"b\", \"lable\": 1}", "unknown field `lable`"),
        ("{\"source\": \"a\", \"target\": 3}", "invalid type: integer `3`, expected a string"),
        ("{\"source\": \"a\", \"target\": \"b\"", "EOF while parsing"),
        ("source,target", "expected value"),
    ] {
        place.write("batch.jsonl", format!("{good}\n{bad}\n{good}"));
        let said = place.refusal(&format!("{DUMP} --out out.safetensors"));
        assert!(said.starts_with("batch.jsonl:3: ") && said.contains(what) && said.ends_with(next), "{said}");
        // The line in the file, and no other line number.
        assert!(!said.contains(" at line "), "{said}");
    }
    for empty in ["", "\n \n"] {
        place.write("batch.jsonl", empty);
        let said = place.refusal(&format!("{DUMP} --out out.safetensors"));
        assert_eq!(said, format!("batch.jsonl: --input: it has no examples{next}"));
    }
    let said = place.refusal("dump --model model --input none.jsonl --out out.safetensors");
    assert!(said.starts_with("none.jsonl: --input: cannot read it: No such file"), "{said}");
}

#[test]
fn a_loss_that_is_no_number_fails_and_leaves_no_file() {
    let place = place();
    let mut tensors = place.weights("model");
    let nan = Tensor::full(f32::NAN, 16, &Device::Cpu).unwrap();
    tensors.insert("decoder.final_layer_norm.weight".into(), nan);
    place.save("model", &tensors);
    let before = files(&place.path("."));
    let output = place.fsa(&format!("{DUMP} --out out.safetensors"));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(complaint(&stderr(&output)), "the loss is NaN; look at the weights and the input");
    assert!(before == files(&place.path(".")));
}
