//! Metrics and statistics against the packages that define them (`tests/fixtures/README.md`, "Metrics").

mod exact_match;
mod intervals;
mod paired;
mod paper;
mod real;
mod texts;

use std::path::PathBuf;

use serde::de::DeserializeOwned;

/// Reference and result are f64 in both languages: only the order of a few operations differs.
const TOLERANCE: f64 = 1e-9;

fn root(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap()
}

fn json<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&read(&format!("tests/fixtures/metrics/{name}"))).unwrap()
}

fn close(what: &str, found: f64, expected: f64) {
    assert!((found - expected).abs() <= TOLERANCE * (1.0 + expected.abs()), "{what}: {found} instead of {expected}");
}
