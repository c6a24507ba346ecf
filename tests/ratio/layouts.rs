//! Series of checkpoints in other layouts than safetensors: what PyTorch saved, and adapters, whose numbers are those of the same
//! weights given otherwise, to the bit.

use std::fs;

use serde_json::Value;

use super::support::*;
use crate::inspect::{adapter, copy, small_base};

const SAME: &str = "target,seed,task,shots,n,label_ratio,label_ratio_lo,label_ratio_hi,label_ratio_first_word,label_mass,\
    score,score_lo,score_hi,metric,out_label,out_empty,out_runaway,out_copy,out_wrong_language,out_other";
const LOSS: &str = "n,score,metric,loss";

fn place_with_base() -> Place {
    let place = place();
    small_base(&place, "base");
    place
}

/// The numbers of one step of a run, whatever its method is called.
fn numbers(place: &Place, out: &str, step: u64) -> Vec<String> {
    [("label_ratio.csv", COLUMNS, SAME), ("target.csv", TARGET_COLUMNS, LOSS)]
        .into_iter()
        .flat_map(|(file, columns, same)| {
            let rows = table(place, &format!("{out}/{file}"), columns).into_iter();
            rows.filter(|row| row["step"] == step.to_string()).map(|row| fields(&row, same)).collect::<Vec<_>>()
        })
        .collect()
}

fn run_info(place: &Place, out: &str) -> Value {
    serde_json::from_str(&place.text(&format!("{out}/run.json"))).unwrap()
}

#[test]
fn a_series_that_pytorch_saved_is_the_series_of_safetensors_bit_for_bit() {
    let place = place_with_base();
    for (step, torch, safetensors) in [
        (2, "layouts/sharded", "t5/v1_1_untied"),
        (4, "layouts/f16", "layouts/f16"),
        (6, "layouts/bf16", "layouts/bf16"),
    ] {
        copy(&place, torch, "pytorch_model", &format!("torch/checkpoint-{step}"));
        copy(&place, safetensors, "model.safetensors", &format!("trained/checkpoint-{step}"));
        // What a trainer leaves beside weights is none of ours.
        place.write(&format!("torch/checkpoint-{step}/training_args.bin"), "anything");
    }
    place.done(&format!("{OVER} --model base --strict --out safetensors"));
    place.done(&format!("{} --model base --strict --out torch-out", OVER.replace("trained", "torch")));
    assert_same(&place, "safetensors", "torch-out");
    assert_ne!(numbers(&place, "safetensors", 2), numbers(&place, "safetensors", 6));
    // Each file of weights is known to the run, and the series to the signature.
    let info = run_info(&place, "torch-out");
    let files = info["model"]["files"].to_string();
    for file in ["checkpoint-2/pytorch_model-00002-of-00002.bin", "checkpoint-4/pytorch_model.bin"] {
        assert!(files.contains(file), "{file}: {files}");
    }
    assert!(!files.contains("training_args.bin"), "{files}");
    let signature = |out: &str| run_info(&place, out)["signature"].as_str().unwrap().to_string();
    let series =
        |out: &str| signature(out).split('|').find(|part| part.starts_with("checkpoints:")).unwrap().to_string();
    assert_eq!(series("torch-out").len(), "checkpoints:".len() + 12);
    assert_ne!(series("torch-out"), series("safetensors"));
}

