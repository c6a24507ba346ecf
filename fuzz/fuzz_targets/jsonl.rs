//! Examples of JSON lines.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fsa::fuzz::run("jsonl", bytes));
