//! A disk that fills while a checkpoint is being kept: the one that was kept before stays whole, and the run goes on from it.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::support::*;

const STANDARD: &str = "--methods standard --trade-off off --steps 12 --probe-every 4 --out out";
const STAGE: &str = "out/runs/rte-seed0/stages/model";

/// `fsa ARGUMENTS` where no file can grow beyond 16 KiB, as on a disk that has no more room: writes fail, and the process is told
/// (a shell sets both, since they are handed down).
fn on_a_full_disk(place: &Place, arguments: &str) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 32; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_fsa")]);
    command.args(arguments.split_whitespace()).current_dir(place.path(".")).stdin(Stdio::null());
    command.output().unwrap()
}

/// The folders of the stage whose names begin so, in order.
fn folders(place: &Place, prefix: &str) -> Vec<String> {
    let entries = std::fs::read_dir(place.path(STAGE)).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.retain(|name| name.starts_with(prefix));
    names.sort();
    names
}

/// Starts the run and kills it when its first checkpoint is kept and its state is there to go on from. A machine under load may
/// let it come further than that.
fn killed_after_the_first_checkpoint(place: &Place) {
    for _ in 0..20 {
        let mut child = place.command(&format!("{RUN} {STANDARD}")).stdout(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while child.try_wait().unwrap().is_none()
            && folders(place, "checkpoint-").iter().all(|name| name != "checkpoint-4")
        {
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing happened for a minute");
            sleep(Duration::from_micros(100));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if folders(place, "checkpoint-") == ["checkpoint-4"] && folders(place, "kept-") == ["kept-4"] {
            return;
        }
        std::fs::remove_dir_all(place.path("out")).unwrap();
    }
    panic!("every run came too far before it could be killed");
}

#[test]
fn the_kept_checkpoint_stays_whole_when_the_next_one_finds_no_room() {
    let place = place();
    killed_after_the_first_checkpoint(&place);
    // A score that any other is better than, so that the next checkpoint is to be kept whatever it scores.
    let rows = place.text(&format!("{STAGE}/rows.jsonl"));
    let score = rows.split("\"target_score\":").nth(1).unwrap().split([',', '}']).next().unwrap().to_string();
    let worse = rows.replacen(&format!("\"target_score\":{score}"), "\"target_score\":-1.0", 1);
    place.write(&format!("{STAGE}/rows.jsonl"), worse);
    let kept = || files(&place.path(&format!("{STAGE}/kept-4")));
    let before = kept();
    assert!(before.contains_key(&PathBuf::from("model.safetensors")));

    let output = on_a_full_disk(&place, &format!("{RUN} {STANDARD} --resume"));
    let said = complaint(&stderr(&output));
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.starts_with(&format!("{STAGE}/kept-8.unfinished/")) && said.contains("cannot write it"), "{said}");
    assert!(before == kept(), "the kept checkpoint changed");
    assert_eq!(folders(&place, "kept-"), ["kept-4", "kept-8.unfinished"]);
    assert!(!place.path(&format!("{STAGE}/stage.json")).exists());

    // With room again it goes on, and nothing is left over.
    let output = place.fsa(&format!("{RUN} {STANDARD} --resume"));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(folders(&place, "kept-").len(), 1);
    assert_ne!(folders(&place, "kept-"), ["kept-4"]);
    assert!(place.path(&format!("{STAGE}/stage.json")).is_file() && folders(&place, "checkpoint-").is_empty());
}
