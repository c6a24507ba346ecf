//! Kills and `--resume`: whatever happens on the way, the results are those of a run that nothing stopped.

use std::fs;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::support::*;

fn start(place: &Place, arguments: &str) -> Child {
    place.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until `seen`, or until the process ends.
fn wait(child: &mut Child, seen: impl Fn() -> bool) {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() && !seen() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing happened for a minute");
        sleep(Duration::from_micros(200));
    }
}

/// Whether it was still running.
fn kill(mut child: Child) -> bool {
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

fn is_finished(place: &Place, out: &str) -> bool {
    let run = fs::read(place.path(out).join("run.json"));
    run.is_ok_and(|run| serde_json::from_slice::<Value>(&run).unwrap()["status"] == "finished")
}

fn length(place: &Place, name: &str) -> u64 {
    fs::metadata(place.path(name)).map_or(0, |found| found.len())
}

/// Starts or resumes `run` in `out` again and again and kills it at a moment of its work, until `kills` found it there; then
/// lets it end, which must leave what it left in `whole`.
fn killed_and_resumed(place: &Place, run: &str, kills: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let resume = format!("{run} --out out --resume");
    let (mut found, mut tries) = (0, 0);
    while found < kills {
        let file = ["out/run.json", "out/target.jsonl", "out/rows.jsonl", "out/label_ratio.csv"][tries % 4];
        let before = length(place, file);
        let mut child = start(place, &resume);
        wait(&mut child, || length(place, file) != before);
        sleep(Duration::from_micros(random.random_range(0..4_000)));
        found += usize::from(kill(child));
        if is_finished(place, "out") {
            place.fsa(&resume);
            assert_same(place, "whole", "out");
            fs::remove_dir_all(place.path("out")).unwrap();
        }
        tries += 1;
        assert!(tries < 60, "only {found} kills found the run at work");
    }
    assert_eq!(place.fsa(&resume).status.code(), Some(0));
    assert_same(place, "whole", "out");
    assert!(is_finished(place, "out"));
}

#[test]
fn kills_of_a_run_that_trains_change_nothing_in_the_end() {
    let place = place();
    let run = format!("{TRAIN} --steps 12 --probe-every 2");
    place.done(&format!("{run} --out whole"));
    killed_and_resumed(&place, &run, 9);
}

#[test]
fn kills_of_a_run_over_checkpoints_change_nothing_in_the_end() {
    let place = place();
    for step in 1..9 {
        checkpoint(&place, step, step, step % 2 == 0);
    }
    place.done(&format!("{OVER} --out whole"));
    killed_and_resumed(&place, OVER, 9);
}

/// What a kill may leave: some rows of a probe, or the target's row alone.
#[test]
fn a_torn_probe_is_measured_again() {
    let place = place();
    for step in [2, 4, 6] {
        checkpoint(&place, step, step, true);
    }
    place.done(&format!("{OVER} --out whole"));
    let (labels, targets) = (place.text("whole/rows.jsonl"), place.text("whole/target.jsonl"));
    let first = |text: &str, count: usize| text.split_inclusive('\n').take(count).collect::<String>();
    for (rows, target, torn) in [(3, 2, ""), (5, 2, ""), (5, 2, "{\"target\":"), (1, 1, ""), (0, 1, ""), (0, 0, "{")] {
        fs::remove_dir_all(place.path("out")).ok();
        place.done(&format!("{OVER} --out out"));
        place.write("out/rows.jsonl", first(&labels, rows) + torn);
        place.write("out/target.jsonl", first(&targets, target));
        let run = place.text("out/run.json");
        place.write("out/run.json", run.replace("\"finished\"", "\"running\""));
        place.done(&format!("{OVER} --out out --resume"));
        assert_same(&place, "whole", "out");
    }
}

#[test]
fn what_was_skipped_before_a_kill_is_still_counted_after_it() {
    let place = place();
    for step in [2, 4, 6, 8] {
        checkpoint(&place, step, step, true);
    }
    place.write("trained/checkpoint-4/model.safetensors", "torn");
    let run = format!("{OVER} --strict");
    assert_eq!(place.fsa(&format!("{run} --out out")).status.code(), Some(1));
    let whole = results(&place, "out");
    // As if a kill had come before the last checkpoint.
    for (name, count) in [("rows.jsonl", 6), ("target.jsonl", 2)] {
        let text = place.text(&format!("out/{name}"));
        place.write(&format!("out/{name}"), text.split_inclusive('\n').take(count).collect::<String>());
    }
    let output = place.fsa(&format!("{run} --out out --resume"));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("trained/checkpoint-4 was skipped"), "{said}");
    assert!(said.contains("entries that could not be measured: 1"), "{said}");
    assert!(whole == results(&place, "out"));
}
