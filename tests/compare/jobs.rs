//! Several processes at once: the same bytes as one, whatever happens to them.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::resume::traces;
use super::support::*;

const METHODS: &str = "--methods standard,promot,promot-lora+1shot --seeds 2";

#[test]
fn jobs_change_no_byte() {
    let place = place();
    place.done(&format!("{RUN} {METHODS} --out whole"));
    place.done(&format!("{RUN} {METHODS} --jobs 2 --out out"));
    assert_same(&place, "whole", "out");
    // Nor do they where something is there already, and targets are trained on together.
    let mixed = format!("{RUN} --target rte,cb --eval web_questions:1");
    place.done(&format!("{mixed} --methods multitask-promot,prompt-tuning --out whole --force"));
    place.done(&format!("{mixed} --methods prompt-tuning --out out --force"));
    place.done(&format!("{mixed} --methods multitask-promot,prompt-tuning --jobs 3 --out out --resume"));
    assert_same(&place, "whole", "out");
}

#[test]
fn what_stops_several_jobs_is_made_up_for() {
    let place = place();
    place.done(&format!("{RUN} {METHODS} --out whole"));
    let resume = format!("{RUN} {METHODS} --jobs 2 --out out --resume");
    let mut interrupted = 0;
    for round in 0..8 {
        let mut child = place.command(&resume).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        // Until the jobs are at work.
        let (before, begun) = (traces(&place), Instant::now());
        while child.try_wait().unwrap().is_none() && traces(&place).iter().all(|name| before.contains(name)) {
            assert!(begun.elapsed() < Duration::from_secs(120), "nothing happened");
            sleep(Duration::from_millis(1));
        }
        sleep(Duration::from_millis(10 * round));
        match round % 2 {
            0 => child.kill().unwrap(),
            _ => drop(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap()),
        }
        let output = child.wait_with_output().unwrap();
        let said = stderr(&output);
        match output.status.code() {
            Some(130) => {
                assert!(said.lines().last().unwrap().ends_with("go on with --resume"), "{said}");
                interrupted += 1;
            }
            None | Some(0) => {}
            Some(code) => panic!("{code}: {said}"),
        }
    }
    assert!(interrupted > 0, "no run was at work when it was interrupted");
    let output = place.fsa(&resume);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_same(&place, "whole", "out");
}

#[test]
fn a_job_that_fails_says_so_in_one_line() {
    let place = place();
    fs::create_dir_all(place.path("out/runs")).unwrap();
    place.write("out/runs/rte-seed0", "in the way");
    let output = place.fsa(&format!("{RUN} {METHODS} --jobs 2 --out out --force"));
    assert_eq!(output.status.code(), Some(2));
    let said = complaint(&stderr(&output));
    assert!(said.contains("out/runs/rte-seed0") && said.contains("cannot create it"), "{said}");
    let said = place.refusal(&format!("{RUN} --jobs 0 --out none"));
    assert_eq!(said, "--jobs: must be from 1 to 1024, not 0");
}

#[test]
fn a_plan_has_the_time_of_every_piece() {
    let place = place();
    let plan: Value = serde_json::from_str(&place.done(&format!("{RUN} --out none --dry-run --json"))).unwrap();
    let parts = plan["time"]["parts"].as_array().unwrap();
    let named: Vec<&str> = parts.iter().map(|part| part["what"].as_str().unwrap()).collect();
    assert_eq!(
        named,
        [
            "rte seed 0, pretrained, evaluation",
            "rte seed 0, standard, stage 1 (model)",
            "rte seed 0, standard, evaluation",
            "rte seed 0, prompt-tuning, stage 1 (prompt)",
            "rte seed 0, prompt-tuning, evaluation",
            "rte seed 0, promot, stage 2 (model)",
            "rte seed 0, promot, evaluation",
        ]
    );
    let seconds: Vec<f64> = parts.iter().map(|part| part["total_s"].as_f64().unwrap()).collect();
    assert!(seconds.iter().all(|seconds| seconds.is_finite() && *seconds > 0.0), "{seconds:?}");
    assert!((seconds.iter().sum::<f64>() - plan["time"]["total_s"].as_f64().unwrap()).abs() < 1e-6);
    assert!(!place.path("none").exists());
}
