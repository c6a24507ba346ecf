//! `fsa generate` with a tiny model of random weights: what the library decodes is what is printed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use fsa::model::{Packed, T5, T5Config};
use fsa::spec::{Decoding, LengthPenalty, Seeds};
use fsa::tokenizer::Tokenizer;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{fsa, stderr, stdout};

/// 12 more rows in its embedding than the fixture's tokenizer has tokens, as real models have.
const CONFIG: &str = r#"{"model_type": "t5", "vocab_size": 288, "d_model": 16, "d_kv": 4, "d_ff": 16, "num_layers": 2,
    "num_heads": 2, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": false}"#;

const PROMPTS: [&str; 3] = ["Q: who? A:", "the cat sat on the mat", "a"];

/// A folder with a model in it, and the model.
fn place() -> (TempDir, T5) {
    let folder = tempfile::tempdir().unwrap();
    let model = T5::random(T5Config::parse(CONFIG, Path::new("config.json")).unwrap(), Seeds::new(0)).unwrap();
    let params = model.params().iter().map(|param| (param.name().to_string(), param.value().clone()));
    let weights = params.collect::<BTreeMap<_, _>>();
    safetensors::serialize_to_file(weights, None, &folder.path().join("model.safetensors")).unwrap();
    fs::write(folder.path().join("config.json"), CONFIG).unwrap();
    let fixtures: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/fixtures/tokenizer/tokenizer.json"].iter().collect();
    fs::copy(fixtures, folder.path().join("tokenizer.json")).unwrap();
    let lines: Vec<String> = PROMPTS.iter().map(|prompt| json!({ "prompt": prompt, "more": 1 }).to_string()).collect();
    fs::write(folder.path().join("prompts.jsonl"), lines.join("\n\n")).unwrap();
    (folder, model)
}

/// What `fsa ARGUMENTS` prints; it must succeed in silence.
fn said(arguments: &str) -> String {
    let output = fsa(arguments);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{arguments}");
    stdout(&output)
}

#[test]
fn json_lines_hold_what_the_library_decodes() {
    let (folder, model) = place();
    let tokenizer = Tokenizer::from_dir(folder.path()).unwrap();
    let sources: Vec<Vec<u32>> = PROMPTS.iter().map(|prompt| tokenizer.encode(prompt).unwrap()).collect();
    let length_penalty = LengthPenalty::Hf(0.5);
    let decoding = Decoding { num_beams: 2, max_new_tokens: 12, min_new_tokens: 12, length_penalty };
    let outputs = model.generate(&Packed::new(&sources), &decoding).unwrap();
    let folder = folder.path().display();
    let common = format!(
        "generate --model {folder} --input {folder}/prompts.jsonl --beams 2 --max-new-tokens 12 --min-new-tokens 12 \
         --length-penalty hf --length-penalty-exponent 0.5 --threads 1"
    );
    for (flags, skip_special) in [("--batch-size 1", true), ("--keep-special", false)] {
        let lines: Vec<Value> =
            said(&format!("{common} {flags} --json")).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), PROMPTS.len());
        for ((line, output), prompt) in lines.iter().zip(&outputs).zip(PROMPTS) {
            let text = tokenizer.decode(&output.ids, skip_special).unwrap();
            assert_eq!((&line["prompt"], &line["output"]), (&json!(prompt), &json!(text)), "{flags}");
            assert_eq!((&line["ids"], &line["ended"]), (&json!(output.ids), &json!(output.ended)), "{flags}");
            // Sums of floats may differ in their last bits between batch sizes and numbers of threads.
            let (ours, theirs) = (line["score"].as_f64().unwrap(), output.score);
            assert!((ours - theirs).abs() <= 1e-5 * theirs.abs(), "{flags}: {ours} and {theirs}");
        }
        let text = said(&format!("{common} {flags}"));
        let texts: Vec<&str> = lines.iter().map(|line| line["output"].as_str().unwrap()).collect();
        assert_eq!(text, texts.iter().map(|text| format!("{text}\n")).collect::<String>());
    }
}

#[test]
fn one_prompt_is_one_line() {
    let (folder, _) = place();
    let model = folder.path().display();
    assert_eq!(said(&format!("generate --model {model} --prompt cat --max-new-tokens 3")).lines().count(), 1);
}

#[test]
fn bad_prompts_name_their_line_and_a_missing_model_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompts.jsonl");
    fs::write(&file, "{\"prompt\": \"a\"}\n{\"promt\": \"a\"}\n").unwrap();
    let output = fsa(&format!("generate --model no/such/model --input {}", file.display()));
    let text = stderr(&output);
    assert!(text.contains(&format!("{}:2: character ", file.display())), "{text}");
    assert!(text.trim_end().ends_with("missing field `prompt`; give {\"prompt\": \"…\"} on each line"), "{text}");
    let output = fsa("generate --model no/such/model --prompt p");
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""));
    assert!(stderr(&output).starts_with("fsa: error: no/such/model: "), "{}", stderr(&output));
}
