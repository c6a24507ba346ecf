//! Adapters as files: what fsa writes and reads again, what PEFT is to read, and what is refused.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use fsa::model::lora::LoraShape;
use fsa::model::peft::{Adapter, CONFIG, WEIGHTS, is_adapter, read_adapter};
use fsa::model::{T5, load};
use fsa::spec::Seeds;
use serde_json::{Value, json};

use super::adapters::{BASE, KINDS, attached, base, padded};
use super::support::*;

/// Every parameter's bits by its name.
pub fn bits(model: &T5) -> BTreeMap<String, Vec<u32>> {
    let of = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect();
    let params = model.params().iter();
    params.map(|p| (p.name().to_string(), of(p.value().flatten_all().unwrap().to_vec1().unwrap()))).collect()
}

fn logits(model: &T5) -> Vec<f64> {
    let padded = padded(model, &tensors("adapters/expected.safetensors"));
    values(&model.logits(&padded.batch(model, &[0, 1, 2, 3]), None).unwrap())
}

fn write(files: &[(&str, Vec<u8>)], dir: &Path) {
    std::fs::create_dir_all(dir).unwrap();
    files.iter().for_each(|(name, bytes)| std::fs::write(dir.join(name), bytes).unwrap());
}

/// `tests/fixtures/adapters.py` has PEFT read these files. After a wanted change of them, `FSA_UPDATE_SNAPSHOTS=1 cargo test
/// adapter_files` writes them anew.
#[test]
fn the_files_for_peft_are_what_fsa_writes() {
    for kind in KINDS {
        let files = attached(kind).adapter_files(BASE).unwrap();
        let dir = fixture(&format!("adapters/fsa_{kind}"));
        if std::env::var_os("FSA_UPDATE_SNAPSHOTS").is_some() {
            write(&files, &dir);
        }
        assert_eq!(files.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [CONFIG, WEIGHTS]);
        for (name, bytes) in files {
            assert!(std::fs::read(dir.join(name)).unwrap() == bytes, "{kind}: {name}");
        }
    }
}

#[test]
fn an_adapter_survives_its_files() {
    for kind in KINDS {
        let model = attached(kind);
        let files = model.adapter_files("some/base").unwrap();
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_adapter(dir.path()));
        write(&files, dir.path());
        assert!(is_adapter(dir.path()));
        let again = base().with_adapter(read_adapter(dir.path()).unwrap()).unwrap();
        assert!(bits(&again) == bits(&model), "{kind}");
        assert_eq!(logits(&again), logits(&model), "{kind}");
        assert!(again.adapter_files("some/base").unwrap() == files, "{kind}");
        // The values are PEFT's own, too.
        let peft = tensors(&format!("adapters/{kind}/{WEIGHTS}"));
        let ours = candle_core::safetensors::load(dir.path().join(WEIGHTS), &Device::Cpu).unwrap();
        assert_eq!(ours.len(), peft.len());
        for (name, tensor) in peft {
            assert_eq!(ours[&name].dims(), tensor.dims(), "{kind}: {name}");
            assert_eq!(values(&ours[&name]), values(&tensor), "{kind}: {name}");
        }
    }
}

#[test]
fn a_bare_model_is_the_model_before() {
    let base = base();
    let before = (bits(&base), logits(&base), base.to_safetensors().unwrap());
    assert!(base.adapter_files("base").unwrap().is_empty());
    for kind in KINDS {
        let model = attached(kind);
        assert!(bits(&model) != before.0 && logits(&model) != before.1, "{kind}");
        assert!(model.to_safetensors().unwrap() == before.2, "{kind}");
        let bare = model.bare().unwrap();
        assert!(bits(&bare) == before.0 && logits(&bare) == before.1, "{kind}");
        // Another adapter takes the place of the first.
        let twice = model.with_adapter(read_adapter(&fixture(&format!("adapters/{kind}"))).unwrap()).unwrap();
        assert!(bits(&twice) == bits(&model) && logits(&twice) == logits(&model), "{kind}");
    }
}

/// The line that refuses PEFT's adapter `kind` for the base `case`, its config changed by `change`.
fn refusal(kind: &str, case: &str, change: impl FnOnce(&mut Value)) -> String {
    let (from, dir) = (fixture(&format!("adapters/{kind}")), tempfile::tempdir().unwrap());
    let mut config: Value = serde_json::from_slice(&std::fs::read(from.join(CONFIG)).unwrap()).unwrap();
    change(&mut config);
    std::fs::write(dir.path().join(CONFIG), config.to_string()).unwrap();
    std::fs::copy(from.join(WEIGHTS), dir.path().join(WEIGHTS)).unwrap();
    let (model, _) = load(&fixture(&format!("t5/{case}"))).unwrap();
    let error = read_adapter(dir.path()).and_then(|adapter| model.with_adapter(adapter)).err().unwrap().to_string();
    error.replace(&dir.path().join(CONFIG).display().to_string(), CONFIG)
}

/// adapters.py checks that PEFT's own answers do not depend on the second half.
#[test]
fn of_a_prompt_of_two_parts_the_encoders_is_taken() {
    let (from, dir) = (fixture("adapters/prompt"), tempfile::tempdir().unwrap());
    let mut config: Value = serde_json::from_slice(&std::fs::read(from.join(CONFIG)).unwrap()).unwrap();
    config["num_transformer_submodules"] = json!(2);
    std::fs::write(dir.path().join(CONFIG), config.to_string()).unwrap();
    let rows = tensors(&format!("adapters/prompt/{WEIGHTS}"))["prompt_embeddings"].clone();
    let both = Tensor::cat(&[&rows, &rows.affine(2.0, 1.0).unwrap()], 0).unwrap();
    safetensors::serialize_to_file([("prompt_embeddings", &both)], None, &dir.path().join(WEIGHTS)).unwrap();
    let model = base().with_adapter(read_adapter(dir.path()).unwrap()).unwrap();
    assert!(bits(&model) == bits(&attached("prompt")) && logits(&model) == logits(&attached("prompt")));
}

