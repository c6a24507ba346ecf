//! The readers of a model's files on whole and damaged ones: the corpus of the fuzzers (`fuzz/corpus`), and what takes too much room
//! to be stored. Each ends in a value or in an error of one line.

use std::fs;
use std::path::{Path, PathBuf};

use fsa::fuzz::{TARGETS, Target};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// Rounds of the search that runs with the other tests, for each file; the ignored one does [`MANY`].
const FEW: usize = 60;
const MANY: usize = 100_000;

fn corpus((name, _): &Target) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let named = |file: &PathBuf| (file.file_name().unwrap().to_str().unwrap().to_string(), fs::read(file).unwrap());
    files.iter().map(named).collect()
}

fn target(name: &str) -> Target {
    *TARGETS.iter().find(|(target, _)| *target == name).unwrap()
}

/// What the reader `name` says to `bytes`.
fn refusal(name: &str, bytes: &[u8]) -> String {
    target(name).1(bytes).unwrap_err().to_string()
}

#[test]
fn every_file_of_the_corpus_is_read_or_refused_in_one_line() {
    for target in TARGETS {
        let files = corpus(&target);
        assert!(files.len() >= 7, "{}", target.0);
        for (file, bytes) in files {
            match (target.1(&bytes), file.starts_with("ok")) {
                (Ok(()), true) => {}
                (Err(error), false) => {
                    let (said, kind) = (error.to_string(), error.kind());
                    assert!(said.len() < 700 && !said.contains(['\n', '\r', '\u{1b}']), "{}/{file}: {said}", target.0);
                    assert!(said.contains("; "), "{}/{file} says nothing of what to do: {said}", target.0);
                    assert_eq!(kind, fsa::Kind::Input, "{}/{file}: {said}", target.0);
                }
                (result, _) => panic!("{}/{file}: {result:?}", target.0),
            }
        }
    }
}

#[test]
fn what_is_refused_is_named() {
    for (target_name, file, expected) in [
        ("pickle", "system", "its pickle asks for `os.system`, which is no part of a tensor and was not run"),
        ("pickle", "system_inst", "its pickle asks for `os.system`"),
        ("pickle", "system_stack_global", "its pickle asks for `os.system`"),
        ("pickle", "builtins_eval", "its pickle asks for `builtins.eval`"),
        ("pickle", "extension", "its pickle has the word 0x82, which no state dict needs"),
        ("pickle", "contains_itself", "parameter a: its state dict has a dict under this name, and no tensor"),
        ("pickle", "long_text", "its pickle breaks off; the file is damaged or incomplete: fetch or save it again"),
        ("pickle", "no_dict", "its pickle holds no state dict"),
        ("pickle", "many_axes", "its pickle has a tensor of impossible shape; the file is damaged"),
        (
            "pickle",
            "long_name",
            "its pickle has a text of 1025 bytes, which is the name of no tensor; get the weights as",
        ),
        ("torch", "command", "its pickle asks for `posix.system`"),
        ("torch", "command_protocol_4", "its pickle asks for `posix.system`"),
        (
            "torch",
            "bare_pickle",
            "it is in the layout before PyTorch 1.6; convert it once: python -c 'import sys, torch; f = sys.argv[1]; ",
        ),
        ("torch", "checkpoint", "parameter epoch: its state dict has a number under this name, and no tensor"),
        ("torch", "truncated", "its archive cannot be read: "),
        ("torch", "short_storage", "parameter a: its storage should have 8 numbers and has 4; the file is damaged"),
        ("torch", "no_storage", "parameter a: the archive lacks its storage"),
        ("torch", "huge_size", "parameter a: its shape [1152921504606846976] does not lie in its storage of 8"),
        ("torch", "expanded", "parameter a: its shape [1048576, 1048576] does not lie in its storage of 1"),
        ("torch", "compressed", "in it is compressed; PyTorch compresses nothing: save the model again"),
        ("torch", "other_storage", "its pickle asks for `torch.QuantStorage`"),
        ("torch", "quantised", "its pickle asks for `torch._utils._rebuild_qtensor`"),
        ("torch", "big_endian", "its numbers are big-endian"),
        ("spiece", "word", "spiece.model: it is of the type 3, and fsa knows Unigram (1) and BPE (2)"),
        ("spiece", "characters", "spiece.model: it is of the type 4, and fsa knows Unigram (1) and BPE (2)"),
        ("spiece", "lacks_bytes", "it falls back to bytes and lacks pieces for some"),
        ("spiece", "no_end", "it has no end-of-sequence token `</s>`"),
        ("spiece", "no_protobuf", "it is no SentencePiece model: "),
        ("spiece", "table_of_long_text", "its table of replaced characters is damaged"),
        (
            "tokenizer_config",
            "far_id",
            "its added token `far` has the id 4000000000, far behind its 4 pieces; get the file again",
        ),
        ("tokenizer_config", "no_special_map", "special_tokens_map.json:1: it is no list of special tokens: "),
        (
            "parquet",
            "delta_count_2",
            ":1: cannot read it as parquet: Parquet error: the lengths of a page's values are cut off; ",
        ),
        ("tokenizer_json", "no_json", "tokenizer.json: not a tokenizer that can be read"),
    ] {
        let bytes = corpus(&target(target_name)).into_iter().find(|(name, _)| name == file).unwrap().1;
        let said = refusal(target_name, &bytes);
        assert!(said.contains(expected), "{target_name}/{file}: {said}");
    }
}

