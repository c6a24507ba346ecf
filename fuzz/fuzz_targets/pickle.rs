//! The pickle in one.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fsa::fuzz::run("pickle", bytes));
