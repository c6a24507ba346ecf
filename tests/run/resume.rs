//! Kills, Ctrl-C and `--resume`: whatever happens on the way, the results are those of a run that nothing stopped.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::support::*;

const LONG: &str = "gradient-align --config run.toml --steps 30 --probe-every 3 --quiet";

/// What must be the same, byte for byte; `spec.toml` and `run.json` name the folder and the time.
fn results(place: &Place, out: &str) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut files = files(&place.path(out));
    for name in ["spec.toml", "run.json"] {
        assert!(files.remove(&PathBuf::from(name)).is_some(), "{name} is missing");
    }
    files
}

fn assert_same(place: &Place, one: &str, other: &str) {
    let (one, other) = (results(place, one), results(place, other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in one {
        assert!(bytes == other[&name], "{} differs", name.display());
    }
}

fn start(place: &Place, arguments: &str) -> Child {
    place.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Names in the folder `out`, none if it is not there.
fn names(place: &Place, out: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(place.path(out)) else { return Vec::new() };
    entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect()
}

/// The steps of the checkpoints that can be gone on from.
fn checkpoints(place: &Place, out: &str) -> Vec<u64> {
    names(place, out).iter().filter_map(|name| name.strip_prefix("checkpoint-")?.parse().ok()).collect()
}

/// Waits until `seen`, or until the process ends.
fn wait(child: &mut Child, seen: impl Fn() -> bool) {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() && !seen() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing happened for a minute");
        sleep(Duration::from_micros(200));
    }
}

/// Kills the process, which must have said nothing; whether it was still running.
fn kill(mut child: Child) -> bool {
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let said = stderr(&output);
    assert!(said.is_empty(), "{said}");
    output.status.code().is_none()
}

/// Starts the run in `out` and kills it after its first checkpoint. A machine under load may let it end before that.
fn killed_on_the_way(place: &Place) {
    for _ in 0..10 {
        let mut child = start(place, &format!("{LONG} --out out"));
        wait(&mut child, || !checkpoints(place, "out").is_empty());
        if kill(child) && !is_finished(place, "out") {
            return;
        }
        fs::remove_dir_all(place.path("out")).unwrap();
    }
    panic!("every run ended before it could be killed");
}

fn is_finished(place: &Place, out: &str) -> bool {
    let run = fs::read(place.path(out).join("run.json"));
    run.is_ok_and(|run| serde_json::from_slice::<Value>(&run).unwrap()["status"] == "finished")
}

#[test]
fn kills_at_any_moment_change_nothing_in_the_end() {
    let place = Place::new();
    place.done(&format!("{LONG} --out whole"));
    let resume = format!("{LONG} --out out --resume");
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut kills = 0;
    // Before, while and after the run makes its folder.
    for _ in 0..6 {
        let child = start(&place, &resume);
        sleep(Duration::from_micros(random.random_range(0..20_000)));
        kills += usize::from(kill(child));
    }
    // While a checkpoint is written, when it has its name, and when rows are appended; or a little later than that.
    let mut tries = 0;
    while kills < 18 {
        let before = checkpoints(&place, "out").into_iter().max().unwrap_or(0);
        let length = || fs::metadata(place.path("out/rows.jsonl")).map_or(0, |found| found.len());
        let rows = length();
        let mut child = start(&place, &resume);
        match tries % 3 {
            0 => wait(&mut child, || names(&place, "out").iter().any(|name| name.ends_with(".unfinished"))),
            1 => wait(&mut child, || checkpoints(&place, "out").into_iter().any(|step| step > before)),
            _ => wait(&mut child, || length() > rows),
        }
        sleep(Duration::from_micros(random.random_range(0..3_000)));
        kills += usize::from(kill(child));
        if is_finished(&place, "out") {
            place.fsa(&resume);
            assert_same(&place, "whole", "out");
            fs::remove_dir_all(place.path("out")).unwrap();
        }
        tries += 1;
        assert!(tries < 100, "only {kills} kills found the run at work");
    }
    place.done(&resume);
    assert_same(&place, "whole", "out");
    assert!(is_finished(&place, "out"));
}

#[test]
fn a_kill_while_the_run_ends_loses_nothing() {
    let place = Place::new();
    place.done(&format!("{LONG} --out whole"));
    for delay in [0, 3, 10, 30, 100] {
        let mut child = start(&place, &format!("{LONG} --out out --resume"));
        wait(&mut child, || place.path("out/figures").exists());
        sleep(Duration::from_millis(delay));
        kill(child);
        // If it was finished, that is a warning.
        assert_eq!(place.fsa(&format!("{LONG} --out out --resume")).status.code(), Some(0));
        assert_same(&place, "whole", "out");
        fs::remove_dir_all(place.path("out")).unwrap();
    }
}

/// Starts or resumes the run in `out` and presses Ctrl-C when `seen`; whether that found it at work.
fn interrupted(place: &Place, seen: impl Fn() -> bool) -> bool {
    let mut child = start(place, &format!("{LONG} --out out --resume"));
    wait(&mut child, seen);
    if child.try_wait().unwrap().is_none() {
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    }
    let output = child.wait_with_output().unwrap();
    if is_finished(place, "out") {
        fs::remove_dir_all(place.path("out")).unwrap();
        return false;
    }
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(130), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert_eq!(lines[0], "fsa: stopping after this step; go on with --resume (Ctrl-C again: stop at once)");
    assert!(lines[1].starts_with("fsa: error: out: stopped at step "), "{said}");
    assert!(lines[1].ends_with("; rows and tables so far are complete; go on with --resume"), "{said}");
    true
}

#[test]
fn ctrl_c_leaves_whole_files_and_resume_finishes() {
    let place = Place::new();
    place.done(&format!("{LONG} --out whole"));
    // run.json is written after Ctrl-C is caught and before the first step.
    let at_once = || interrupted(&place, || place.path("out/run.json").exists());
    assert!((0..10).any(|_| at_once()), "every run ended before it could be stopped");
    // Resumed, and stopped once more after a new checkpoint.
    let later = || {
        let before = checkpoints(&place, "out");
        interrupted(&place, || checkpoints(&place, "out").iter().any(|step| !before.contains(step)))
    };
    assert!((0..10).any(|_| later()), "every run ended before it could be stopped");
    let run: Value = serde_json::from_slice(&place.read("out/run.json")).unwrap();
    assert_eq!(run["status"], "interrupted");
    // Whole probes, and a table of them: the beginning of the whole run's.
    let rows = place.rows("out");
    assert_eq!(rows.len() % rows.iter().filter(|row| row["step"] == 0).count(), 0);
    assert!(place.text("whole/rows.jsonl").starts_with(&place.text("out/rows.jsonl")));
    let table = place.text("out/gradient_align.csv");
    assert!(place.text("whole/gradient_align.csv").starts_with(&table));
    assert_eq!(table.lines().count(), 1 + rows.len());
    place.done(&format!("{LONG} --out out --resume"));
    assert_same(&place, "whole", "out");
}

#[test]
fn resume_of_nothing_starts_afresh() {
    let place = Place::new();
    place.done("gradient-align --config run.toml --out whole --quiet");
    place.done("gradient-align --config run.toml --out absent --resume --quiet");
    assert_same(&place, "whole", "absent");
    fs::create_dir(place.path("empty")).unwrap();
    place.done("gradient-align --config run.toml --out empty --resume --quiet");
    assert_same(&place, "whole", "empty");
    // What a run leaves that was killed in its first moments.
    fs::create_dir(place.path("young")).unwrap();
    place.write("young/.probe.fsa-tmp", [0; 512]);
    place.write("young/.spec.toml.fsa-tmp", "model = ");
    place.done("gradient-align --config run.toml --out young --resume --quiet");
    assert_same(&place, "whole", "young");
    // Somebody's files are no run.
    let said = place.refusal("gradient-align --config run.toml --out model --resume");
    assert!(said.starts_with("model: --out: the folder is not empty"), "{said}");
}

#[test]
fn resume_of_a_finished_run_has_nothing_to_do() {
    let place = Place::new();
    let printed = place.done("gradient-align --config run.toml --out out --quiet");
    let before = files(&place.path("out"));
    std::fs::create_dir(place.path("out/checkpoint-2")).unwrap();
    for _ in 0..2 {
        let output = place.fsa("gradient-align --config run.toml --out out --resume --quiet");
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(stderr(&output), "fsa: warning: the run in the folder is done already; its results follow\n");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), printed);
        assert!(before == files(&place.path("out")));
    }
}

