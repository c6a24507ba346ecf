//! What the benchmarks share: the shape, inputs, medians, and the PyTorch peer.
//!
//! The peer is a script that prints one JSON line with `median_s` (FSA_PEER, by default `../shared/peer/torch_align_step.py`),
//! run by the Python in FSA_PEER_PYTHON (by default `python3`). Without it only fsa's own time is printed. Threads:
//! RAYON_NUM_THREADS, by default all cores; the peer gets as many.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use fsa::model::{Shape, T5};
use fsa::spec::Seeds;

/// What is measured.
const SHAPE: Shape = Shape::T5V11Small;
const RUNS: usize = 5;

/// A random model of that shape.
pub fn model() -> T5 {
    T5::random(SHAPE.config().expect("config"), Seeds::new(0)).expect("model")
}

/// `len` ids that look random.
pub fn ids(seed: usize, len: usize) -> Vec<u32> {
    (0..len).map(|i| 3 + ((i * 7919 + seed * 104_729) % 32_000) as u32).collect()
}

/// Times `step` and prints it beside the peer's time for the same arguments.
pub fn compare(what: &str, peer_arguments: &[&str], mut step: impl FnMut()) {
    step();
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            step();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let ours = times[RUNS / 2];
    let threads = rayon::current_num_threads();
    println!(
        "{what}, {threads} threads\n  fsa      median {ours:.3} s  min {:.3}  max {:.3}",
        times[0],
        times[RUNS - 1]
    );
    match peer(peer_arguments, threads) {
        Some(peer) => println!("  PyTorch  median {peer:.3} s\n  ratio    {:.2}x", peer / ours),
        None => println!("  PyTorch  not measured: the peer did not run (see FSA_PEER and FSA_PEER_PYTHON)"),
    }
}

/// Median seconds of the peer's step on the same shape.
fn peer(arguments: &[&str], threads: usize) -> Option<f64> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/peer/torch_align_step.py");
    let script = std::env::var("FSA_PEER").map_or_else(|_| PathBuf::from(default), PathBuf::from);
    let python = std::env::var("FSA_PEER_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let config = std::env::temp_dir().join("fsa-bench-config.json");
    std::fs::write(&config, SHAPE.json()?).ok()?;
    let output = Command::new(python)
        .arg(script)
        .arg("--config")
        .arg(config)
        .args(arguments)
        .args(["--threads", &threads.to_string(), "--runs", &RUNS.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let json: serde_json::Value = serde_json::from_str(text.lines().last()?).ok()?;
    json["median_s"].as_f64()
}