#[test]
fn neither_depth_nor_length_nor_repetition_costs_more_than_the_steps_allowed() {
    let too_long = "its pickle takes more than 1048576 steps";
    // A tuple in a tuple in a tuple: whatever walks it, or frees it, by recursion ends in a stack overflow.
    let nested = |count| [b"\x80\x02N".as_slice(), &vec![0x85; count], b"."].concat();
    assert!(refusal("pickle", &nested(1_000_000)).starts_with("its pickle holds no state dict"));
    assert!(refusal("pickle", &nested(5_000_000)).starts_with(too_long));
    assert!(refusal("pickle", &vec![b'}'; 5_000_000]).starts_with(too_long));
    assert!(refusal("pickle", &vec![b'('; 5_000_000]).starts_with(too_long));
    // Each tuple is the one before it twice: 2^1000 values if they were copied.
    let doubled: Vec<u8> = (0..250u8).flat_map(|key| [b'h', key, b'h', key, 0x86, b'q', key + 1]).collect();
    let doubled = [b"\x80\x02Nq\x00".as_slice(), &doubled, b"."].concat();
    assert!(refusal("pickle", &doubled).starts_with("its pickle holds no state dict"));
    assert!(refusal("spiece", &vec![0; 17 << 20]).contains("no SentencePiece model has more than 16777216"));
}

/// `bytes` with a few of them changed, cut out, doubled, or made a number at the end of its range.
fn mutated(bytes: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.random_range(1..5) {
        if bytes.is_empty() {
            break;
        }
        let at = random.random_range(0..bytes.len());
        let end = (at + random.random_range(1..32)).min(bytes.len());
        match random.random_range(0..6) {
            0 => bytes[at] = random.random(),
            1 => bytes[at] ^= 1 << random.random_range(0..8),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                let number = [0, 1, u64::MAX, i64::MAX as u64, u32::MAX.into(), 1 << 31][random.random_range(0..6)];
                let width = [1, 2, 4, 8][random.random_range(0..4)];
                bytes[at..].iter_mut().zip(number.to_le_bytes()).take(width).for_each(|(byte, new)| *byte = new);
            }
        }
    }
    bytes
}

fn search(rounds: usize) {
    for (target, stream) in TARGETS.into_iter().zip(0..) {
        let mut random = ChaCha8Rng::seed_from_u64(stream);
        for (_, bytes) in corpus(&target) {
            for _ in 0..rounds {
                let _ = target.1(&mutated(&bytes, &mut random));
            }
        }
    }
}

#[test]
fn a_few_random_changes_make_no_reader_panic() {
    search(FEW);
}

#[test]
#[ignore = "a search of minutes to hours, for those who change a reader"]
fn many_random_changes_make_no_reader_panic() {
    search(MANY);
}