#[test]
fn a_run_may_be_gone_on_with_in_less_memory() {
    let place = Place::new();
    place.done(&format!("{LONG} --out whole"));
    killed_on_the_way(&place);
    place.done(&format!("{LONG} --out out --resume --low-memory"));
    assert_same(&place, "whole", "out");
    assert!(place.text("out/spec.toml").contains("\nlow_memory = true\n") && is_finished(&place, "out"));
}

#[test]
fn resume_refuses_another_spec_and_says_what_differs() {
    let place = Place::new();
    killed_on_the_way(&place);
    assert_eq!(
        place.refusal(&format!("{LONG} --out out --resume --seed 1 --lr 0.01")),
        "out/spec.toml: --resume: the run in it had another spec: `seed = 0` then, `lr = 0.001` then, `seed = 1` now, \
         `lr = 0.01` now; give the same options, or another --out"
    );
    let said = place.refusal(&format!("{LONG} --out out"));
    assert!(said.starts_with("out: --out: the folder is not empty; choose another, give --force"), "{said}");
    let spec = place.text("out/spec.toml");
    place.write("out/spec.toml", spec.replace("seed = 0", "seed = \"zero\""));
    let line = spec.lines().position(|line| line == "seed = 0").unwrap() + 1;
    let said = place.refusal(&format!("{LONG} --out out --resume"));
    assert!(said.starts_with(&format!("out/spec.toml:{line}: is not this command's spec")), "{said}");
}

