//! What `fsa inspect` says of folders: whole ones in every layout, and damaged ones, each with the line that names the damage.

use std::fs;

use serde_json::{Value, json};

use super::*;

const COMMANDS: [&str; 7] = ["generate", "dump", "label-ratio", "gradient-align", "compare", "bench", "tokenize"];

/// The texts of a list.
fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn the_embedded_model_is_told_block_by_block() {
    let place = Place::new();
    let (of, problem) = inspected(&place, "");
    assert_eq!((&of["path"], problem), (&json!("mini"), None));
    assert_eq!(texts(&of["usable_by"]), COMMANDS);
    assert_eq!(of["note"], fsa::spec::MINI_NOTE);
    let model = &of["model"];
    let (loaded, report) = fsa::model::load("mini".as_ref()).unwrap();
    assert_eq!(model["params"], loaded.params().count() as u64);
    assert_eq!(model["architecture"]["model_type"], "t5");
    assert_eq!(model["architecture"]["vocab_size"], loaded.config().shape.vocab_size);
    let blocks = model["blocks"].as_array().unwrap();
    let sum = |key: &str| blocks.iter().map(|block| block[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("params"), sum("tensors")), (loaded.params().count() as u64, report.loaded as u64));
    let stack = |name: &str| blocks.iter().filter(|block| block["name"].as_str().unwrap().starts_with(name)).count();
    assert_eq!(stack("encoder."), loaded.config().shape.num_layers + 1);
    let weights = &model["weights"];
    assert_eq!((&weights["layout"], &weights["sharded"]), (&json!("safetensors"), &json!(false)));
    assert_eq!(weights["tensors"]["needed"], report.loaded);
    assert_eq!(weights["tensors"]["head"], if report.tied { "embedding" } else { "own" });
    let tokenizer = &model["tokenizer"];
    assert_eq!((&tokenizer["file"], &tokenizer["kind"]), (&json!("tokenizer.json"), &json!("Unigram")));
    assert_eq!(tokenizer["sentinels"]["count"], fsa::tokenizer::words::SENTINELS);
    assert_eq!(tokenizer["sentinels"]["place"], "behind-pieces");
    assert_eq!(
        tokenizer["special"],
        json!([{"token": "<pad>", "id": 0}, {"token": "</s>", "id": 1}, {"token": "<unk>", "id": 2}])
    );
    let memory = model["memory"].as_array().unwrap();
    assert_eq!(memory.iter().map(|of| of["work"].as_str().unwrap()).collect::<Vec<_>>(), ["alignment", "training"]);
    assert!(memory.iter().all(|of| of["low_memory_mib"].as_u64() < of["mib"].as_u64()), "{memory:?}");
}

#[test]
fn every_layout_is_named() {
    let place = Place::new();
    for (name, config, from, begin, layout, sharded, dtype, head) in [
        ("single", "v1_1_untied", "t5/v1_1_untied", "model", "safetensors", false, "float32", "own"),
        ("sharded", "v1_1_untied", "layouts/sharded", "pytorch_model", "pytorch", true, "float32", "own"),
        ("saved", "v1_1_untied", "layouts/saved", "pytorch_model", "pytorch", false, "float32", "own"),
        ("saved-sharded", "v1_1_untied", "layouts/saved_sharded", "model", "safetensors", true, "float32", "own"),
        ("tied", "v1_0_tied_relu", "layouts/tied", "pytorch_model", "pytorch", false, "float32", "embedding"),
        ("f16", "v1_1_untied", "layouts/f16", "model", "safetensors", false, "float16", "own"),
        ("f16-torch", "v1_1_untied", "layouts/f16", "pytorch_model", "pytorch", false, "float16", "own"),
        ("bf16", "v1_1_untied", "layouts/bf16", "pytorch_model", "pytorch", false, "bfloat16", "own"),
        ("mt5", "mt5", "t5/mt5", "model", "safetensors", false, "float32", "own"),
    ] {
        copy(&place, from, begin, name);
        copy(&place, &format!("t5/{config}"), "config.json", name);
        place.write(&format!("{name}/tokenizer.json"), words_json());
        let (of, problem) = inspected(&place, name);
        assert_eq!(problem, None, "{name}");
        assert_eq!(texts(&of["usable_by"]), COMMANDS, "{name}");
        let weights = &of["model"]["weights"];
        let dtypes: Vec<&str> =
            weights["dtypes"].as_array().unwrap().iter().map(|it| it["dtype"].as_str().unwrap()).collect();
        assert_eq!(dtypes, [dtype], "{name}");
        assert_eq!((&weights["layout"], &weights["sharded"]), (&json!(layout), &json!(sharded)), "{name}");
        assert_eq!(weights["tensors"]["head"], head, "{name}");
        assert_eq!((&weights["tensors"]["missing"], &weights["tensors"]["unused"]), (&json!([]), &json!([])), "{name}");
        let (loaded, _) = fsa::model::load(&place.path(name)).unwrap();
        assert_eq!(of["model"]["params"], loaded.params().count() as u64, "{name}");
    }
}

