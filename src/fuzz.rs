//! What fuzzers call: the readers of a model's files, of tasks and of data, and what is made of a model's outputs, each on bytes from
//! anywhere. They must end in a value or in an [`Error`](crate::Error) of one line. The targets in `fuzz/` and the test that replays
//! their corpus share this list.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::data::trim::{PREFIXES, trim};
use crate::data::{LabelSet, Task};
use crate::error::{Error, Result};
use crate::measure::bleu::{Statistics, Tokenizer as Bleu};
use crate::measure::outputs::{Kind, Output, Shot};
use crate::measure::rouge::rouge2;
use crate::measure::{Language, Normaliser};
use crate::model::weights::tried;
use crate::tokenizer::Tokenizer;

/// A reader and the folder of its corpus.
pub type Target = (&'static str, fn(&[u8]) -> Result<()>);

/// Every reader that is fuzzed.
pub const TARGETS: [Target; 11] = [
    ("safetensors", tried::safetensors),
    ("torch", tried::torch),
    ("pickle", tried::pickle),
    ("spiece", spiece),
    ("tokenizer_json", tokenizer_json),
    ("tokenizer_config", tokenizer_config),
    ("task_toml", task_toml),
    ("tsv", |bytes| examples("tsv", bytes)),
    ("jsonl", |bytes| examples("jsonl", bytes)),
    ("parquet", |bytes| examples("parquet", bytes)),
    ("outputs", outputs),
];

/// Texts that a tokenizer is tried with: spaces, a ligature, combining marks, controls, a sentinel, characters beyond the first plane.
const TEXTS: [&str; 3] = [
    "  Hello w\u{f6}rld \u{fb01} <extra_id_0>  \u{59d4}",
    "e\u{301}\u{323}aaaaaaa\u{0}\u{2581}[SEP]",
    "\u{1f600} \u{10ffff}",
];

/// A SentencePiece model of `<unk>`, `</s>`, `a` and `▁`.
const MODEL: &[u8] = b"\n\x09\n\x05<unk>\x18\x02\n\x08\n\x04</s>\x18\x03\n\x03\n\x01a\n\x05\n\x03\xe2\x96\x81";

/// Runs the reader `name` on `bytes`, whatever comes of it; a name that is no target's does nothing.
pub fn run(name: &str, bytes: &[u8]) {
    for (_, read) in TARGETS.iter().filter(|(target, _)| *target == name) {
        drop(read(bytes));
    }
}

fn spiece(bytes: &[u8]) -> Result<()> {
    tokenize(&Tokenizer::of_spiece(bytes, 100, "spiece.model".into())?)
}

fn tokenizer_json(bytes: &[u8]) -> Result<()> {
    tokenize(&Tokenizer::of_json(bytes, "tokenizer.json".into())?)
}

/// What stands beside a SentencePiece model: `tokenizer_config.json` and, each after a NUL, `added_tokens.json` and
/// `special_tokens_map.json`.
fn tokenizer_config(bytes: &[u8]) -> Result<()> {
    let mut files = bytes.splitn(3, |&byte| byte == 0);
    let folder = Temporary::folder()?;
    let named = ["tokenizer_config.json", "added_tokens.json", "special_tokens_map.json"].into_iter();
    for (name, content) in [("spiece.model", MODEL)].into_iter().chain(named.zip(&mut files)) {
        let path = folder.0.join(name);
        std::fs::write(&path, content).map_err(|source| Error::io("write", &path, source))?;
    }
    tokenize(&Tokenizer::from_dir(&folder.0)?)
}

fn tokenize(tokenizer: &Tokenizer) -> Result<()> {
    for text in TEXTS {
        let ids = tokenizer.encode(text)?;
        tokenizer.decode(&ids, true)?;
        tokenizer.decode(&ids, false)?;
    }
    Ok(())
}

fn task_toml(bytes: &[u8]) -> Result<()> {
    let file = Temporary::of("toml", bytes)?;
    Task::from_file(&file.0).map(drop)
}

/// Reads a split of a task with labels, and one of a task with several answers.
fn examples(ending: &str, bytes: &[u8]) -> Result<()> {
    let file = Temporary::of(ending, bytes)?;
    let rte = Task::named("rte")?.read(&file.0);
    Task::named("trivia_qa")?.read(&file.0).map(drop).or_else(|_| rte.map(drop))
}

/// Everything that is made of an output: the first line is a reference, the rest the output as decoded.
fn outputs(bytes: &[u8]) -> Result<()> {
    let text = String::from_utf8_lossy(bytes);
    let (reference, raw) = text.split_once('\n').unwrap_or(("", &text));
    let answer = trim(raw, &PREFIXES);
    assert_eq!(answer, trim(answer, &PREFIXES), "trimming what is trimmed changes nothing");
    let labels = LabelSet::new(vec!["True".into(), "False".into()])?;
    for language in Language::ALL {
        Kind::of(&Output {
            text: answer,
            label: labels.exact(answer),
            first_word: labels.first_word(answer),
            hit_limit: false,
            inputs: &[reference],
            shots: &[Shot { input: raw, answer: Some(reference) }],
            expected: Some(language),
        });
    }
    for normaliser in Normaliser::ALL {
        let is_alias = normaliser.matches(answer, &[answer, reference]);
        assert!(is_alias, "an answer matches itself");
    }
    for tokenizer in Bleu::ALL {
        let bleu = Statistics::of(answer, &[reference], tokenizer).score().score;
        assert!((0.0..=100.0 + 1e-9).contains(&bleu), "a BLEU score of {bleu}");
    }
    let rouge = rouge2(answer, reference);
    assert!((0.0..=1.0).contains(&rouge), "a ROUGE of {rouge}");
    Ok(())
}

/// A file or a folder for readers that want one; gone when it is dropped.
struct Temporary(PathBuf);

impl Temporary {
    fn of(ending: &str, bytes: &[u8]) -> Result<Self> {
        let path = Self::place(ending);
        std::fs::write(&path, bytes).map_err(|source| Error::io("write", &path, source))?;
        Ok(Self(path))
    }

    fn folder() -> Result<Self> {
        let path = Self::place("model");
        std::fs::create_dir(&path).map_err(|source| Error::io("create", &path, source))?;
        Ok(Self(path))
    }

    fn place(ending: &str) -> PathBuf {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // In memory, where the system has such a place: a fuzzer writes thousands in a second.
        let folder = Some(Path::new("/dev/shm")).filter(|folder| folder.is_dir());
        let folder = folder.map_or_else(std::env::temp_dir, Path::to_path_buf);
        folder.join(format!("fsa-fuzz-{}-{number}.{ending}", std::process::id()))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0).or_else(|_| std::fs::remove_dir_all(&self.0));
    }
}
