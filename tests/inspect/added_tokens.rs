//! Tokens that a folder adds to its spiece.model, as transformers reads them (`spiece/added.json` and `added_v4.json` of the fixtures).

use std::fs;
use std::io::Read;

use flate2::read::GzDecoder;
use fsa::tokenizer::Tokenizer;
use fsa::tokenizer::describe::Kind;
use serde_json::Value;

use crate::run::support::fixture;

fn expected() -> Value {
    serde_json::from_str(&fs::read_to_string(fixture("spiece/added.json")).unwrap()).unwrap()
}

fn folder(files: &[(&str, String)]) -> tempfile::TempDir {
    folder_of("unigram_nfkc", files)
}

fn folder_of(model: &str, files: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let model = fixture(&format!("spiece/{model}.model.gz"));
    let mut bytes = Vec::new();
    GzDecoder::new(fs::File::open(model).unwrap()).read_to_end(&mut bytes).unwrap();
    fs::write(folder.path().join("spiece.model"), bytes).unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    folder
}

/// The files of a case, with their names.
fn files(case: &Value) -> Vec<(&str, String)> {
    case["files"].as_object().unwrap().iter().map(|(name, file)| (name.as_str(), file.to_string())).collect()
}

fn ids(list: &Value) -> Vec<u32> {
    list.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

#[test]
fn texts_are_cut_at_added_tokens_as_transformers_cuts_them() {
    for (name, case) in expected()["cases"].as_object().unwrap() {
        let folder = folder_of(expected()["model"].as_str().unwrap(), &files(case));
        let tokenizer = Tokenizer::from_dir(folder.path()).unwrap();
        assert_eq!(tokenizer.vocab_size() as u64, case["tokens"].as_u64().unwrap(), "{name}");
        for row in case["texts"].as_array().unwrap() {
            let (text, decoded) = (row["text"].as_str().unwrap(), row["decoded"].as_str().unwrap());
            let token_ids = tokenizer.encode(text).unwrap();
            assert_eq!(token_ids, ids(&row["ids"]), "{name}: {text}");
            assert_eq!(tokenizer.decode(&token_ids[..token_ids.len() - 1], false).unwrap(), decoded, "{name}: {text}");
        }
        let description = tokenizer.describe();
        assert_eq!(description.others.len(), usize::from(name != "nothing"), "{name}: {description:?}");
        assert_eq!(description.largest_id.unwrap() as usize + 1, tokenizer.vocab_size(), "{name}");
        // An embedding without a row for it is another model's.
        let rows = tokenizer.vocab_size() - 1;
        assert!(tokenizer.check_vocab(rows).is_err() && tokenizer.check_vocab(rows + 1).is_ok(), "{name}");
    }
}

#[test]
fn folders_that_list_no_ids_are_read_as_version_4_reads_them() {
    let cases: Value = serde_json::from_str(&fs::read_to_string(fixture("spiece/added_v4.json")).unwrap()).unwrap();
    for case in cases.as_array().unwrap() {
        let said = format!("{}: {}", case["model"], case["files"]);
        let folder = folder_of(case["model"].as_str().unwrap(), &files(case));
        let tokenizer = Tokenizer::from_dir(folder.path()).unwrap();
        assert_eq!(tokenizer.vocab_size() as u64, case["tokens"].as_u64().unwrap(), "{said}");
        for (text, want) in case["texts"].as_object().unwrap() {
            assert_eq!(tokenizer.encode(text).unwrap(), ids(want), "{said}: {text}");
        }
    }
}

#[test]
fn lists_that_cannot_be_are_refused_in_one_line() {
    for (name, text, expected) in [
        ("added_tokens.json", "[1]", "added_tokens.json:1: it is no list of added tokens"),
        ("added_tokens.json", "{\"<sep>\": 5}", "spiece.model: its added token `<sep>` has the id 5 of a piece"),
        ("added_tokens.json", "{\"<a>\": 2000, \"<b>\": 2000}", "its added tokens `<a>` and `<b>` have one id, 2000"),
        ("added_tokens.json", "{\"<a>\": 950}", "its added tokens `<extra_id_49>` and `<a>` have one id, 950"),
        (
            "added_tokens.json",
            "{\"<extra_id_0>\": 2000}",
            "its added token `<extra_id_0>` should have the id 999, not 2000",
        ),
        (
            "added_tokens.json",
            "{\"<a>\": 21000}",
            "its added token `<a>` has the id 21000, far behind its 900 pieces; get",
        ),
        ("added_tokens.json", "{\"\": 2000}", "added_tokens.json: it adds a token that is empty; get the file again"),
        ("tokenizer_config.json", "{\"added_tokens_decoder\": {\"x\": {\"content\": \"<a>\"}}}", "has the id `x`; get"),
    ] {
        let folder = folder(&[(name, text.to_string())]);
        let said = Tokenizer::from_dir(folder.path()).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains('\n') && said.contains("; "), "{said}");
    }
}

/// As transformers before version 5, in folders that list no tokens with their ids.
#[test]
fn the_map_of_special_tokens_overrides_the_names_of_the_config() {
    let added = ("added_tokens.json", "{\"<a>\": 1000, \"<b>\": 1001, \"<c>\": 1002, \"<d>\": 1003}".to_string());
    // A list without sentinels would come before them.
    let config = "\"sep_token\": \"<a>\", \"additional_special_tokens\": [\"<extra_id_0>\", \"<b>\"]";
    let map =
        "{\"sep_token\": {\"content\": \"<c>\"}, \"additional_special_tokens\": [\"<extra_id_0>\", \"<b>\", \"<d>\"]}";
    let special = |config: String, files: &[(&str, String)]| -> Vec<u32> {
        let folder = folder(&[&[("tokenizer_config.json", config)], files].concat());
        let tokenizer = Tokenizer::from_dir(folder.path()).unwrap();
        (1000..1004).filter(|id| tokenizer.kind(*id) == Kind::Special).collect()
    };
    let both = [added.clone(), ("special_tokens_map.json", map.to_string())];
    assert_eq!(special(format!("{{{config}}}"), &[added]), [1000, 1001]);
    assert_eq!(special(format!("{{{config}}}"), &both), [1001, 1002, 1003]);
    assert_eq!(special("{}".into(), &both), [1001, 1002, 1003]);
    let listed = "\"added_tokens_decoder\": {\"1000\": {\"content\": \"<a>\", \"special\": true}}";
    assert_eq!(special(format!("{{{config}, {listed}}}"), &both), [1000, 1001]);
}
