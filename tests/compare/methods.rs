//! What each method trains and leaves alone, and what its rows say.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::support::*;

const STAGES: &str = "out/runs/rte-seed0/stages";

/// Every tensor of a safetensors file, as bits.
fn bits(place: &Place, file: &str) -> BTreeMap<String, Vec<u32>> {
    let tensors = candle_core::safetensors::load(place.path(file), &candle_core::Device::Cpu).unwrap();
    let of = |tensor: Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits);
    tensors.into_iter().map(|(name, tensor)| (name, of(tensor).collect())).collect()
}

/// The one kept checkpoint of a stage.
fn kept(place: &Place, stage: &str) -> String {
    let names = std::fs::read_dir(place.path(&format!("{STAGES}/{stage}"))).unwrap();
    let mut names: Vec<String> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(&names[1..], ["rows.jsonl", "stage.json"]);
    format!("{STAGES}/{stage}/{}", names[0])
}

#[test]
fn lora_in_a_models_place_is_the_model_that_it_is_merged_into() {
    use crate::inspect::{adapter, small_base};
    use fsa::model::{load, peft::read_adapter};
    let place = place();
    for name in ["base", "merged"] {
        small_base(&place, name);
    }
    for kind in ["lora", "prompt"] {
        adapter(&place, kind, kind, "../base");
    }
    let with = load(&place.path("base")).unwrap().0.with_adapter(read_adapter(&place.path("lora")).unwrap()).unwrap();
    place.write("merged/model.safetensors", with.merged().unwrap().to_safetensors().unwrap());
    for (model, out) in [("lora", "out"), ("merged", "other")] {
        place.done(&format!("{RUN} --model {model} --methods standard,prompt-tuning --out {out}"));
    }
    for file in ["compare.csv", "checkpoints.csv", "table.md"] {
        let text = |out: &str| place.text(&format!("{out}/{file}")).replace(out, "OUT");
        // The signature in the table names other files.
        let rows =
            |out: &str| text(out).lines().filter(|line| !line.contains("model:")).map(String::from).collect::<Vec<_>>();
        assert_eq!(rows("out"), rows("other"), "{file}");
    }
    // No folder has the model that the prompt was trained for, so it is beside the prompt.
    let kept = kept(&place, "prompt");
    assert_eq!(bits(&place, &format!("{kept}/model.safetensors")), bits(&place, "merged/model.safetensors"));
    assert!(place.text(&format!("{kept}/adapter/adapter_config.json")).contains("\"..\""));
    let info: serde_json::Value = serde_json::from_slice(&place.read("out/run.json")).unwrap();
    let signature = info["signature"].as_str().unwrap();
    assert!(signature.contains("|adapter:lora:") && signature.contains(":scale2:merged|"), "{signature}");
    assert_eq!(
        place.refusal(&format!("{RUN} --model prompt --out new")),
        "prompt: --adapter: it is a soft prompt, and methods attach prompts of their own; give its base as --model; \
         --prompt-file starts new prompts from this one"
    );
}

#[test]
fn each_stage_trains_its_own_parameters_and_no_others() {
    let place = place();
    place.done(&format!("{RUN} --methods promot,joint,random-prompt,promot-lora --out out"));
    let base = bits(&place, "model/model.safetensors");
    let (first, second) = (kept(&place, "prompt"), kept(&place, "prompt.model"));
    // The model was frozen: the prompt is all there is.
    assert!(!place.path(&format!("{first}/model.safetensors")).exists());
    let prompt = bits(&place, &format!("{first}/adapter/adapter_model.safetensors"));
    assert_eq!(prompt.keys().collect::<Vec<_>>(), ["prompt_embeddings"]);
    // And then the prompt was, bit for bit.
    assert_eq!(bits(&place, &format!("{second}/adapter/adapter_model.safetensors")), prompt);
    let moved = bits(&place, &format!("{second}/model.safetensors"));
    assert_eq!(moved.keys().collect::<Vec<_>>(), base.keys().collect::<Vec<_>>());
    for (name, values) in &moved {
        assert_ne!(values, &base[name], "{name} was not trained");
    }
    let lora = bits(&place, &format!("{}/adapter/adapter_model.safetensors", kept(&place, "lora")));
    assert!(lora.keys().all(|name| name.contains(".lora_A.") || name.contains(".lora_B.")));
    assert_eq!(bits(&place, &format!("{}/adapter/adapter_model.safetensors", kept(&place, "lora.model"))), lora);
    let joint = bits(&place, &format!("{}/adapter/adapter_model.safetensors", kept(&place, "joint")));
    assert_ne!(joint, prompt);
    // transformers finds what it needs beside the weights, and fsa its own kept checkpoint.
    for file in ["config.json", "tokenizer.json"] {
        assert_eq!(place.read(&format!("{second}/{file}")), place.read(&format!("model/{file}")));
    }
    place.done(&format!("{RUN} --model {second} --methods pretrained --out again"));
}