#[test]
fn values_are_not_read() {
    let place = Place::new();
    fs::create_dir(place.path("huge")).unwrap();
    // Eight GiB of embedding that take no room on the disk: whoever reads them notices.
    let config = CONFIG.replace("288", "2097152").replace("\"d_model\": 16", "\"d_model\": 1024");
    place.write("huge/config.json", &config);
    place.write("huge/tokenizer.json", words_json());
    let config = fsa::model::T5Config::parse(&config, "config.json".as_ref()).unwrap();
    let mut at = 0;
    let mut header = serde_json::Map::new();
    for (name, shape) in fsa::model::load::shapes(&config) {
        let end = at + 4 * shape.iter().product::<usize>();
        header.insert(name, json!({"dtype": "F32", "shape": shape, "data_offsets": [at, end]}));
        at = end;
    }
    let header = Value::from(header).to_string();
    let start = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
    place.write("huge/model.safetensors", &start);
    let file = fs::OpenOptions::new().write(true).open(place.path("huge/model.safetensors")).unwrap();
    if file.set_len((start.len() + at) as u64).is_err() {
        println!("skipped: the file system has no room for a sparse file of {at} bytes");
        return;
    }
    let begun = std::time::Instant::now();
    let (of, problem) = inspected(&place, "huge");
    assert_eq!(problem, None);
    assert!(of["model"]["params"].as_u64().unwrap() > 2 << 30);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}

#[test]
fn what_is_wrong_with_a_model_is_named_and_all_else_is_told() {
    let place = Place::new();
    let whole = place.weights("model");
    let name = "decoder.block.1.layer.1.EncDecAttention.k.weight";
    let other = "encoder.block.0.layer.0.SelfAttention.q.weight";
    let mut weights = whole.clone();
    weights.remove(name);
    weights.insert(other.into(), whole["lm_head.weight"].clone());
    weights.insert("what.is.this".into(), whole[name].clone());
    place.save("model", &weights);
    let (of, problem) = inspected(&place, "model");
    let tensors = &of["model"]["weights"]["tensors"];
    assert_eq!(tensors["missing"], json!([name]));
    assert_eq!(tensors["unused"], json!(["what.is.this"]));
    assert_eq!(tensors["misshapen"], json!([{"name": other, "stored": [288, 16], "wanted": [8, 16]}]));
    assert_eq!(texts(&of["usable_by"]), ["tokenize"]);
    assert_eq!(of["problems"].as_array().unwrap().len(), 2);
    let problem = problem.unwrap();
    assert!(
        problem.starts_with(&format!("it cannot be used as it is: model: the checkpoint lacks `{name}`; fetch")),
        "{problem}"
    );
    assert!(problem.ends_with("(and 1 more)"), "{problem}");
    place.save("model", &whole);
    assert_eq!(inspected(&place, "model").1, None);

    // A dtype that is not read.
    let mut weights = whole.clone();
    weights.insert(other.into(), whole[other].to_dtype(candle_core::DType::F64).unwrap());
    place.save("model", &weights);
    let (of, problem) = inspected(&place, "model");
    assert!(problem.unwrap().contains("1 of its tensors are float64, which is not read; save the model as float32"));
    assert_eq!(texts(&of["usable_by"]), ["tokenize"]);
    place.save("model", &whole);

    // A tokenizer with more tokens than the embedding has rows, none, and one that is none.
    let config = place.text("model/config.json");
    let tokenizer = place.text("model/tokenizer.json");
    place.write("model/config.json", config.replace("288", "200"));
    let mut fewer = whole.clone();
    for name in ["shared.weight", "lm_head.weight"] {
        fewer.insert(name.into(), whole[name].narrow(0, 0, 200).unwrap().contiguous().unwrap());
    }
    place.save("model", &fewer);
    let (of, problem) = inspected(&place, "model");
    let problem = problem.unwrap();
    assert!(
        problem.contains("has id 275, and the model's embedding has only 200 rows; the tokenizer is another"),
        "{problem}"
    );
    assert_eq!(of["model"]["tokenizer"]["spare_rows"], -76);
    assert_eq!(texts(&of["usable_by"]), ["bench", "tokenize"]);
    place.write("model/config.json", &config);
    place.save("model", &whole);
    fs::remove_file(place.path("model/tokenizer.json")).unwrap();
    let (of, problem) = inspected(&place, "model");
    assert!(problem.unwrap().contains("model: it has no tokenizer.json and no spiece.model"));
    assert_eq!(texts(&of["usable_by"]), ["bench"]);
    place.write("model/tokenizer.json", "{}");
    assert!(inspected(&place, "model").1.unwrap().contains("model/tokenizer.json: not a tokenizer that can be read"));
    place.write("model/tokenizer.json", tokenizer);

    // The layout before PyTorch 1.6, and no weights at all.
    fs::remove_file(place.path("model/model.safetensors")).unwrap();
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/torch/bare_pickle");
    fs::copy(corpus, place.path("model/pytorch_model.bin")).unwrap();
    let problem = inspected(&place, "model").1.unwrap();
    assert!(problem.contains("it is in the layout before PyTorch 1.6; convert it once: python -c"), "{problem}");
    fs::remove_file(place.path("model/pytorch_model.bin")).unwrap();
    let (of, problem) = inspected(&place, "model");
    assert!(problem.unwrap().contains("model: --model: it has no weights, none of model.safetensors"));
    assert_eq!(of["model"]["params"], whole.values().map(|it| it.elem_count() as u64).sum::<u64>() - 288 * 16);
}

