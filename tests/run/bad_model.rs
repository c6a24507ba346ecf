//! Model folders that cannot be used: one line that names the file, the key or the parameter, and what to do; nothing is written.

use std::fs;
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::support::*;

const RUN: &str = "gradient-align --config run.toml --out new/out";
const WEIGHTS: &str = "model/model.safetensors";

/// What `gradient-align` refuses with; `dump` must refuse the same model in the same words.
fn refused(place: &Place) -> String {
    let said = place.refusal(RUN);
    assert_eq!(place.refusal("dump --model model --input batch.jsonl --out new.safetensors"), said);
    said
}

fn place() -> Place {
    let place = Place::new();
    place.write("batch.jsonl", "{\"source\": \"the river is long\", \"target\": \"True\"}\n");
    place
}

#[test]
fn what_is_not_there_is_named() {
    let place = place();
    let said = place.refusal("gradient-align --config run.toml --model none --out new/out");
    assert_eq!(
        said,
        "none: --model: there is no such folder; give a model folder, or the name of a model on the hub: OWNER/NAME"
    );
    let said = place.refusal("gradient-align --config run.toml --model train.tsv --out new/out");
    assert_eq!(
        said,
        "train.tsv: --model: there is no such folder; give a model folder, or the name of a model on the hub: OWNER/NAME"
    );
    for (file, expected) in [
        ("config.json", "model/config.json: cannot read it: No such file or directory (os error 2); check the path"),
        (
            "tokenizer.json",
            "model: it has no tokenizer.json and no spiece.model; put the one that belongs to the model there",
        ),
        (
            "model.safetensors",
            "model: --model: it has no weights, none of model.safetensors, model.safetensors.index.json, pytorch_model.bin, \
             pytorch_model.bin.index.json; save the model",
        ),
    ] {
        let name = format!("model/{file}");
        let bytes = place.read(&name);
        fs::remove_file(place.path(&name)).unwrap();
        let said = refused(&place);
        assert!(said.starts_with(expected), "{said}");
        place.write(&name, bytes);
    }
    place.write("model/spiece.model", "");
    fs::remove_file(place.path("model/tokenizer.json")).unwrap();
    assert!(refused(&place).starts_with("model/spiece.model: it has 0 pieces for what is unknown"));
}

#[test]
fn weights_that_are_cut_off_or_garbage_are_damaged() {
    let place = place();
    let whole = place.read(WEIGHTS);
    let header = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let cuts = [0, 4, 7, 8, 8 + header / 2, 8 + header, (8 + header + whole.len()) / 2, whole.len() - 1];
    let mut garbage = vec![0u8; 4096];
    let mut random = ChaCha8Rng::seed_from_u64(0);
    garbage.fill_with(|| random.random());
    let mut files: Vec<Vec<u8>> = cuts.iter().map(|&length| whole[..length].to_vec()).collect();
    files.push(garbage.clone());
    // Garbage under a length that could be one, and a whole header over data that is too long.
    files.push([&1000u64.to_le_bytes(), garbage.as_slice()].concat());
    files.push([whole.as_slice(), &[0]].concat());
    for bytes in files {
        place.write(WEIGHTS, &bytes);
        let said = refused(&place);
        let remedy = "the file is damaged or incomplete: fetch or save it again";
        assert!(said.starts_with("model/model.safetensors: it"), "{} bytes: {said}", bytes.len());
        assert!(said.ends_with(remedy), "{} bytes: {said}", bytes.len());
    }
}

#[test]
fn weights_of_pytorch_that_are_no_weights_are_refused() {
    let place = place();
    fs::remove_file(place.path(WEIGHTS)).unwrap();
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/torch");
    for (file, expected) in [
        (
            "command",
            "its pickle asks for `posix.system`, which is no part of a tensor and was not run; get the weights as",
        ),
        (
            "bare_pickle",
            "it is in the layout before PyTorch 1.6; convert it once: python -c 'import sys, torch; f = sys.argv[1]; ",
        ),
        ("truncated", "its archive cannot be read: "),
        (
            "short_storage",
            "parameter a: its storage should have 8 numbers and has 4; the file is damaged or incomplete",
        ),
        (
            "huge_size",
            "parameter a: its shape [1152921504606846976] does not lie in its storage of 8; the file is damaged",
        ),
        ("ok", "parameter shared.weight: the checkpoint lacks this tensor; the file is damaged or incomplete"),
    ] {
        place.write("model/pytorch_model.bin", fs::read(corpus.join(file)).unwrap());
        let said = refused(&place);
        assert!(said.starts_with(&format!("model/pytorch_model.bin: {expected}")), "{file}: {said}");
    }
}

#[test]
fn tensors_that_do_not_fit_the_config_are_named() {
    let place = place();
    let tensors = place.weights("model");
    let name = "decoder.block.1.layer.1.EncDecAttention.k.weight";

    let mut fewer = tensors.clone();
    fewer.remove(name);
    place.save("model", &fewer);
    let said = refused(&place);
    assert!(said.starts_with(&format!("model/model.safetensors: parameter {name}: the checkpoint lacks")), "{said}");

    let mut other = tensors.clone();
    other.insert(name.into(), Tensor::zeros((8, 17), DType::F32, &Device::Cpu).unwrap());
    place.save("model", &other);
    assert_eq!(
        refused(&place),
        format!(
            "model/model.safetensors: parameter {name}: its shape is [8, 17]; config.json makes it [8, 16]; use the \
             config.json that belongs to the weights"
        )
    );

    for dtype in [DType::F64, DType::I64, DType::U8, DType::F8E4M3] {
        other.insert(name.into(), Tensor::zeros((8, 16), dtype, &Device::Cpu).unwrap());
        place.save("model", &other);
        let shown = if dtype == DType::F8E4M3 { "F8_E4M3".to_string() } else { format!("{dtype:?}") };
        assert_eq!(
            refused(&place),
            format!(
                "model/model.safetensors: parameter {name}: its dtype {shown} is not supported; save the model as float32, \
                 float16 or bfloat16"
            )
        );
    }

    place.save("model", &tensors);
    place.write("model/config.json", CONFIG.replace("\"d_model\": 16", "\"d_model\": 24"));
    assert_eq!(
        refused(&place),
        "model/model.safetensors: parameter shared.weight: its shape is [288, 16]; config.json makes it [288, 24]; use the \
         config.json that belongs to the weights"
    );
}

