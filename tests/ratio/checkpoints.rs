//! Checkpoints that another trainer left: which are measured, which are named and left out.

use std::fs;

use serde_json::Value;

use super::support::*;

/// 2 (without config and tokenizer), 4 (torn), 8 and 10, a file and a folder that are none; 6 is missing.
fn mixed() -> Place {
    let place = place();
    checkpoint(&place, 2, 1, false);
    for step in [4, 8, 10] {
        checkpoint(&place, step, step, true);
    }
    let torn = place.read("trained/checkpoint-4/model.safetensors");
    place.write("trained/checkpoint-4/model.safetensors", &torn[..torn.len() / 2]);
    place.write("trained/trainer_log.txt", "step 1");
    fs::create_dir(place.path("trained/checkpoint-best")).unwrap();
    place
}

const WARNINGS: [&str; 3] = [
    "fsa: warning: trained: skipped what is no checkpoint: checkpoint-best, trainer_log.txt",
    "fsa: warning: trained: missing in the series: checkpoint-6",
    "fsa: warning: trained/checkpoint-4 was skipped: trained/checkpoint-4/model.safetensors: ",
];

fn assert_warnings(lines: &[&str]) {
    assert_eq!(lines.len(), WARNINGS.len(), "{lines:?}");
    for (line, want) in lines.iter().zip(WARNINGS) {
        assert!(line.starts_with(want), "{line}");
    }
}

fn steps(place: &Place, out: &str) -> Vec<String> {
    let rows = table(place, &format!("{out}/label_ratio.csv"), COLUMNS);
    assert!(rows.iter().all(|row| row["method"] == "checkpoints"));
    rows.iter().filter(|row| row["task"] == "rte").map(|row| row["step"].clone()).collect()
}

#[test]
fn what_cannot_be_measured_is_named_and_the_rest_is_measured() {
    let place = mixed();
    let output = place.fsa(&format!("{OVER} --json --out out"));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_warnings(&said.lines().collect::<Vec<_>>());
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&printed["rows"], &printed["skipped"]), (&Value::from(9), &Value::from(4)));
    assert_eq!(steps(&place, "out"), ["2", "8", "10"]);
    assert!(!place.path("out/outputs/step-4").exists());

    // A finished run still knows.
    let output = place.fsa(&format!("{OVER} --json --out out --resume"));
    assert_eq!(stderr(&output), "fsa: warning: the run in the folder is done already; its results follow\n");
    assert!(serde_json::from_slice::<Value>(&output.stdout).unwrap() == printed);

    let output = place.fsa(&format!("{OVER} --strict --out strict"));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    let (last, warnings) = lines.split_last().unwrap();
    assert_warnings(warnings);
    assert!(last.starts_with("fsa: error: trained: entries that could not be measured: 4 (--strict)"), "{last}");
    assert_same(&place, "out", "strict");
}

#[test]
fn strict_is_content_with_a_whole_series() {
    let place = place();
    for step in [3, 20, 100] {
        checkpoint(&place, step, step, true);
    }
    // By number and not by name.
    place.done(&format!("{OVER} --strict --out out"));
    assert_eq!(steps(&place, "out"), ["3", "20", "100"]);
}

#[test]
fn a_second_checkpoint_of_a_step_is_named() {
    let place = place();
    checkpoint(&place, 8, 1, true);
    fs::create_dir(place.path("trained/checkpoint-08")).unwrap();
    let output = place.fsa(&format!("{OVER} --out out"));
    assert_eq!(output.status.code(), Some(0));
    let said = stderr(&output);
    assert_eq!(said, "fsa: warning: trained: skipped what is no checkpoint: checkpoint-08\n");
    assert_eq!(steps(&place, "out"), ["8"]);
}

#[test]
fn a_dry_run_lists_the_checkpoints_and_writes_nothing() {
    let place = mixed();
    let before = files(&place.path("."));
    for (run, steps) in [(OVER, "[2,4,8,10]"), (TRAIN, "[0,3,6]")] {
        let output = place.fsa(&format!("{run} --dry-run --json --out out"));
        assert_eq!(output.status.code(), Some(0));
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(plan["steps"].to_string(), steps, "{plan}");
        assert!(plan["time"]["total_s"].as_f64().unwrap() > 0.0, "{plan}");
    }
    assert!(before == files(&place.path(".")));
}

