//! `fsa tokenize`.

use std::io::Write;
use std::process::Stdio;

use fsa::tokenizer::Tokenizer;
use serde_json::{Value, json};

use super::*;

/// What `fsa tokenize ARGUMENTS` prints, with `input` on its standard input.
fn said(place: &Place, arguments: &[&str], input: &str) -> String {
    let mut command = place.command("tokenize");
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn tokens_are_shown_with_what_they_are() {
    let place = Place::new();
    let text = "Q: zebra ☃ <extra_id_0>";
    let shown = said(&place, &["mini", text], "");
    let tokenizer = Tokenizer::from_dir("mini").unwrap();
    let ids = tokenizer.encode(text).unwrap();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], format!("{text}  ({} tokens)", ids.len()));
    let marked = |word: &str| lines.iter().filter(|line| line.ends_with(word)).count();
    assert_eq!((marked("unknown"), marked("sentinel"), marked("special")), (1, 1, 1), "{shown}");
    let first: Vec<u32> =
        lines[1..=ids.len()].iter().map(|line| line.split_whitespace().next().unwrap().parse().unwrap()).collect();
    assert_eq!(first, ids);
    // The snowman does not come back.
    assert!(lines.last().unwrap().starts_with(" decoded  Q: zebra "), "{shown}");
    let plain = said(&place, &["mini", "Q: zebra"], "");
    assert!(!plain.contains("decoded"), "{plain}");
}

#[test]
fn ids_json_standard_input_and_back() {
    let place = Place::new();
    let tokenizer = Tokenizer::from_dir("mini").unwrap();
    let texts = ["The cat sat.", "", "two  spaces"];
    let input: String = texts.iter().map(|text| format!("{text}\n")).collect();
    let want: Vec<Vec<u32>> = texts.iter().map(|text| tokenizer.encode(text).unwrap()).collect();
    let line = |ids: &Vec<u32>| ids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    let ids = said(&place, &["mini", "-", "--ids"], &input);
    assert_eq!(ids.lines().collect::<Vec<_>>(), want.iter().map(line).collect::<Vec<_>>());
    let objects = said(&place, &["mini", "-", "--json"], &input);
    let objects: Vec<Value> = objects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), texts.len());
    for ((object, text), ids) in objects.iter().zip(texts).zip(&want) {
        assert_eq!((&object["text"], &object["ids"]), (&json!(text), &json!(ids)));
        assert_eq!(object["same"], json!(object["decoded"] == object["text"]));
        assert_eq!(object["tokens"].as_array().unwrap().last().unwrap()["kind"], "special");
    }
    assert_eq!(objects[2]["same"], false);
    // And back.
    let back = said(&place, &["mini", "--decode", &line(&want[0])], "");
    assert_eq!(back, "The cat sat.</s>\n");
    let object: Value = serde_json::from_str(&said(&place, &["mini", "--decode", "1,0", "--json"], "")).unwrap();
    assert_eq!(object["tokens"][0], json!({"id": 1, "token": "</s>", "kind": "special"}));
    // An adapter's tokenizer is its base's.
    small_base(&place, "base");
    adapter(&place, "lora", "lora", "../base");
    assert_eq!(said(&place, &["lora", "the river", "--ids"], ""), said(&place, &["base", "the river", "--ids"], ""));
    let unknown = said(&place, &["base", "zebra"], "");
    assert!(unknown.contains("<unk>") && unknown.contains("unknown"), "{unknown}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let place = Place::new();
    for (arguments, expected) in [
        ("tokenize none x", "none: MODEL: there is no such folder; give a model folder"),
        ("tokenize mini --decode 1,x", "--decode: `x` is no id; give whole numbers, such as 12,7,1"),
        ("tokenize mini --decode 99999999", "--decode: no token has the id 99999999; ids go from 0 to "),
    ] {
        let said = place.refusal(arguments);
        assert!(said.starts_with(expected), "{said}");
    }
    let said = place.refusal("tokenize mini");
    assert!(said.contains("TEXT"), "{said}");
}
