//! Examples of Apache Parquet.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fsa::fuzz::run("parquet", bytes));
