//! What fuzzers call: the readers of the files that a model's folder has, each on bytes from anywhere. They must end in a value or
//! in an [`Error`](crate::Error) of one line. The targets in `fuzz/` and the test that replays their corpus share this list.

use crate::error::Result;
use crate::model::weights::tried;
use crate::tokenizer::Tokenizer;

/// A reader and the folder of its corpus.
pub type Target = (&'static str, fn(&[u8]) -> Result<()>);

/// Every reader that is fuzzed.
pub const TARGETS: [Target; 5] = [
    ("safetensors", tried::safetensors),
    ("torch", tried::torch),
    ("pickle", tried::pickle),
    ("spiece", spiece),
    ("tokenizer_json", tokenizer_json),
];

/// Texts that a tokenizer is tried with: spaces, a ligature, combining marks, controls, a sentinel, characters beyond the first plane.
const TEXTS: [&str; 3] = [
    "  Hello w\u{f6}rld \u{fb01} <extra_id_0>  \u{59d4}",
    "e\u{301}\u{323}aaaaaaa\u{0}\u{2581}[SEP]",
    "\u{1f600} \u{10ffff}",
];

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

fn tokenize(tokenizer: &Tokenizer) -> Result<()> {
    for text in TEXTS {
        let ids = tokenizer.encode(text)?;
        tokenizer.decode(&ids, true)?;
        tokenizer.decode(&ids, false)?;
    }
    Ok(())
}