#[test]
fn resume_refuses_other_data_and_other_weights() {
    let place = Place::new();
    killed_on_the_way(&place);
    for name in ["train.tsv", "model/model.safetensors", "model/tokenizer.json"] {
        let bytes = place.read(name);
        let mut changed = bytes.clone();
        match name {
            // The last weight's last bit; a name in the text; a score's last digit.
            "model/model.safetensors" => *changed.last_mut().unwrap() ^= 1,
            "train.tsv" => changed = place.text(name).replacen("the river", "the valley", 1).into(),
            _ => changed.push(b'\n'),
        }
        place.write(name, changed);
        let said = place.refusal(&format!("{LONG} --out out --resume"));
        assert!(said.starts_with(&format!("{name}: --resume: it has changed since the run in out began")), "{said}");
        place.write(name, bytes);
    }
    place.done(&format!("{LONG} --out out --resume"));
}

#[test]
fn a_damaged_checkpoint_is_named() {
    let place = Place::new();
    killed_on_the_way(&place);
    let checkpoint = format!("out/checkpoint-{}", checkpoints(&place, "out").into_iter().max().unwrap());
    for name in ["model.safetensors", "optimizer.safetensors", "trainer_state.json"] {
        let name = format!("{checkpoint}/{name}");
        let bytes = place.read(&name);
        place.write(&name, &bytes[..bytes.len() / 2]);
        let said = place.refusal(&format!("{LONG} --out out --resume"));
        assert!(said.starts_with(&name), "{said}");
        place.write(&name, bytes);
    }
}