#[test]
fn what_cannot_be_attached_is_refused_in_one_line() {
    let own = "v1_1_untied";
    let set = |key: &'static str, value: Value| move |config: &mut Value| config[key] = value;
    let merge =
        "which fsa does not have; merge it into its model with PEFT's merge_and_unload, and give the merged folder";
    for (said, expected) in [
        (
            refusal("prompt", "v1_0_tied_relu", |_| ()),
            "parameter prompt_embeddings: the soft prompt's rows have 16 numbers, and the model's 24; use a prompt that was \
             trained for this model"
                .to_string(),
        ),
        (
            refusal("prompt", own, set("num_virtual_tokens", Value::Null)),
            "adapter_config.json: it has no `num_virtual_tokens`; save the adapter again with PEFT's save_pretrained"
                .to_string(),
        ),
        (
            refusal("lora", "mt5", |_| ()),
            "parameter decoder.block.0.layer.0.SelfAttention.q: LoRA's matrices are [3, 16] and [16, 3], and the model has \
             [24, 16]; use an adapter that was trained for this model"
                .to_string(),
        ),
        (
            refusal("lora", own, set("peft_type", json!("IA3"))),
            "adapter_config.json: it is a `IA3`, which fsa cannot attach; fsa knows PROMPT_TUNING and LORA".to_string(),
        ),
        (
            refusal("lora", own, set("use_dora", json!(true))),
            format!("adapter_config.json: it was trained with `use_dora`, {merge}"),
        ),
        (
            refusal("lora", own, set("init_lora_weights", json!("pissa"))),
            format!("adapter_config.json: it was trained with `init_lora_weights`, {merge}"),
        ),
        (
            refusal("lora", own, set("modules_to_save", json!(["lm_head"]))),
            format!("adapter_config.json: it was trained with `modules_to_save`, {merge}"),
        ),
        (
            refusal("lora", own, set("rank_pattern", json!({"q": 8}))),
            format!("adapter_config.json: it was trained with `rank_pattern`, {merge}"),
        ),
        (
            refusal("lora", own, set("bias", json!("all"))),
            format!("adapter_config.json: it was trained with `bias`, {merge}"),
        ),
        (
            refusal("lora", own, set("r", json!(4))),
            "adapter_config.json: parameter base_model.model.decoder.block.0.layer.0.SelfAttention.q.lora_A.weight: its shape \
             [3, 16] does not go with rank 4; use the adapter_config.json that belongs to the weights"
                .to_string(),
        ),
    ] {
        assert_eq!(said, expected);
    }
}

#[test]
fn matrices_for_what_is_not_there_are_refused() {
    let Adapter::Lora(pairs, scale) = read_adapter(&fixture("adapters/lora")).unwrap() else { panic!("not LoRA") };
    let said = |module: &str, pairs: Vec<_>| {
        let mut pairs: Vec<(String, Tensor, Tensor)> = pairs;
        pairs[0].0 = module.to_string();
        base().with_lora(pairs, scale).err().unwrap().to_string()
    };
    assert_eq!(
        said("encoder.block.7.layer.0.SelfAttention.q", pairs.clone()),
        "parameter encoder.block.7.layer.0.SelfAttention.q: LoRA's matrices are [3, 16] and [16, 3], and the model has no such \
         map; use an adapter that was trained for this model"
    );
    // A head is a linear map too, and one that fits: kept without effect it would be a silent error.
    let mut on_head = pairs;
    on_head[0].2 = Tensor::zeros((72, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
    assert_eq!(
        said("lm_head", on_head),
        "parameter lm_head: fsa has no LoRA on it; merge the adapter into its model with PEFT's merge_and_unload, and give the \
         merged folder"
    );
    let shape = |target: &str| LoraShape { rank: 2, alpha: 2.0, target_modules: vec!["q".into(), target.into()] };
    for target in ["wi", "lm_head", "relative_attention_bias"] {
        let said = base().with_new_lora(&shape(target), Seeds::new(0)).err().unwrap().to_string();
        let maps = "its maps are called q, k, v, o, wi_0, wi_1, wo";
        assert_eq!(said, format!("--lora-targets: the model has no linear map called `{target}`; {maps}"));
    }
}

#[test]
fn half_a_pair_and_two_adapters_at_once_are_refused() {
    for (part, other) in [("lora_A", "lora_B"), ("lora_B", "lora_A")] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::copy(fixture("adapters/lora").join(CONFIG), dir.path().join(CONFIG)).unwrap();
        let mut weights = tensors(&format!("adapters/lora/{WEIGHTS}"));
        let module = "base_model.model.encoder.block.1.layer.0.SelfAttention.v";
        weights.remove(&format!("{module}.{part}.weight")).unwrap();
        candle_core::safetensors::save(&weights, dir.path().join(WEIGHTS)).unwrap();
        let said = read_adapter(dir.path()).err().unwrap().to_string();
        let lacks = format!("parameter {module}.{part}.weight: the adapter lacks this tensor; save the adapter again");
        assert!(said.contains(&lacks), "without {part}, with {other}: {said}");
    }
    let both = attached("lora").with_prompt(attached("prompt").prompt().unwrap().value().clone()).unwrap();
    assert!(both.adapter_files("base").err().unwrap().to_string().contains("soft prompt and LoRA at once"));
}
