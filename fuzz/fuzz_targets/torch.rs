//! An archive of PyTorch's.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fsa::fuzz::run("torch", bytes));
