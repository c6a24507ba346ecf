//! Examples of tab-separated values.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fsa::fuzz::run("tsv", bytes));
