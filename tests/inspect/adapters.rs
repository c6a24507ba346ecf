//! Adapters in a model's place and beside it.

use std::fs;

use serde_json::{Value, json};

use super::*;

const KINDS: [&str; 5] = ["lora", "lora_all", "prompt", "lora_pickled", "prompt_pickled"];
const GENERATE: &str = "--prompt They_say_that_the_river_is_long --max-new-tokens 8 --beams 2 --json";

#[test]
fn an_adapter_in_a_models_place_is_its_base_with_it() {
    let place = Place::new();
    small_base(&place, "base");
    place.write("batch.jsonl", "{\"source\": \"They say that the river is long\", \"target\": \"True\"}\n");
    let generate = |model: &str| place.done(&format!("generate --model {model} {GENERATE}"));
    let bare = generate("base");
    let mut seen = vec![bare.clone()];
    for kind in KINDS {
        adapter(&place, kind, kind, "../base");
        let beside = generate(&format!("base --adapter {kind}"));
        assert_eq!(generate(kind), beside, "{kind}");
        assert_ne!(beside, bare, "{kind}");
        seen.push(beside);
        for (model, out) in [(kind.to_string(), "whole"), (format!("base --adapter {kind}"), "beside")] {
            place.done(&format!("dump --model {model} --input batch.jsonl --out {kind}-{out}.safetensors"));
        }
        let dumped = |out: &str| place.read(&format!("{kind}-{out}.safetensors"));
        assert!(dumped("whole") == dumped("beside"), "{kind}");
        let tensors =
            candle_core::safetensors::load(place.path(&format!("{kind}-whole.safetensors")), &candle_core::Device::Cpu)
                .unwrap();
        // What goes in is without the prompt, and what is attached has gradients too.
        assert_eq!(tensors["input_ids"].dims(), [1, 8], "{kind}");
        let attached = tensors.keys().filter(|name| name.contains("lora_") || name.contains("prompt_")).count();
        assert!(attached > 0, "{kind}");
    }
    // Pickled is the same.
    assert_eq!((&seen[4], &seen[5]), (&seen[1], &seen[3]));
    // From the current folder, too, and the embedded model by its name.
    adapter(&place, "lora", "here", "base");
    assert_eq!(generate("here"), seen[1]);
    // bench takes it.
    let bench = "bench --batch-size 2 --source-len 6 --repeats 1 --warm-up 0 --threads 1 --work greedy --json";
    place.done(&format!("{bench} --model prompt"));
    // Gradients of the base with the adapter, as --adapter has them.
    let align = "gradient-align --train train.tsv --steps 1 --probe-every 1 --probe-batches 1 --batch-size 4 --shuffles 1 --quiet";
    place.done(&format!("{align} --threads 1 --model prompt --out whole"));
    place.done(&format!("{align} --threads 1 --model base --adapter prompt --out beside"));
    assert!(place.rows("whole") == place.rows("beside"));
    let info: Value = serde_json::from_str(&place.text("whole/run.json")).unwrap();
    let files = info["model"]["files"].to_string();
    for file in ["base/model.safetensors", "prompt/adapter_config.json", "prompt/adapter_model.safetensors"] {
        assert!(files.contains(file), "{file}: {files}");
    }
}

#[test]
fn adapters_are_told_with_their_base() {
    let place = Place::new();
    small_base(&place, "base");
    for kind in ["lora", "prompt"] {
        adapter(&place, kind, kind, "../base");
    }
    let (of, problem) = inspected(&place, "lora");
    assert_eq!(problem, None);
    let facts = &of["adapter"];
    assert_eq!((&facts["kind"], &facts["rank"], &facts["scale"]), (&json!("LoRA"), &json!(3), &json!(2.0)));
    assert_eq!((&facts["targets"], &facts["maps"]), (&json!(["q", "v"]), &json!(12)));
    assert_eq!((&facts["base"], &facts["base_path"]), (&json!("../base"), &json!("base")));
    assert_eq!(of["model"]["path"], "base");
    assert_eq!(
        of["usable_by"],
        json!(["generate", "dump", "label-ratio", "gradient-align", "compare", "bench", "tokenize"])
    );
    let (beside, _) = inspected(&place, "base --adapter lora");
    assert_eq!(beside["adapter"], of["adapter"]);
    let (of, _) = inspected(&place, "prompt");
    assert_eq!(of["usable_by"], json!(["generate", "dump", "label-ratio", "gradient-align", "bench", "tokenize"]));
    assert_eq!(
        (&of["adapter"]["kind"], &of["adapter"]["rows"], &of["adapter"]["width"]),
        (&json!("soft prompt"), &json!(5), &json!(16))
    );
    // Without its base, what can be known is still told.
    fs::remove_dir_all(place.path("base")).unwrap();
    let (of, problem) = inspected(&place, "prompt");
    assert_eq!((&of["adapter"]["rows"], of.get("model")), (&json!(5), None));
    assert_eq!(of["usable_by"], json!([]));
    let problem = problem.unwrap();
    assert!(
        problem.contains("its base model `../base` is no folder, seen from there or from here; give the model itself"),
        "{problem}"
    );
}

