//! A tokenizer.json, and texts through it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fsa::fuzz::run("tokenizer_json", bytes));
