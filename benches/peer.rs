//! fsa against eager PyTorch, in one run on the same machine and threads: `cargo bench --bench peer [-- PART-OF-A-NAME…]`.
//!
//! Each line of the table is measured by `fsa bench` and by the peer, one after the other, each in a process of its own. The peer is a
//! script that prints one JSON line with `median_s` and `peak_rss_mib` (FSA_PEER, by default `../shared/peer/torch_align_step.py`), run
//! by the Python in FSA_PEER_PYTHON (by default `python3`). Without it only fsa's own numbers are printed. Threads: RAYON_NUM_THREADS,
//! by default all cores.

use std::path::{Path, PathBuf};
use std::process::Command;

use fsa::model::Shape;
use serde_json::Value;

/// A line of the table.
struct Line {
    name: &'static str,
    shape: Shape,
    batch: usize,
    source: usize,
    target: usize,
    shuffles: usize,
    work: &'static str,
    low_memory: bool,
    /// Lengths of real sources in the place of `source`.
    ragged: bool,
}

const SMALL: Line = Line {
    name: "alignment, t5-v1_1-small",
    shape: Shape::T5V11Small,
    batch: 16,
    source: 128,
    target: 4,
    shuffles: 1,
    work: "alignment",
    low_memory: false,
    ragged: false,
};
const BASE: Line = Line { name: "alignment, t5-v1_1-base", shape: Shape::T5V11Base, ..SMALL };
const MT5: Line = Line { name: "alignment, mt5-small", shape: Shape::Mt5Small, ..SMALL };
const TRAIN: Line = Line { name: "training, t5-v1_1-small", batch: 8, work: "training", ..SMALL };

const LINES: [Line; 15] = [
    SMALL,
    Line { name: "alignment, mini", shape: Shape::Mini, batch: 64, source: 96, ..SMALL },
    Line { name: "alignment, t5-v1_1-small, 4 shuffles", shuffles: 4, ..SMALL },
    Line { name: "alignment, t5-v1_1-small, RTE's lengths", batch: 64, ragged: true, ..SMALL },
    BASE,
    MT5,
    TRAIN,
    Line { name: "training, t5-v1_1-base", shape: Shape::T5V11Base, ..TRAIN },
    Line { name: "training, mt5-small", shape: Shape::Mt5Small, ..TRAIN },
    Line { name: "greedy, t5-v1_1-small", batch: 64, target: 16, work: "greedy", ..SMALL },
    Line { name: "beam 4, t5-v1_1-small", batch: 64, target: 16, work: "beam", ..SMALL },
    Line { name: "alignment, t5-v1_1-base, low memory", low_memory: true, ..BASE },
    Line { name: "alignment, mt5-small, low memory", low_memory: true, ..MT5 },
    Line { name: "training, t5-v1_1-base, low memory", shape: Shape::T5V11Base, low_memory: true, ..TRAIN },
    Line { name: "training, mt5-small, low memory", shape: Shape::Mt5Small, low_memory: true, ..TRAIN },
];

const RUNS: &str = "5";

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_wanted = |line: &&Line| wanted.is_empty() || wanted.iter().any(|part| line.name.contains(part.as_str()));
    let threads = rayon::current_num_threads().to_string();
    println!("{threads} threads; medians of {RUNS}, after one that is not measured\n");
    println!("| work | batch | fsa | PyTorch | ratio | fsa's peak | PyTorch's | share | of sgemm |");
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for line in LINES.iter().filter(is_wanted) {
        let lengths = line.ragged.then(lengths);
        let ours = ours(line, &threads, lengths.as_deref());
        let peer = peer(line, &threads, lengths.as_deref());
        println!("{}", row(line, &ours, peer.as_ref()));
    }
}

fn row(line: &Line, ours: &Value, peer: Option<&Value>) -> String {
    let own = &ours[line.work];
    let number = |value: &Value| value.as_f64();
    let with = |value: Option<f64>, digits: usize, unit: &str| {
        value.map_or_else(String::new, |value| format!("{value:.digits$}{unit}"))
    };
    let over = |a: Option<f64>, b: Option<f64>| Some(a? / b?);
    let (time, memory) = (number(&own["median_s"]), number(&own["peak_rss_mib"]));
    let peer = |field: &str| peer.and_then(|peer| peer[field].as_f64());
    let share = over(number(&own["gflops"]), number(&ours["sgemm_gflops"])).map(|share| 100.0 * share);
    let source = if line.ragged { "RTE".to_string() } else { line.source.to_string() };
    format!(
        "| {} | {} × {source} → {} | {} | {} | {} | {} | {} | {} | {} |",
        line.name,
        line.batch,
        line.target,
        with(time, 3, " s"),
        with(peer("median_s"), 3, " s"),
        with(over(peer("median_s"), time), 2, "×"),
        with(memory, 0, " MiB"),
        with(peer("peak_rss_mib"), 0, " MiB"),
        with(over(memory, peer("peak_rss_mib")), 2, ""),
        with(share, 0, " %"),
    )
}

/// `fsa bench` of a line.
fn ours(line: &Line, threads: &str, lengths: Option<&Path>) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fsa"));
    command.args(["bench", "--json", "--shape", line.shape.name(), "--work", line.work, "--repeats", RUNS]);
    command.args(["--threads", threads, "--batch-size", &line.batch.to_string()]);
    command.args(["--target-len", &line.target.to_string(), "--shuffles", &line.shuffles.to_string()]);
    match lengths {
        Some(path) => command.arg("--lengths").arg(path),
        None => command.args(["--source-len", &line.source.to_string()]),
    };
    if line.low_memory {
        command.arg("--low-memory");
    }
    let output = command.output().expect("fsa bench starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("fsa bench prints JSON")
}

/// The peer's line, if it runs.
fn peer(line: &Line, threads: &str, lengths: Option<&Path>) -> Option<Value> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/peer/torch_align_step.py");
    let script = std::env::var("FSA_PEER").map_or_else(|_| PathBuf::from(default), PathBuf::from);
    let python = std::env::var("FSA_PEER_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let dir = tempfile::tempdir().ok()?;
    let config = dir.path().join("config.json");
    std::fs::write(&config, config_json(line.shape)?).ok()?;
    let (mode, beams) = match line.work {
        "alignment" => ("align", "1"),
        "training" => ("train", "1"),
        "beam" => ("generate", "4"),
        _ => ("generate", "1"),
    };
    let mut command = Command::new(python);
    command.arg(script).arg("--config").arg(config).args(["--mode", mode, "--beams", beams, "--runs", RUNS]);
    command.args(["--threads", threads, "--batch", &line.batch.to_string()]);
    command.args(["--source-len", &line.source.to_string(), "--target-len", &line.target.to_string()]);
    command.args(["--shuffles", &line.shuffles.to_string()]);
    if let Some(path) = lengths {
        command.arg("--lengths").arg(path);
    }
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    serde_json::from_str(text.lines().last()?).ok()
}

fn config_json(shape: Shape) -> Option<String> {
    let mini = concat!(env!("CARGO_MANIFEST_DIR"), "/notebooks-data/mini-t5/config.json");
    shape.json().map(String::from).or_else(|| std::fs::read_to_string(mini).ok())
}

/// Lengths of the first 64 sources of GLUE's RTE, a number a line: characters of the filled template over 4.2, what a token of T5 has
/// on English news.
fn lengths() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/rte-lengths.txt"))
}