#[test]
fn a_prompt_alone_answers_other_tasks_as_the_model_as_it_came() {
    let place = place();
    place.done(&format!("{RUN} --out out"));
    let rows = table(&place, "out/compare.csv", COLUMNS);
    let of = |method: &str, attached: &str, task: &str| {
        let found =
            rows.iter().find(|row| fields(row, "method,prompt_attached,task") == format!("{method},{attached},{task}"));
        found.unwrap_or_else(|| panic!("no row of {method}, {attached}, {task}")).clone()
    };
    let answers = "score,score_lo,score_hi,label_ratio,label_mass,n,metric,shots,matched";
    for task in ["cb", "web_questions"] {
        let [alone, pretrained] = ["prompt-tuning", "pretrained"].map(|method| fields(&of(method, "0", task), answers));
        assert_eq!(alone, pretrained);
        let folder = |method: &str| format!("out/runs/rte-seed0/evaluated/{method}/outputs/{task}-1shot.jsonl");
        assert_eq!(place.read(&folder("prompt-tuning")), place.read(&folder("pretrained")));
    }
    // The format of cb is the target's: it is asked with the prompt too; web_questions are not, and the target only with it.
    assert_ne!(fields(&of("promot", "1", "cb"), "label_mass"), fields(&of("promot", "0", "cb"), "label_mass"));
    let of_promot: Vec<String> = rows
        .iter()
        .filter(|row| row["method"] == "promot")
        .map(|row| fields(row, "task,prompt_attached,matched"))
        .collect();
    assert_eq!(of_promot, ["rte,1,1", "cb,0,1", "cb,1,1", "web_questions,0,0"]);
    let of_standard: Vec<String> =
        rows.iter().filter(|row| row["method"] == "standard").map(|row| fields(row, "task,prompt_attached")).collect();
    assert_eq!(of_standard, ["rte,0", "cb,0", "web_questions,0"]);

    // Of every checkpoint there is a row, and the kept one is the first of the best.
    let checkpoints = table(&place, "out/checkpoints.csv", CHECKPOINT_COLUMNS);
    let steps = |method: &str, stage: &str| -> Vec<(u64, f64)> {
        let of = checkpoints.iter().filter(|row| row["method"] == method && row["stage"] == stage);
        of.map(|row| (row["step"].parse().unwrap(), number(row, "target_score"))).collect()
    };
    assert_eq!(steps("standard", "1").iter().map(|of| of.0).collect::<Vec<_>>(), [4, 8, 10]);
    assert_eq!(steps("promot", "1"), steps("prompt-tuning", "1"));
    assert_eq!(steps("promot", "1").iter().map(|of| of.0).collect::<Vec<_>>(), [5, 10]);
    for (method, stage) in [("standard", "1"), ("prompt-tuning", "1"), ("promot", "2")] {
        let steps = steps(method, stage);
        let top = steps.iter().map(|of| of.1).fold(f64::MIN, f64::max);
        let best = steps.iter().find(|of| of.1 == top).unwrap().0;
        let attached = if method == "standard" { "0" } else { "1" };
        assert_eq!(of(method, attached, "rte")["checkpoint_step"], best.to_string(), "{method}");
    }
    assert_eq!(of("pretrained", "0", "rte")["checkpoint_step"], "");
    // Every method's output to the same input stands beside the ground truth, and the paper's table has them all.
    let outputs = place.text("out/outputs.md");
    for line in
        ["## RTE, 0-shot, fine-tuned on RTE", "## CB, 1-shot, fine-tuned on RTE", "| ground truth | ", "| ProMoT | "]
    {
        assert!(outputs.contains(line), "no {line} in {outputs}");
    }
    assert!(place.text("out/table.md").contains("| Pretrained |") && place.text("out/table.tex").contains("\\toprule"));
    let pairs = table(&place, "out/paired.csv", PAIRED_COLUMNS);
    // Six pairs of four methods, on three tasks.
    assert_eq!(pairs.len(), 18);
    assert!(pairs.iter().all(|row| row["test"] == "mcnemar" && row["n"] == "6"));
    for figure in ["trade_off", "label_ratio_by_method", "tasks"] {
        assert!(place.path(&format!("out/figures/{figure}.svg")).is_file(), "{figure}");
    }
    // The same figures come from the rows alone, and with the paper's numbers other ones.
    let drawn = place.read("out/figures/tasks.svg");
    place.done("plot out");
    assert_eq!(place.read("out/figures/tasks.svg"), drawn);
    place.done("plot out --paper");
    assert_ne!(place.read("out/figures/tasks.svg"), drawn);
    // While the model is frozen, other tasks score as before training.
    let frozen: Vec<_> = checkpoints.iter().filter(|row| row["method"] == "prompt-tuning").collect();
    assert!(
        frozen.iter().all(|row| number(row, "mean_qa") == number(&of("pretrained", "0", "web_questions"), "score"))
    );
}

