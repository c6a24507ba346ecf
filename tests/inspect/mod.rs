//! What a model's folder is and holds, by `fsa inspect` and `fsa tokenize`; adapters and series of checkpoints in the place of a
//! model.

mod adapters;
mod added_tokens;
mod folders;
mod readme;
mod tokens;

use std::fs;

use serde_json::Value;

use crate::run::support::*;

/// What `fsa inspect ARGUMENTS --json` prints, and the line that it ends with, if it says that something is wrong.
fn inspected(place: &Place, arguments: &str) -> (Value, Option<String>) {
    let output = place.fsa(&format!("inspect {arguments} --json"));
    let said = stderr(&output);
    let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments}: {error}: {said}"));
    match output.status.code() {
        Some(0) => {
            assert_eq!(said, "", "{arguments}");
            (value, None)
        }
        code => {
            assert_eq!(code, Some(1), "{arguments}: {said}");
            (value, Some(complaint(&said)))
        }
    }
}

/// Makes the folder `name` of the files in the fixture `from` whose names begin so.
pub fn copy(place: &Place, from: &str, begin: &str, name: &str) {
    fs::create_dir_all(place.path(name)).unwrap();
    for file in fs::read_dir(fixture(from)).unwrap().map(|file| file.unwrap()) {
        if file.file_name().to_str().unwrap().starts_with(begin) {
            fs::copy(file.path(), place.path(name).join(file.file_name())).unwrap();
        }
    }
}

/// Makes `adapter` an adapter of PEFT's whose base is called `base`.
pub fn adapter(place: &Place, kind: &str, name: &str, base: &str) {
    copy(place, &format!("adapters/{kind}"), "adapter_", name);
    let mut config: Value = serde_json::from_str(&place.text(&format!("{name}/adapter_config.json"))).unwrap();
    config["base_model_name_or_path"] = base.into();
    place.write(&format!("{name}/adapter_config.json"), config.to_string());
}

/// Makes `name` the model that the adapters of the fixtures belong to, with a tokenizer of as many words as its embedding has rows
/// for.
pub fn small_base(place: &Place, name: &str) {
    copy(place, "t5/v1_1_untied", "config.json", name);
    copy(place, "t5/v1_1_untied", "model.safetensors", name);
    place.write(&format!("{name}/tokenizer.json"), words_json());
}

fn words_json() -> String {
    let words = "True False They say that the river is near school was found came home late in evening does not sleep long a \
        small house this old teacher rain market town letter where number here Q A Translate English to German The It rains";
    let special = ["<pad>", "</s>", "<unk>"];
    let vocabulary: serde_json::Map<String, Value> = special
        .into_iter()
        .chain(words.split_whitespace())
        .zip(0..)
        .map(|(word, id)| (word.into(), id.into()))
        .collect();
    let added = special.iter().zip(0..).map(|(content, id)| {
        serde_json::json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true})
    });
    serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added.collect::<Vec<_>>(), "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"},
    })
    .to_string()
}
