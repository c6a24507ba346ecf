//! SentencePiece models against Google's library: the same ids and texts for every line (`spiece/` of the fixtures).

use std::fs;
use std::io::Read;

use flate2::read::GzDecoder;
use fsa::tokenizer::Tokenizer;
use serde_json::Value;

use super::support::fixture;

/// As the fixture's script has it.
const SENTINELS: usize = 100;

fn unpacked(file: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(fs::File::open(fixture(&format!("spiece/{file}.gz"))).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

fn tokenizer(name: &str) -> Tokenizer {
    Tokenizer::of_spiece(&unpacked(&format!("{name}.model")), SENTINELS, "spiece.model".into()).unwrap()
}

fn expected() -> serde_json::Map<String, Value> {
    serde_json::from_str(&fs::read_to_string(fixture("spiece/expected.json")).unwrap()).unwrap()
}

fn lines() -> Vec<String> {
    serde_json::from_slice(&unpacked("lines.json")).unwrap()
}

/// FNV-1a, 64 bits.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |value, byte| (value ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[test]
fn every_line_has_the_ids_and_the_text_that_google_gives() {
    let lines = lines();
    for (name, case) in expected() {
        let tokenizer = tokenizer(&name);
        let ids = unpacked(&format!("{name}.ids"));
        let mut ids = ids.as_chunks().0.iter().map(|pair| u32::from(u16::from_le_bytes(*pair)));
        let mut texts = Vec::new();
        for line in &lines {
            let count = ids.next().unwrap() as usize;
            let expected: Vec<u32> = ids.by_ref().take(count).collect();
            let mut ours = tokenizer.encode(line).unwrap();
            assert_eq!(ours.pop(), Some(tokenizer.eos()), "{name}: {line:?}");
            assert_eq!(ours, expected, "{name}: {line:?}");
            texts.push(tokenizer.decode(&ours, false).unwrap());
        }
        assert_eq!(ids.next(), None, "{name}");
        let count = case["lines"].as_u64().unwrap() as usize;
        assert!(count >= 2000 && count + case["with_sentinels"].as_u64().unwrap() as usize == lines.len(), "{name}");
        for (ours, expected) in texts.iter().zip(case["first"].as_array().unwrap()) {
            assert_eq!(ours, expected.as_str().unwrap(), "{name}");
        }
        assert_eq!(format!("{:016x}", hash(&texts[..count].join("\0"))), case["decoded"].as_str().unwrap(), "{name}");
    }
}

/// A line to which the tokenizers library gives other ids with the `tokenizer.json` that transformers makes of the model.
#[derive(serde::Deserialize)]
struct Differing {
    line: usize,
    ids: Vec<u32>,
}

#[test]
fn tokenizer_json_has_the_ids_of_the_tokenizers_library_where_they_differ_and_elsewhere() {
    let (name, lines) = ("unigram_nfkc", lines());
    let own = tokenizer(name);
    let json = Tokenizer::of_json(&unpacked(&format!("{name}.tokenizer.json")), "tokenizer.json".into()).unwrap();
    let mut differing: Vec<Differing> = serde_json::from_slice(&unpacked(&format!("{name}.differing.json"))).unwrap();
    let case = &expected()[name];
    assert_eq!(case["differing_in_transformers"].as_u64(), Some(differing.len() as u64));
    let count = case["lines"].as_u64().unwrap() as usize;
    let listed = fs::read_to_string(fixture("spiece/DIFFERENCES.md")).unwrap();
    differing.reverse();
    for (number, line) in lines[..count].iter().enumerate() {
        let ids = json.encode(line).unwrap();
        let mut expected = match differing.pop_if(|next| next.line == number) {
            Some(Differing { ids: expected, .. }) => {
                assert_ne!(ids, own.encode(line).unwrap(), "{line:?}");
                assert!(listed.contains(&format!("\n| {number} | ")), "{line:?}");
                expected
            }
            None => own.encode(line).unwrap(),
        };
        // Ended by one end of sequence, whatever the text ends in.
        while expected.last() == Some(&json.eos()) {
            expected.pop();
        }
        expected.push(json.eos());
        assert_eq!(ids, expected, "{line:?}");
    }
    assert!(differing.is_empty());
}

#[test]
fn sentinels_are_found_inside_the_vocabulary_and_behind_it() {
    for (name, case) in expected() {
        let tokenizer = tokenizer(&name);
        let (pieces, inside) = (case["vocab_size"].as_u64().unwrap() as usize, name.ends_with("_inside"));
        assert_eq!(tokenizer.vocab_size(), if inside { pieces } else { pieces + SENTINELS }, "{name}");
        let first = tokenizer.token_to_id("<extra_id_0>").unwrap();
        assert_eq!(tokenizer.token_to_id("<extra_id_1>"), Some(first - 1), "{name}");
        assert_eq!(tokenizer.token_to_id("<extra_id_100>"), None, "{name}");
        if !inside {
            assert_eq!(first as usize, pieces + SENTINELS - 1, "{name}");
        }
        let ids = tokenizer.encode("the bridge <extra_id_0> in 1890").unwrap();
        assert_eq!(ids.iter().filter(|id| **id == first).count(), 1, "{name}");
        assert!(tokenizer.decode(&ids, false).unwrap().contains("<extra_id_0>"), "{name}");
        let plain = tokenizer.decode(&ids, true).unwrap();
        assert!(!plain.contains("extra_id") && !plain.contains("</s>"), "{name}: {plain}");
        // Rows of a padded embedding that are no token.
        assert_eq!(tokenizer.decode(&[5000, 1], true).unwrap(), "", "{name}");
        assert!(tokenizer.check_vocab(tokenizer.vocab_size()).is_ok(), "{name}");
    }
}

#[test]
fn a_folder_says_how_many_sentinels_there_are_and_whether_the_model_is_used_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let read = || Tokenizer::from_dir(folder.path());
    let config = "tokenizer_config.json";
    write("spiece.model", &unpacked("unigram_nfkc.model"));
    let pieces = read().unwrap().vocab_size() - SENTINELS;
    let error = read().unwrap().check_vocab(pieces).unwrap_err().to_string();
    assert!(
        error.contains("spiece.model: token `<extra_id_0>` has id 999, and the model's embedding has only"),
        "{error}"
    );
    write(config, b"{\"extra_ids\": 7}");
    assert_eq!(read().unwrap().vocab_size(), pieces + 7);
    write(config, b"{\"extra_ids\": 0, \"other\": [1]}");
    assert_eq!(read().unwrap().vocab_size(), pieces);
    write(config, b"{\"extra_ids\": 1000000000000}");
    let error = read().unwrap_err().to_string();
    assert!(
        error.ends_with("column extra_ids: 1000000000000 sentinels are more than 10000; get the file again"),
        "{error}"
    );
    write(config, b"[");
    assert!(read().unwrap_err().to_string().contains("tokenizer_config.json:1: it is no description of a tokenizer"));
    assert_eq!(Tokenizer::file(folder.path()), Some(folder.path().join("spiece.model")));
    // tokenizer.json wins.
    write("tokenizer.json", &fs::read(fixture("tokenizer/tokenizer.json")).unwrap());
    assert_eq!(read().unwrap().vocab_size(), 276);
    assert_eq!(Tokenizer::file(folder.path()), Some(folder.path().join("tokenizer.json")));
}
