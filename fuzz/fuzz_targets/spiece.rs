//! A SentencePiece model, and texts through it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fsa::fuzz::run("spiece", bytes));
