//! What stands beside a SentencePiece model.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fsa::fuzz::run("tokenizer_config", bytes));
