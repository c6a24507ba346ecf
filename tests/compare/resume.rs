//! Kills at any moment of any stage: the resumed run ends with the rows of one that nothing stopped.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::support::*;

const METHODS: &str = "--methods standard,promot,joint,promot-lora+1shot";

/// The names of what is below `runs`, changing with every step of the run's work.
pub fn traces(place: &Place) -> Vec<String> {
    let runs = place.path("out/runs");
    if !runs.is_dir() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut folders = vec![runs];
    while let Some(inside) = folders.pop() {
        // What is being renamed is gone when it is looked at.
        for entry in fs::read_dir(inside).into_iter().flatten().flatten() {
            let path = entry.path();
            found.push(path.display().to_string());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

#[test]
fn kills_in_every_stage_change_nothing_in_the_end() {
    let place = place();
    place.done(&format!("{RUN} {METHODS} --out whole"));
    let resume = format!("{RUN} {METHODS} --out out --resume");
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let (mut kills, mut tries) = (0, 0);
    while kills < 24 {
        let mut child = place.command(&resume).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        // Until something new is there: a stage, a checkpoint that is being written or has its name, an evaluation.
        let before = traces(&place);
        let begun = Instant::now();
        while child.try_wait().unwrap().is_none() && traces(&place).iter().all(|name| before.contains(name)) {
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing happened for a minute");
            sleep(Duration::from_micros(100));
        }
        sleep(Duration::from_micros(random.random_range(0..30_000)));
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = stderr(&output);
        match output.status.code() {
            None => kills += 1,
            // It was done.
            Some(0) => {
                assert_same(&place, "whole", "out");
                fs::remove_dir_all(place.path("out")).unwrap();
            }
            Some(_) => panic!("{said}"),
        }
        tries += 1;
        assert!(tries < 200, "only {kills} kills found the run at work");
    }
    let output = place.fsa(&resume);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_same(&place, "whole", "out");
    // What is done is not done again, and says so.
    let said = stderr(&place.fsa(&resume));
    assert!(said.contains("done already"), "{said}");
    assert_same(&place, "whole", "out");
}

#[test]
fn methods_and_seeds_can_be_added_to_a_run() {
    let place = place();
    place.done(&format!("{RUN} --methods promot,standard --seeds 2 --out whole"));
    place.done(&format!("{RUN} --methods standard --out out"));
    let before = times(&place, "out/runs/rte-seed0/stages/model");
    place.done(&format!("{RUN} --methods promot,standard --seeds 2 --out out --resume"));
    assert_eq!(times(&place, "out/runs/rte-seed0/stages/model"), before);
    assert_same(&place, "whole", "out");
}

/// When each file below the folder `name` was written: the same bits may have been made anew.
fn times(place: &Place, name: &str) -> Vec<(PathBuf, SystemTime)> {
    let folder = place.path(name);
    let written = |name: PathBuf| (name.clone(), fs::metadata(folder.join(name)).unwrap().modified().unwrap());
    files(&folder).into_iter().filter(|(_, bytes)| bytes.is_some()).map(|(name, _)| written(name)).collect()
}

#[test]
fn a_finished_stage_is_never_trained_again() {
    let place = place();
    place.done(&format!("{RUN} --methods promot --out out"));
    let before = times(&place, "out/runs/rte-seed0/stages");
    // As a kill between the last stage and the evaluation leaves it.
    let evaluated = place.path("out/runs/rte-seed0/evaluated/promot");
    fs::remove_dir_all(&evaluated).unwrap();
    let run = place.text("out/run.json").replace("\"finished\"", "\"running\"");
    place.write("out/run.json", run);
    place.done(&format!("{RUN} --methods promot --out out --resume"));
    assert_eq!(times(&place, "out/runs/rte-seed0/stages"), before);
    assert!(evaluated.join("rows.jsonl").is_file());
}