#[test]
fn a_shot_before_each_training_input_changes_training() {
    let place = place();
    place.done(&format!("{RUN} --methods standard,standard+1shot --out out"));
    let of = |stage: &str| bits(&place, &format!("{}/model.safetensors", kept(&place, stage)));
    assert_ne!(of("model"), of("model+1shot"));
}

#[test]
fn targets_are_trained_on_together_each_behind_its_own_prompt() {
    let place = place();
    place.done(&format!(
        "{RUN} --target rte,cb --methods multitask,multitask-promot,prompt-tuning --eval web_questions:1 --out out"
    ));
    let prompts = |path: &str| bits(&place, path)["prompt_embeddings"].clone();
    let stage = |target: &str| {
        let dir = place.path(&format!("out/runs/{target}-seed0/stages/prompt"));
        let kept = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let kept = kept.into_iter().find(|name| name.starts_with("kept-")).unwrap();
        prompts(&format!("out/runs/{target}-seed0/stages/prompt/{kept}/adapter/adapter_model.safetensors"))
    };
    let together = std::fs::read_dir(place.path("out/runs/rte+cb-seed0/stages/prompt.model")).unwrap();
    let together = together.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let kept = together.into_iter().find(|name| name.starts_with("kept-")).unwrap();
    let both = prompts(&format!("out/runs/rte+cb-seed0/stages/prompt.model/{kept}/adapter/adapter_model.safetensors"));
    assert_eq!(both, [stage("rte"), stage("cb")].concat());
    // Each two methods are compared once on a task, the targets of both too.
    let pairs = table(&place, "out/paired.csv", PAIRED_COLUMNS);
    let keys: Vec<String> = pairs.iter().map(|row| fields(row, "target,task,shots,method,other")).collect();
    assert!((1..keys.len()).all(|i| !keys[..i].contains(&keys[i])), "{keys:?}");
    assert!(keys.contains(&"rte+cb,cb,0,multitask,multitask-promot".to_string()), "{keys:?}");
    let rows = table(&place, "out/compare.csv", COLUMNS);
    let of: Vec<String> = rows
        .iter()
        .filter(|row| row["method"] == "multitask-promot")
        .map(|row| fields(row, "target,task,shots,prompt_attached"))
        .collect();
    assert_eq!(of, ["rte+cb,rte,0,1", "rte+cb,cb,0,1", "rte+cb,web_questions,1,0"]);
}

#[test]
fn gradients_of_the_second_stage_have_the_prompt_before_every_source() {
    let place = place();
    place.done(&format!("{RUN} --methods prompt-tuning --out out"));
    let adapter = format!("{}/adapter", kept(&place, "prompt"));
    let align = "gradient-align --config run.toml --quiet";
    place.done(&format!("{align} --out alone"));
    place.done(&format!("{align} --adapter {adapter} --out attached"));
    let (alone, attached) = (place.rows("alone"), place.rows("attached"));
    // The same parameters, the prompt not among them, and other numbers.
    let names = |rows: &[serde_json::Value]| rows.iter().map(|row| row["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&alone), names(&attached));
    assert!(attached.iter().all(|row| row["method"] == "promot" && row["stage"] == 2));
    assert!(alone.iter().all(|row| row["method"] == "standard" && row["stage"] == 1));
    assert!(alone.iter().zip(&attached).all(|(a, b)| a["norm_full"] != b["norm_full"]));
    assert!(place.text("attached/spec.toml").contains("adapter = "));
    let info: serde_json::Value = serde_json::from_slice(&place.read("attached/run.json")).unwrap();
    let file = info["model"]["files"].as_array().unwrap().last().unwrap();
    assert_eq!(file["path"], format!("{adapter}/adapter_model.safetensors"));
    let hash = &file["sha256"].as_str().unwrap()[..12];
    assert!(info["signature"].as_str().unwrap().contains(&format!("|adapter:prompt:{hash}|")));
    let said = place.refusal(&format!("{align} --adapter none --out refused"));
    assert!(said.starts_with("none/adapter_config.json: --adapter: cannot read it"), "{said}");
}
