//! What cannot be run says so in one line, and leaves everything as it was.

use super::support::*;

#[test]
fn mistakes_are_named() {
    let place = place();
    for (arguments, wanted) in [
        ("--methods promt", "--methods: there is no method `promt`; did you mean `promot`? There are pretrained, "),
        ("--methods multitask", "--methods: `multitask` trains on several targets together; give --target two tasks"),
        ("--target rte,rte --methods standard", "--target: two targets have the name `rte`"),
        ("--prompt-length 0", "--prompt-length: must be at least 1, not 0"),
        ("--mix fair", "--mix: `fair` is no way to mix targets"),
        ("--trainable *", "--trainable: cannot be used here"),
        ("--eval cb:x", "--eval: `cb:x` is not a task with a number of shots"),
        ("--prompt-text a --prompt-file b", "--prompt-file: cannot be used with --prompt-text"),
        ("--lora-alpha 0", "--lora-alpha: must be a positive number"),
    ] {
        let said = place.refusal(&format!("{RUN} {arguments} --out out"));
        assert!(said.starts_with(wanted) || said.contains(wanted), "{arguments}: {said}");
    }
}

#[test]
fn adapters_of_other_models_are_refused() {
    let place = place();
    let config = CONFIG.replace("\"d_model\": 16", "\"d_model\": 8");
    place.model("narrow", &config);
    for (model, method) in [("narrow", "prompt-tuning"), ("model", "lora")] {
        place.done(&format!("{RUN} --model {model} --methods {method} --out {method}"));
    }
    let adapter = |method: &str, stage: &str| {
        let dir = place.path(&format!("{method}/runs/rte-seed0/stages/{stage}"));
        let kept = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        let kept = kept.into_iter().find(|path| path.display().to_string().contains("kept-")).unwrap();
        format!("{method}/runs/rte-seed0/stages/{stage}/{}/adapter", kept.file_name().unwrap().to_string_lossy())
    };
    let prompt = adapter("prompt-tuning", "prompt");
    for (file, wanted) in [
        (prompt.clone(), "prompt_embeddings: the soft prompt's rows have 8 numbers, and the model's 16"),
        (adapter("lora", "lora"), "it is LoRA, not a soft prompt"),
        ("none".to_string(), "none/adapter_config.json: --prompt-file: cannot read it"),
    ] {
        let said = place.refusal(&format!("{RUN} --methods prompt-tuning --prompt-file {file} --out out"));
        assert!(said.contains(wanted), "{file}: {said}");
    }
    let output = place
        .fsa(&format!("{RUN} --model narrow --methods prompt-tuning --prompt-length 4 --prompt-file {prompt} --out o"));
    let said = complaint(&stderr(&output));
    assert!(said.contains("the prompt has 3 rows; give --prompt-length 3"), "{said}");
}

#[test]
fn a_resumed_run_must_be_the_same() {
    let place = place();
    place.done(&format!("{RUN} --methods standard --out out"));
    let said = place.refusal(&format!("{RUN} --methods standard --lr 0.01 --out out --resume"));
    assert!(said.contains("the run in it had another spec: `lr = 0.02` then"), "{said}");
    assert!(said.contains("`lr = 0.01` now"), "{said}");
    let said = place.refusal(&format!("{RUN} --methods standard --out out"));
    assert!(said.starts_with("out: --out: the folder is not empty"), "{said}");
    place.done(&format!("{RUN} --methods standard --out out --force"));
}
