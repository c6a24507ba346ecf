//! One gradient-alignment step (true labels, one shuffle, every parameter's cosine) in the shape of t5-v1_1-small, against
//! eager PyTorch in the same run on the same threads.
//!
//!     cargo bench --bench alignment
//!
//! Threads: RAYON_NUM_THREADS, by default all cores; the peer gets as many.
//!
//! The peer is a script that prints one JSON line with `median_s` (FSA_PEER, by default `../shared/peer/torch_align_step.py`),
//! run by the Python in FSA_PEER_PYTHON (by default `python3`). Without it only fsa's own time is printed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use fsa::grad::Dots;
use fsa::model::loss::LossOptions;
use fsa::model::t5::Pass;
use fsa::model::{Batch, Mix, Packed, T5, T5Config};
use fsa::spec::Seeds;

const CONFIG: &str = r#"{"model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "feed_forward_proj": "gated-gelu",
 "tie_word_embeddings": false, "vocab_size": 32128, "d_model": 512, "d_kv": 64, "d_ff": 1024, "num_layers": 8,
 "num_decoder_layers": 8, "num_heads": 6, "decoder_start_token_id": 0, "dropout_rate": 0.1}"#;
const BATCH: usize = 16;
const SOURCE: usize = 128;
const TARGET: usize = 4;
const RUNS: usize = 5;

fn main() {
    let threads = rayon::current_num_threads();
    let config = T5Config::parse(CONFIG, Path::new("config.json")).expect("config");
    let model = T5::random(config, Seeds::new(0)).expect("model");
    let ids = |seed: usize, len: usize| {
        (0..len).map(|i| 3 + ((i * 7919 + seed * 104_729) % 32_000) as u32).collect::<Vec<_>>()
    };
    let targets: Vec<Vec<u32>> = (0..BATCH).map(|i| ids(1000 + i, TARGET)).collect();
    let shuffled = (0..BATCH).map(|i| targets[(i + 5) % BATCH].clone());
    let batch = Batch::new(
        Packed::new((0..BATCH).map(|i| ids(i, SOURCE))),
        &(0..BATCH as u64).collect::<Vec<_>>(),
        Packed::new(targets.iter().cloned().chain(shuffled)),
        Mix::lanes(2, BATCH),
        0,
        0,
    )
    .expect("batch");
    let batches = [batch];
    let mut times = Vec::new();
    let mut cosines = Vec::new();
    for run in 0..=RUNS {
        let start = Instant::now();
        let pass = Pass { dropout: None, loss: LossOptions::PLAIN, scale: 1.0 };
        let tape = model.forward(&batches, pass).expect("forward");
        let mut sink = Dots::new(2);
        model.backward(tape, &mut sink).expect("backward");
        cosines = sink.into_grams().values().filter_map(|gram| gram.cosine(0, 1)).collect();
        if run > 0 {
            times.push(start.elapsed().as_secs_f64());
        }
    }
    times.sort_by(f64::total_cmp);
    let ours = times[RUNS / 2];
    println!(
        "fsa      median {ours:.3} s  min {:.3}  max {:.3}  ({} cosines)",
        times[0],
        times[RUNS - 1],
        cosines.len()
    );
    match peer(threads) {
        Some(peer) => println!("PyTorch  median {peer:.3} s\nratio    {:.2}x", peer / ours),
        None => println!("PyTorch  not measured: the peer did not run (see FSA_PEER and FSA_PEER_PYTHON)"),
    }
}

/// Median seconds of the peer's step on the same shape.
fn peer(threads: usize) -> Option<f64> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/peer/torch_align_step.py");
    let script = std::env::var("FSA_PEER").map_or_else(|_| PathBuf::from(default), PathBuf::from);
    let python = std::env::var("FSA_PEER_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let config = std::env::temp_dir().join("fsa-bench-config.json");
    std::fs::write(&config, CONFIG).ok()?;
    let output = Command::new(python)
        .arg(script)
        .arg("--config")
        .arg(config)
        .args(["--batch", &BATCH.to_string(), "--source-len", &SOURCE.to_string()])
        .args(["--target-len", &TARGET.to_string(), "--threads", &threads.to_string(), "--runs", &RUNS.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let json: serde_json::Value = serde_json::from_str(text.lines().last()?).ok()?;
    json["median_s"].as_f64()
}