#[test]
fn an_adapter_that_does_not_go_with_its_base_is_one_clear_line() {
    let place = Place::new();
    small_base(&place, "base");
    let change = |name: &str, key: &str, value: Value| {
        let file = format!("{name}/adapter_config.json");
        let mut config: Value = serde_json::from_str(&place.text(&file)).unwrap();
        config[key] = value;
        place.write(&file, config.to_string());
    };
    for kind in ["lora", "prompt"] {
        adapter(&place, kind, kind, "../model");
    }
    place.model("wide", &CONFIG.replace("\"d_model\": 16", "\"d_model\": 32"));
    adapter(&place, "prompt", "narrow", "../wide");
    for name in ["nobody", "null", "second", "decoder", "empty"] {
        adapter(&place, "prompt", name, "../base");
    }
    change("nobody", "base_model_name_or_path", "models/google/mt5-small".into());
    change("null", "base_model_name_or_path", Value::Null);
    change("second", "base_model_name_or_path", "../prompt".into());
    change("decoder", "task_type", "CAUSAL_LM".into());
    fs::remove_file(place.path("empty/adapter_model.safetensors")).unwrap();
    let advice = |name: &str| format!("give the model itself: --model path/to/model --adapter {name}");
    let other = "use an adapter that was trained for this model";
    for (name, expected) in [
        ("lora", format!(
            "lora: --adapter: parameter decoder.block.0.layer.0.SelfAttention.q: LoRA's matrices are [3, 16] and [16, 3], and \
             the model has [8, 16]; {other}"
        )),
        ("narrow", "narrow: --adapter: parameter prompt_embeddings: the soft prompt's rows have 16 numbers, and the model's 32; \
            use a prompt that was trained for this model".into()),
        ("nobody", format!(
            "nobody/adapter_config.json: column base_model_name_or_path: its base model `models/google/mt5-small` is no folder, seen \
             from there or from here; {}", advice("nobody")
        )),
        ("null", format!(
            "null/adapter_config.json: column base_model_name_or_path: it does not name the model that the adapter belongs to; {}",
            advice("null")
        )),
        ("second", format!(
            "second/adapter_config.json: column base_model_name_or_path: its base model `../prompt` is an adapter itself; {}",
            advice("second")
        )),
        ("decoder", "decoder/adapter_config.json: --adapter: it belongs to a model without an encoder (task_type CAUSAL_LM); fsa \
            attaches adapters of t5 and mt5".into()),
        ("empty", "empty: --adapter: it has no adapter_model.safetensors and no adapter_model.bin; save the adapter again with \
            PEFT's save_pretrained".into()),
        ("prompt --adapter lora", "prompt: --model: it is an adapter, and lora is another; give their base model as --model, or \
            leave --adapter out".into()),
    ] {
        assert_eq!(place.refusal(&format!("generate --model {name} --prompt x")), expected);
    }
}

#[test]
fn a_base_of_another_name_is_warned_of_by_every_command() {
    let place = Place::new();
    small_base(&place, "base");
    adapter(&place, "lora", "lora", "google/t5-base");
    place.write("batch.jsonl", "{\"source\": \"They say that the river is long\", \"target\": \"True\"}\n");
    let wanted =
        "lora/adapter_config.json: it belongs to `google/t5-base`, which is by its name another model than `base`";
    let with = "base --adapter lora";
    for command in [
        format!("generate --model {with} {GENERATE}"),
        format!("dump --model {with} --input batch.jsonl"),
        format!("inspect {with}"),
        format!(
            "gradient-align --model {with} --train train.tsv --threads 1 --steps 1 --probe-every 1 --probe-batches 1 \
             --batch-size 4 --shuffles 1 --quiet --out out"
        ),
    ] {
        let output = place.fsa(&command);
        assert_eq!(
            (output.status.code(), stderr(&output)),
            (Some(0), format!("fsa: warning: {wanted}\n")),
            "{command}"
        );
    }
    let few = "--steps 1 --probe-every 1 --batch-size 4";
    let runs = [
        "gradient-align --train train.tsv --probe-batches 1",
        "label-ratio --file rte.train=train.tsv --file rte.validation=train.tsv --eval rte:1",
        "compare --file rte.train=train.tsv --file rte.validation=train.tsv --eval rte:0 --methods standard --report validation",
    ];
    for run in runs {
        let plan = place.done(&format!("{run} {few} --model {with} --threads 1 --dry-run --json"));
        assert!(plan.contains(wanted), "{plan}");
    }
}