#[test]
fn configs_that_cannot_be_name_their_key_or_line() {
    let place = place();
    for (from, to, expected) in [
        (
            "\"model_type\": \"t5\"",
            "\"model_type\": \"llama\"",
            "model/config.json: column model_type: model_type `llama` is not supported; fsa trains t5 and mt5",
        ),
        (
            "gated-gelu",
            "tanh",
            "model/config.json: column feed_forward_proj: activation `tanh` is not supported; fsa has relu, gated-relu, ",
        ),
        ("\"gated-gelu\"", "7", "model/config.json: column feed_forward_proj: activation `7` is not supported; "),
        (
            "\"num_heads\": 2",
            "\"num_heads\": 0",
            "model/config.json: column num_heads: 0 cannot be; use the config.json",
        ),
        ("\"num_layers\": 2", "\"num_layers\": 200000000", "model/config.json: column num_layers: 200000000 cannot be"),
        ("\"num_heads\": 2", "\"num_heads\": \"two\"", "model/config.json: it is not a T5 config: "),
        ("\"d_model\": 16,", "\"d_model\": 16", "model/config.json:5: it is not a T5 config: "),
        ("\"eos_token_id\": 1", "\"eos_token_id\": 288", "model/config.json: column eos_token_id: 288 is outside"),
        (
            "\"decoder_start_token_id\": 0",
            "\"decoder_start_token_id\": 4294967297",
            "model/config.json: column decoder_start_token_id: 4294967297 is outside",
        ),
    ] {
        place.write("model/config.json", CONFIG.replacen(from, to, 1));
        let said = refused(&place);
        assert!(said.starts_with(expected), "{to}: {said}");
    }
    place.write("model/config.json", "");
    assert!(refused(&place).starts_with("model/config.json:1: it is not a T5 config: EOF"));
}

#[test]
fn a_vocabulary_smaller_than_the_tokenizers_is_named() {
    let place = place();
    place.model("small", &CONFIG.replace("288", "275"));
    for name in ["config.json", "model.safetensors"] {
        fs::rename(place.path("small").join(name), place.path("model").join(name)).unwrap();
    }
    assert_eq!(
        refused(&place),
        "model/tokenizer.json: token `<extra_id_0>` has id 275, and the model's embedding has only 275 rows; the tokenizer \
         is another model's: put the model's own in its folder"
    );
}

#[test]
fn half_precision_weights_are_read_and_unused_tensors_are_warned_of() {
    let place = place();
    let mut tensors = place.weights("model");
    for tensor in tensors.values_mut() {
        *tensor = tensor.to_dtype(DType::BF16).unwrap();
    }
    place.save("model", &tensors);
    place.done("gradient-align --config run.toml --out half --quiet");
    tensors.insert(
        "encoder.block.7.layer.0.layer_norm.weight".into(),
        Tensor::zeros(16, DType::BF16, &Device::Cpu).unwrap(),
    );
    place.save("model", &tensors);
    let output = place.fsa("gradient-align --config run.toml --out more --quiet");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        stderr(&output),
        "fsa: warning: model: 1 tensors of the checkpoint have no place in the model, \
         `encoder.block.7.layer.0.layer_norm.weight` first; they were not used\n"
    );
    assert_eq!(place.text("half/rows.jsonl"), place.text("more/rows.jsonl"));
}

#[test]
fn a_sentencepiece_model_alone_is_a_tokenizer() {
    let place = place();
    fs::remove_file(place.path("model/tokenizer.json")).unwrap();
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/spiece");
    place.write("model/spiece.model", fs::read(corpus.join("ok_unigram")).unwrap());
    place.done("gradient-align --config run.toml --out out --quiet");
    let info = place.text("out/run.json");
    assert!(info.contains("model/spiece.model") && !info.contains("tokenizer.json"), "{info}");
    place.model("small", &CONFIG.replace("288", "120"));
    for name in ["config.json", "model.safetensors"] {
        fs::rename(place.path("small").join(name), place.path("model").join(name)).unwrap();
    }
    let said = refused(&place);
    assert!(said.starts_with("model/spiece.model: token `<extra_id_0>` has id "), "{said}");
    assert!(said.contains(", and the model's embedding has only 120 rows; "), "{said}");
}

#[test]
fn force_with_a_model_that_cannot_be_used_keeps_the_old_results() {
    let place = place();
    place.done("gradient-align --config run.toml --out out --quiet");
    let said = place.refusal("gradient-align --config run.toml --out out --force --model none");
    assert!(said.starts_with("none: --model: there is no such folder"), "{said}");
    let weights = place.read(WEIGHTS);
    place.write(WEIGHTS, &weights[..weights.len() / 2]);
    for how in ["--force", "--force --steps 2"] {
        place.refusal(&format!("gradient-align --config run.toml --out out {how}"));
    }
    place.write(WEIGHTS, weights);
    place.done("gradient-align --config run.toml --out out --force --steps 2 --quiet");
    assert!(place.rows("out").iter().all(|row| row["step"] != 4), "rows of the old run remain");
}