#[test]
fn what_is_no_model_is_refused() {
    let place = Place::new();
    for (arguments, expected) in [
        (
            "none",
            "none: MODEL: there is no such folder; give a model folder, or the name of a model on the hub: OWNER/NAME",
        ),
        (
            "train.tsv",
            "train.tsv: MODEL: there is no such folder; give a model folder, or the name of a model on the hub: OWNER/NAME",
        ),
        (".", "./config.json: cannot read it: No such file or directory (os error 2); check the path"),
    ] {
        assert_eq!(place.refusal(&format!("inspect {arguments}")), expected);
    }
    place.write("model/config.json", "{\"model_type\": \"gpt2\", \"n_layer\": 2}");
    assert_eq!(
        place.refusal("inspect model"),
        "model/config.json: column model_type: model_type `gpt2` is not supported; fsa trains t5 and mt5"
    );
}

#[test]
fn a_trainers_folder_is_a_series() {
    let place = Place::new();
    small_base(&place, "base");
    adapter(&place, "lora", "out/checkpoint-2", "../../base");
    adapter(&place, "prompt", "out/checkpoint-10", "../../base");
    copy(&place, "t5/v1_1_untied", "model.safetensors", "out/checkpoint-100");
    place.write("out/trainer_state.json", "{}");
    let (of, problem) = inspected(&place, "out");
    assert_eq!(problem, None);
    let want = json!([
        {"step": 2, "kind": "LoRA"}, {"step": 10, "kind": "soft prompt"}, {"step": 100, "kind": "model"},
    ]);
    assert_eq!((&of["checkpoints"], texts(&of["usable_by"])), (&want, vec!["label-ratio --checkpoints"]));
    assert!(of.get("model").is_none() && of.get("adapter").is_none());
    fs::create_dir(place.path("out/checkpoint-200")).unwrap();
    let (of, problem) = inspected(&place, "out");
    assert_eq!(of["checkpoints"][3], json!({"step": 200, "kind": null}));
    assert!(problem.unwrap().contains("out/checkpoint-200: --model: it has no weights"));
    // As a model it is refused, with what to do.
    let said = place.refusal("generate --model out --prompt x");
    let advice =
        "give one of them, such as out/checkpoint-200, or all as --checkpoints of fsa gradient-align or label-ratio";
    assert_eq!(said, format!("out: --model: it holds 4 checkpoints, and is none; {advice}"));
}

#[test]
fn people_are_told_on_lines_of_a_terminals_width() {
    let place = Place::new();
    small_base(&place, "base");
    adapter(&place, "lora_all", "lora", "../base");
    adapter(&place, "prompt", "out/checkpoint-2", "../../base");
    for (arguments, expected) in [
        ("", "usable by   generate, dump, label-ratio, gradient-align, compare, bench, tokenize"),
        ("base", "model       T5 v1.1 (t5), "),
        ("lora", "adapter     LoRA, rank 2 on 36 maps (k, o, q, v, wi_0, wi_1, wo), times "),
        ("lora", "base model  `../base`: base"),
        ("out", "checkpoints 1 of a soft prompt, steps 2 to 2"),
    ] {
        let text = place.done(&format!("inspect {arguments}"));
        assert!(text.lines().any(|line| line.starts_with(expected)), "{expected}: {text}");
        assert!(text.lines().all(|line| line.chars().count() <= 96), "{text}");
    }
}