#[test]
fn a_series_of_adapters_gives_what_each_gives_beside_its_base() {
    let place = place_with_base();
    let all = [(2, "lora"), (4, "lora_all"), (6, "prompt"), (8, "lora_pickled"), (10, "prompt_pickled")];
    for (step, kind) in all {
        adapter(&place, kind, &format!("trained/checkpoint-{step}"), "nowhere/at/base");
    }
    place.done(&format!("{OVER} --model base --strict --out over"));
    let fresh = "--steps 0 --label-smoothing 0 --z-loss 0";
    for (step, _) in all {
        let adapter = format!("trained/checkpoint-{step}");
        place.done(&format!("{TRAIN} --model base --adapter {adapter} {fresh} --out beside-{step}"));
        assert_eq!(numbers(&place, "over", step), numbers(&place, &format!("beside-{step}"), 0), "step {step}");
        assert_eq!(
            answers(&place, "over", step, "web_questions-2shot"),
            answers(&place, &format!("beside-{step}"), 0, "web_questions-2shot")
        );
    }
    // Pickled or not is the same; what is attached is not.
    assert_eq!(numbers(&place, "over", 8), numbers(&place, "over", 2));
    assert_eq!(numbers(&place, "over", 10), numbers(&place, "over", 6));
    place.done(&format!("{TRAIN} --model base {fresh} --out bare"));
    let bare = numbers(&place, "bare", 0);
    assert!(all.iter().all(|(step, _)| numbers(&place, "over", *step) != bare));
    // Base and adapter are named.
    let (info, over) = (run_info(&place, "beside-2"), run_info(&place, "over"));
    let hash = |info: &Value, name: &str| {
        let files = info["model"]["files"].as_array().unwrap().clone();
        let file = files.iter().find(|file| file["path"] == name).unwrap_or_else(|| panic!("no {name} in {files:?}"));
        file["sha256"].as_str().unwrap()[..12].to_string()
    };
    let adapter = "trained/checkpoint-2/adapter_model.safetensors";
    let signature = info["signature"].as_str().unwrap();
    let parts = [
        format!("|model:{}|", hash(&info, "base/model.safetensors")),
        format!("|adapter:lora:{}:scale2|", hash(&info, adapter)),
    ];
    assert!(parts.iter().all(|part| signature.contains(part)), "{signature}");
    assert_eq!(hash(&over, adapter), hash(&info, adapter));
    hash(&over, "trained/checkpoint-8/adapter_model.bin");
    hash(&over, "trained/checkpoint-6/adapter_config.json");
}

#[test]
fn whole_models_have_what_is_given_attached_and_adapters_of_others_are_left_out() {
    let place = place_with_base();
    copy(&place, "t5/v1_1_untied", "model.safetensors", "trained/checkpoint-2");
    adapter(&place, "prompt", "trained/checkpoint-4", "base");
    adapter(&place, "prompt", "prompt", "base");
    let output = place.fsa(&format!("{OVER} --model base --adapter prompt --out attached"));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(
        said,
        "fsa: warning: trained/checkpoint-4 was skipped: trained/checkpoint-4: --adapter: it is an adapter itself; leave it out\n"
    );
    place.done(&format!("{OVER} --model base --out bare"));
    // The same weights: as they are and behind the prompt.
    assert_eq!(numbers(&place, "bare", 4), numbers(&place, "attached", 2));
    assert_ne!(numbers(&place, "bare", 2), numbers(&place, "attached", 2));
    // The place's own model is half as wide in its heads.
    adapter(&place, "lora", "trained/checkpoint-6", "base");
    fs::remove_dir_all(place.path("trained/checkpoint-2")).unwrap();
    let output = place.fsa(&format!("{OVER} --out other"));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let name = "decoder.block.0.layer.0.SelfAttention.q";
    // By name, too, and once for all of them.
    assert_eq!(
        said,
        format!(
            "fsa: warning: trained/checkpoint-4/adapter_config.json: it belongs to `base`, which is by its name another model than \
             `model`\n\
             fsa: warning: trained/checkpoint-6 was skipped: trained/checkpoint-6: parameter {name}: LoRA's matrices are \
             [3, 16] and [16, 3], and the model has [8, 16]; use an adapter that was trained for this model\n"
        )
    );
    let plan: Value = serde_json::from_str(&place.done(&format!("{OVER} --dry-run --json --out other"))).unwrap();
    assert!(plan["warnings"].to_string().contains("it belongs to `base`, which is by its name another"), "{plan}");
}

#[test]
fn what_is_attached_stays_as_it_is_while_the_model_is_trained() {
    let place = place_with_base();
    adapter(&place, "prompt", "prompt", "../base");
    // An adapter in the model's place brings its base with it.
    place.done(&format!("{TRAIN} --model prompt --out whole"));
    place.done(&format!("{TRAIN} --model base --adapter prompt --out beside"));
    for step in [0, 3, 6] {
        assert_eq!(numbers(&place, "whole", step), numbers(&place, "beside", step));
    }
    assert_ne!(numbers(&place, "whole", 0), numbers(&place, "whole", 6));
    let spec = place.text("whole/spec.toml");
    assert!(spec.contains("model = \"base\"") && spec.contains("adapter = \"prompt\""), "{spec}");
    // Said what to train, it trains that.
    place.done(&format!("{TRAIN} --model prompt --trainable prompt_embeddings --out tuned"));
    assert_ne!(numbers(&place, "tuned", 6), numbers(&place, "whole", 6));
    let plan = place.done(&format!("{TRAIN} --model prompt --dry-run --json --out plan"));
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert!(plan["signature"].as_str().unwrap().contains("|adapter:prompt:"), "{plan}");
}
