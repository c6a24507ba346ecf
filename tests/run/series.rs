//! `gradient-align --checkpoints`: each checkpoint that another trainer left is probed as the model that it is.

use std::fs;

use serde_json::Value;

use super::support::*;
use crate::inspect::{adapter, small_base};
use crate::ratio::support::checkpoint;

/// What a run over checkpoints and one over a single model have in common.
const OF: &str = "gradient-align --train train.tsv --threads 1 --probe-batches 2 --batch-size 8 --shuffles 2 --quiet";

/// The rows of one step, but for the step and what the method is called.
fn numbers(place: &Place, out: &str, step: u64) -> Vec<Value> {
    let of_step = place.rows(out).into_iter().filter(|row| row["step"] == step);
    of_step
        .map(|mut row| {
            row["step"] = Value::Null;
            row["method"] = Value::Null;
            row
        })
        .collect()
}

fn steps(place: &Place, out: &str) -> Vec<u64> {
    let mut steps: Vec<u64> = place.rows(out).iter().map(|row| row["step"].as_u64().unwrap()).collect();
    steps.dedup();
    steps
}

#[test]
fn a_checkpoint_has_the_numbers_of_the_model_that_it_is() {
    let place = Place::new();
    checkpoint(&place, 20, 1, true);
    // Without a config and a tokenizer of its own.
    checkpoint(&place, 3, 2, false);
    place.done(&format!("{OF} --model model --checkpoints trained --strict --out over"));
    assert_eq!(steps(&place, "over"), [3, 20]);
    assert!(place.rows("over").iter().all(|row| row["method"] == "checkpoints" && row["stage"] == 1));
    for file in ["config.json", "tokenizer.json"] {
        place.write(&format!("trained/checkpoint-3/{file}"), place.read(&format!("model/{file}")));
    }
    for step in [3, 20] {
        place.done(&format!("{OF} --model trained/checkpoint-{step} --steps 0 --out alone-{step}"));
        let alone = numbers(&place, &format!("alone-{step}"), 0);
        assert!(!alone.is_empty());
        assert_eq!(numbers(&place, "over", step), alone, "step {step}");
    }
    assert_ne!(numbers(&place, "over", 3), numbers(&place, "over", 20));
    let info: Value = serde_json::from_str(&place.text("over/run.json")).unwrap();
    let (signature, files) = (info["signature"].as_str().unwrap(), info["model"]["files"].to_string());
    assert!(signature.contains("|checkpoints:") && !signature.contains("|lr:"), "{signature}");
    assert!(files.contains("trained/checkpoint-3/model.safetensors"), "{files}");
    let csv = place.text("over/gradient_align.csv");
    assert_eq!(csv.lines().count(), 1 + place.rows("over").len());
    assert!(place.path("over/figures/figure7.svg").is_file());
}

#[test]
fn adapters_have_the_numbers_that_they_have_beside_their_base() {
    let place = Place::new();
    small_base(&place, "base");
    // Prompts of their own length among them, before what is probed.
    let all = [(2, "lora"), (4, "prompt"), (6, "lora_all"), (8, "prompt_pickled")];
    for (step, kind) in all {
        adapter(&place, kind, &format!("trained/checkpoint-{step}"), "base");
    }
    place.done(&format!("{OF} --model base --checkpoints trained --strict --out over"));
    for (step, _) in all {
        place.done(&format!("{OF} --model base --adapter trained/checkpoint-{step} --steps 0 --out alone-{step}"));
        let mut alone = numbers(&place, &format!("alone-{step}"), 0);
        // Beside its base an adapter is what ProMoT's first stage has trained.
        alone.iter_mut().for_each(|row| row["stage"] = 1.into());
        assert_eq!(numbers(&place, "over", step), alone, "step {step}");
    }
}

#[test]
fn what_cannot_be_probed_is_named_and_the_rest_is_probed() {
    let place = Place::new();
    for step in [2, 4, 8] {
        checkpoint(&place, step, step, true);
    }
    let torn = place.read("trained/checkpoint-4/model.safetensors");
    place.write("trained/checkpoint-4/model.safetensors", &torn[..torn.len() / 2]);
    let over = format!("{OF} --model model --checkpoints trained");
    let plan = place.fsa(&format!("{over} --dry-run --json --out out"));
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!((plan["probe_steps"].to_string().as_str(), &plan["steps"]), ("[2,4,8]", &Value::from(0)));
    assert!(plan["time"]["total_s"].as_f64().unwrap() > 0.0, "{plan}");
    let output = place.fsa(&format!("{over} --json --out out"));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    let torn = "fsa: warning: trained/checkpoint-4 was skipped: trained/checkpoint-4/model.safetensors: ";
    assert!(lines.len() == 2 && lines[1].starts_with(torn), "{said}");
    assert_eq!(lines[0], "fsa: warning: trained: missing in the series: checkpoint-6");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&printed["skipped"], steps(&place, "out")), (&Value::from(2), vec![2, 8]));
    let strict = place.fsa(&format!("{over} --strict --out strict"));
    assert_eq!(strict.status.code(), Some(1));
    assert_eq!(place.read("strict/rows.jsonl"), place.read("out/rows.jsonl"));
    let said = place.refusal(&format!("{OF} --model model --checkpoints nowhere --out new"));
    assert!(said.starts_with("nowhere: --checkpoints: "), "{said}");
    let said = place.refusal("gradient-align --config run.toml --checkpoints trained --out new");
    assert_eq!(
        said,
        "run.toml:4: --steps: cannot be used with --checkpoints, which are fine-tuned already; leave one of the two out"
    );
}

#[test]
fn a_series_that_was_cut_off_is_gone_on_with() {
    let place = Place::new();
    for step in [2, 4, 6] {
        checkpoint(&place, step, step, true);
    }
    let over = format!("{OF} --model model --checkpoints trained");
    place.done(&format!("{over} --out whole"));
    place.done(&format!("{over} --out cut"));
    // As a kill in the middle of the second probe leaves it.
    let rows = place.text("cut/rows.jsonl");
    let second = rows.lines().position(|row| row.contains("\"step\":4")).unwrap();
    let some: String = rows.lines().take(second + 5).map(|row| format!("{row}\n")).collect();
    place.write("cut/rows.jsonl", some + "{\"target\":");
    let info = place.text("cut/run.json").replace("\"finished\"", "\"running\"");
    place.write("cut/run.json", info);
    place.done(&format!("{over} --out cut --resume"));
    for file in ["rows.jsonl", "gradient_align.csv", "figures/figure7.svg"] {
        assert!(place.read(&format!("cut/{file}")) == place.read(&format!("whole/{file}")), "{file}");
    }
    // Not over other checkpoints than those that it began with.
    let info = place.text("cut/run.json").replace("\"finished\"", "\"running\"");
    place.write("cut/run.json", info);
    fs::copy(
        place.path("trained/checkpoint-2/model.safetensors"),
        place.path("trained/checkpoint-6/model.safetensors"),
    )
    .unwrap();
    let said = place.refusal(&format!("{over} --out cut --resume"));
    assert!(said.starts_with("trained/checkpoint-6/model.safetensors: --resume: it has changed since"), "{said}");
}
