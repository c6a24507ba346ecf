//! Data and weights that make a number say nothing, or no number at all.

use std::fs;

use candle_core::Tensor;
use serde_json::Value;

use super::support::*;

#[test]
fn one_class_only_is_warned_of_and_its_cosine_is_one() {
    let place = Place::new();
    place.write("train.tsv", train(72).replace("\tnot_entailment", "\tentailment"));
    let output = place.fsa("gradient-align --config run.toml --out out --quiet");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        stderr(&output),
        "fsa: warning: train.tsv: every label is `True`: shuffling changes nothing, so the cosine says nothing\n"
    );
    let mut seen = 0;
    for row in place.rows("out") {
        // The gradients are the same ones; what remains is the rounding of two square roots and a division.
        let one = |number: &Value| number.as_f64().is_none_or(|value| (value - 1.0).abs() < 1e-12);
        if ["dataset", "batch", "expected"].contains(&row["estimator"].as_str().unwrap()) {
            assert!(one(&row["cosine"]) && one(&row["cosine_lo"]) && one(&row["yardstick"]), "{row}");
            seen += usize::from(row["cosine"].is_number());
        }
        if row["estimator"] == "flip" && row["name"] == "model" {
            assert!(row["cosine"].as_f64().unwrap() < 1.0 - 1e-6, "{row}");
        }
    }
    assert!(seen > 100, "{seen}");
}

/// Whole rows, whole table; `run.json` says that the run failed.
fn assert_failed(place: &Place, out: &str, rows: usize) {
    assert_eq!(place.rows(out).len(), rows);
    let run: Value = serde_json::from_slice(&place.read(&format!("{out}/run.json"))).unwrap();
    assert_eq!(run["status"], "failed");
    let table = place.path(out).join("gradient_align.csv");
    match rows {
        0 => assert!(!table.exists()),
        _ => assert_eq!(fs::read_to_string(table).unwrap().lines().count(), 1 + rows),
    }
}

#[test]
fn weights_that_are_not_numbers_fail_the_first_probe() {
    let place = Place::new();
    for (name, value) in [("shared.weight", f32::NAN), ("encoder.block.1.layer.1.layer_norm.weight", f32::INFINITY)] {
        let whole = place.weights("model");
        let mut tensors = whole.clone();
        let shape = tensors[name].shape().clone();
        tensors.insert(name.into(), Tensor::full(value, shape, &candle_core::Device::Cpu).unwrap());
        place.save("model", &tensors);
        let output = place.fsa("gradient-align --config run.toml --out out --quiet");
        assert_eq!(output.status.code(), Some(1), "{name}");
        let said = complaint(&stderr(&output));
        assert!(said.starts_with("a probe loss at step 0 is NaN; "), "{name}: {said}");
        assert!(said.ends_with("look at the weights and the data"), "{name}: {said}");
        assert_failed(&place, "out", 0);
        fs::remove_dir_all(place.path("out")).unwrap();
        place.save("model", &whole);
    }
}

#[test]
fn a_loss_that_diverges_fails_and_keeps_the_rows_so_far() {
    let place = Place::new();
    place.done("gradient-align --config run.toml --steps 0 --out start --quiet");
    let probe = place.rows("start").len();
    let run = "gradient-align --config run.toml --optimizer adamw --lr 1e30 --steps 30";
    let output = place.fsa(&format!("{run} --out out --quiet"));
    assert_eq!(output.status.code(), Some(1));
    let said = complaint(&stderr(&output));
    assert!(said.contains("lower --lr"), "{said}");
    assert!(said.contains("the rows so far are complete"), "{said}");
    let rows = place.rows("out").len();
    assert!(rows >= probe && rows.is_multiple_of(probe), "{rows} rows, {probe} a probe");
    assert_failed(&place, "out", rows);
    // Its figures can be drawn, and resuming it fails in the same way without losing anything.
    place.done("plot out");
    let before = (place.read("out/rows.jsonl"), place.read("out/gradient_align.csv"));
    let output = place.fsa(&format!("{run} --out out --quiet --resume"));
    assert_eq!((output.status.code(), complaint(&stderr(&output))), (Some(1), said));
    assert!(before == (place.read("out/rows.jsonl"), place.read("out/gradient_align.csv")));
}

#[test]
fn a_frozen_start_is_measured_at_step_zero_only() {
    let place = Place::new();
    place.done("gradient-align --config run.toml --steps 0 --out zero --quiet");
    place.done("gradient-align --config run.toml --steps 1 --probe-every 100 --out one --quiet");
    let zero = place.text("zero/rows.jsonl");
    assert!(place.rows("zero").iter().all(|row| row["step"] == 0));
    assert!(place.text("one/rows.jsonl").starts_with(&zero));
    assert_eq!(place.rows("one").last().unwrap()["step"], 1);
}