#[test]
fn a_checkpoint_gives_what_the_model_itself_gives() {
    let place = place();
    checkpoint(&place, 2, 1, true);
    checkpoint(&place, 4, 2, false);
    place.done(&format!("{OVER} --out over"));
    // As a model, the other needs its own config and tokenizer.
    for file in ["config.json", "tokenizer.json"] {
        place.write(&format!("trained/checkpoint-4/{file}"), place.read(&format!("model/{file}")));
    }
    let same = "target,seed,task,shots,n,label_ratio,label_ratio_lo,label_ratio_hi,label_ratio_first_word,label_mass,\
        score,score_lo,score_hi,metric,out_label,out_empty,out_runaway,out_copy,out_wrong_language,out_other";
    for step in [2, 4] {
        let out = format!("fresh-{step}");
        place.done(&format!(
            "{TRAIN} --model trained/checkpoint-{step} --steps 0 --label-smoothing 0 --z-loss 0 --out {out}"
        ));
        let of = |out: &str, name: &str, columns: &str, step: u64, same: &str| {
            let rows = table(&place, &format!("{out}/{name}"), columns);
            let rows = rows.iter().filter(|row| row["step"] == step.to_string());
            rows.map(|row| fields(row, same)).collect::<Vec<_>>()
        };
        let fresh = of(&out, "label_ratio.csv", COLUMNS, 0, same);
        assert_eq!(fresh.len(), 3);
        assert_eq!(of("over", "label_ratio.csv", COLUMNS, step, same), fresh);
        let loss = "n,score,metric,loss";
        assert_eq!(
            of("over", "target.csv", TARGET_COLUMNS, step, loss),
            of(&out, "target.csv", TARGET_COLUMNS, 0, loss)
        );
        for evaluation in ["web_questions-2shot", "wmt16_ende-0shot"] {
            assert_eq!(answers(&place, "over", step, evaluation), answers(&place, &out, 0, evaluation));
        }
    }
    let over = table(&place, "over/target.csv", TARGET_COLUMNS);
    assert_ne!(over[0]["loss"], over[1]["loss"]);
}

#[test]
fn numbers_that_are_none_belong_to_their_checkpoint() {
    let place = place();
    for step in [2, 4, 6] {
        checkpoint(&place, step, step, true);
    }
    let mut weights = place.weights("trained/checkpoint-4");
    let shape = weights["encoder.final_layer_norm.weight"].shape().clone();
    let nan = candle_core::Tensor::full(f32::NAN, shape, &candle_core::Device::Cpu).unwrap();
    weights.insert("encoder.final_layer_norm.weight".into(), nan);
    place.save("trained/checkpoint-4", &weights);
    let output = place.fsa(&format!("{OVER} --out out"));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.starts_with("fsa: warning: trained/checkpoint-4 was skipped: "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(steps(&place, "out"), ["2", "6"]);
}

#[test]
fn a_checkpoint_of_another_model_is_left_out() {
    let place = place();
    for step in [2, 4, 6] {
        checkpoint(&place, step, step, true);
    }
    // Fewer words than the tokenizer has, in config and weights alike.
    let config = place.text("trained/checkpoint-4/config.json").replace("288", "100");
    place.write("trained/checkpoint-4/config.json", config);
    let mut weights = place.weights("trained/checkpoint-4");
    for name in ["shared.weight", "lm_head.weight"] {
        let fewer = weights[name].narrow(0, 0, 100).unwrap().contiguous().unwrap();
        weights.insert(name.into(), fewer);
    }
    place.save("trained/checkpoint-4", &weights);
    let output = place.fsa(&format!("{OVER} --out out"));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.starts_with("fsa: warning: trained/checkpoint-4 was skipped: "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(steps(&place, "out"), ["2", "6"]);
}

#[test]
fn a_folder_with_nothing_to_measure_is_refused() {
    let place = place();
    let said = place.refusal(&format!("{OVER} --out out"));
    assert!(said.starts_with("trained: --checkpoints: "), "{said}");
    fs::create_dir(place.path("trained")).unwrap();
    place.write("trained/notes.txt", "none here");
    assert_eq!(
        place.refusal(&format!("{OVER} --out out")),
        "trained: --checkpoints: it has no checkpoint-N folder in it; give the output folder of the trainer"
    );
    for step in [2, 4] {
        checkpoint(&place, step, 1, true);
        place.write(&format!("trained/checkpoint-{step}/model.safetensors"), "torn");
    }
    let output = place.fsa(&format!("{OVER} --out out"));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let last = said.lines().last().unwrap();
    assert_eq!(
        last,
        "fsa: error: --checkpoints: none of its checkpoints could be measured; look at the warnings above"
    );
    assert!(said.contains("trained/checkpoint-2 was skipped") && said.contains("trained/checkpoint-4 was skipped"));
}
