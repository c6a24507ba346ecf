use super::*;

/// A small Unigram tokenizer, built as transformers builds T5's; `%POST%` and `%LIMITS%` are replaced.
const FILE: &str = r#"{
  "version": "1.0",
  %LIMITS%,
  "added_tokens": [
    {"id": 0, "content": "<pad>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
    {"id": 1, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
    {"id": 2, "content": "<unk>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}
  ],
  "normalizer": null,
  "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
  "post_processor": %POST%,
  "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
  "model": {"type": "Unigram", "unk_id": 2, "byte_fallback": false, "vocab": [
    ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], ["▁True", -1.0], ["▁False", -1.0], ["▁", -2.0], ["a", -3.0], ["b", -3.0]
  ]}
}"#;

const ADDS_EOS: &str = r#"{"type": "TemplateProcessing",
  "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
  "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
  "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}}"#;

const LIMITS: &str = r#""truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
  "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"}"#;

const NO_LIMITS: &str = r#""truncation": null, "padding": null"#;

fn read(file: &str) -> Result<Tokenizer, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tokenizer.json"), file).unwrap();
    Tokenizer::from_dir(folder.path())
        .map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

fn tokenizer(post: &str, limits: &str) -> Tokenizer {
    read(&FILE.replace("%POST%", post).replace("%LIMITS%", limits)).unwrap()
}

#[test]
fn every_text_ends_in_one_eos() {
    for post in [ADDS_EOS, "null"] {
        let tokenizer = tokenizer(post, NO_LIMITS);
        assert_eq!(tokenizer.eos(), 1);
        assert_eq!(tokenizer.encode("True False").unwrap(), [3, 4, 1]);
        assert_eq!(tokenizer.encode("True</s>").unwrap(), [3, 1]);
        assert_eq!(tokenizer.encode("").unwrap(), [1]);
    }
}

#[test]
fn nothing_is_cut_or_padded() {
    assert_eq!(tokenizer(ADDS_EOS, LIMITS).encode("True False ab").unwrap(), [3, 4, 5, 6, 7, 1]);
}

#[test]
fn ids_become_text_again() {
    let tokenizer = tokenizer(ADDS_EOS, NO_LIMITS);
    assert_eq!(tokenizer.decode(&[0, 3, 4, 1, 0], true).unwrap(), "True False");
    assert_eq!(tokenizer.decode(&[3, 1], false).unwrap().replace(' ', ""), "True</s>");
    assert_eq!(tokenizer.encode("q").unwrap(), [5, 2, 1]);
}

#[test]
fn the_vocabulary_must_fit_the_embedding() {
    let tokenizer = tokenizer("null", NO_LIMITS);
    assert_eq!(
        (tokenizer.vocab_size(), tokenizer.token_to_id("▁True"), tokenizer.token_to_id("True")),
        (8, Some(3), None)
    );
    assert!(tokenizer.check_vocab(8).is_ok() && tokenizer.check_vocab(128).is_ok());
    let error = tokenizer.check_vocab(7).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "tokenizer.json: token `b` has id 7, and the model's embedding has only 7 rows; \
             the tokenizer is another model's: put the model's own in its folder"
        ),
        "{error}"
    );
}

#[test]
fn missing_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let message = || Tokenizer::from_dir(folder.path()).unwrap_err().to_string();
    let next = "put the one that belongs to the model there";
    assert!(message().ends_with(&format!(": it has no tokenizer.json and no spiece.model; {next}")), "{}", message());
    std::fs::write(folder.path().join("spiece.model"), "").unwrap();
    assert!(
        message().ends_with(
            "spiece.model: it has 0 pieces for what is unknown, and should have one; get the file again \
                                 from where the model is from"
        ),
        "{}",
        message()
    );
    let nowhere = folder.path().join("nowhere");
    assert!(Tokenizer::from_dir(nowhere).unwrap_err().to_string().ends_with(
        "nowhere: there is no such folder; give a model folder, or the name of a model on the hub: OWNER/NAME"
    ));
}

#[test]
fn broken_files_are_one_line() {
    for file in ["", "{", "{}", "[1]", "{\"version\": \"1.0\",\n\"model\": {\"type\": \"Unigram\"}}", "\u{0}"] {
        let message = read(file).unwrap_err();
        assert!(
            message.starts_with("tokenizer.json: not a tokenizer that can be read: ") && !message.contains('\n'),
            "{message}"
        );
    }
    let without = FILE.replace("</s>", "<end>").replace("%POST%", "null").replace("%LIMITS%", NO_LIMITS);
    assert!(read(&without).unwrap_err().starts_with("tokenizer.json: it has no end-of-sequence token `</s>`"));
}
