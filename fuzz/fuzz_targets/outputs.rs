//! What is made of a model's outputs.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fsa::fuzz::run("outputs", bytes));
