//! `fsa mini`, and `mini` in the place of a data file.

use std::fs;
use std::path::Path;

use fsa::data::Corpus;
use fsa::data::{MiniSplit, Task, World};
use serde_json::Value;

use crate::run::support::Place;

fn stdout(place: &Place, arguments: &str) -> String {
    let output = place.fsa(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{arguments}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_export_reads_back_as_the_world_itself() {
    let place = Place::new();
    let paths = stdout(&place, "mini export --out world");
    assert_eq!(paths.lines().count(), 12 * 3 - 1 + 1);
    assert_eq!(paths.lines().last(), Some("world/files.toml"));
    let world = World::new(0);
    for name in Task::names() {
        let task = Task::named(name).unwrap();
        for split in MiniSplit::ALL.into_iter().filter(|split| World::has(name, *split)) {
            let path = place.path(&format!("world/{name}/{}.jsonl", split.name()));
            let (file, world) = (task.read(&path).unwrap(), world.split(&task, split).unwrap());
            assert_eq!((&file.examples, &file.sha256), (&world.examples, &world.sha256), "{name}");
        }
    }
}

#[test]
fn an_export_overwrites_only_when_told() {
    let place = Place::new();
    fs::create_dir_all(place.path("world/cb")).unwrap();
    place.write("world/cb/test.jsonl", "mine");
    place.write("world/notes.txt", "mine");
    let refused = place.refusal("mini export --out world");
    assert_eq!(
        refused,
        "world/cb/test.jsonl: --out: is there already; choose another place, or overwrite it with --force"
    );
    assert_eq!(place.text("world/cb/test.jsonl"), "mine");
    assert!(!place.path("world/rte").exists(), "nothing is written before the refusal");
    stdout(&place, "mini export --out world --seed 3 --force");
    assert_eq!(place.text("world/cb/test.jsonl"), World::new(3).json_lines("cb", MiniSplit::Test));
    assert_eq!(place.text("world/notes.txt"), "mine");
    assert!(place.refusal("mini export --out train.tsv").starts_with("train.tsv/rte: --out: cannot create it"));
    assert!(place.refusal("mini export").starts_with("--out: missing: the folder to write into"));
}

#[test]
fn examples_are_shown_as_they_are_trained_on() {
    let place = Place::new();
    let world = World::new(0);
    let rte = world.split(&Task::named("rte").unwrap(), MiniSplit::Validation).unwrap();
    let shown: Value =
        serde_json::from_str(&stdout(&place, "mini show rte --split validation --limit 2 --json")).unwrap();
    assert_eq!(shown["examples"].as_array().unwrap().len(), 2);
    assert_eq!(shown["examples"][0]["prompt"], rte.examples[0].source);
    let text = stdout(&place, "mini show rte --split validation --limit 1");
    assert_eq!(text, format!("[row 0]\n{}\n=> {}\n", rte.examples[0].source, rte.examples[0].target));
    assert_ne!(stdout(&place, "mini show rte --split validation --limit 1 --seed 1"), text);
    assert!(place.refusal("mini show rtr").starts_with("TASK: there is no task `rtr` (did you mean `rte`?)"));
    let none = place.refusal("mini show web_questions --split validation");
    assert!(
        none.starts_with("mini:web_questions/validation: --split: the mini world has no validation split"),
        "{none}"
    );
}

#[test]
fn documents_are_json_lines() {
    let place = Place::new();
    let lines = stdout(&place, "mini documents --limit 3");
    assert_eq!(lines.lines().count(), 3);
    let (first, want) = (lines.lines().next().unwrap(), World::new(0).document(0));
    let first: Value = serde_json::from_str(first).unwrap();
    assert_eq!((first["source"].as_str(), first["target"].as_str()), (Some(&*want.source), Some(&*want.target)));
    assert_eq!(first["family"], want.family);
    assert_eq!(stdout(&place, "mini documents --limit 3 --out d.jsonl"), "");
    assert_eq!(place.text("d.jsonl"), lines);
    assert!(place.refusal("mini documents --out d.jsonl").starts_with("d.jsonl: --out: is there already"));
    stdout(&place, "mini documents --limit 1 --out d.jsonl --force");
    assert_eq!(place.text("d.jsonl").lines().count(), 1);
}

#[test]
fn baselines_are_a_table_or_json() {
    let place = Place::new();
    let table = stdout(&place, "mini baselines");
    assert!(table.starts_with("task  baseline         n    accuracy  interval\nrte   word overlap "), "{table}");
    let json: Value = serde_json::from_str(&stdout(&place, "mini baselines --json")).unwrap();
    assert_eq!(json["baselines"].as_array().unwrap().len(), table.lines().count() - 1);
}

#[test]
fn mini_stands_for_a_data_file_in_every_command() {
    let place = Place::new();
    let plan = |arguments: &str| -> Value {
        let output = place.fsa(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let run = "gradient-align --model model --threads 1 --steps 1 --dry-run --json";
    let world = World::new(0).split(&Task::named("rte").unwrap(), MiniSplit::Train).unwrap();
    let mini = plan(&format!("{run} --train mini --dev mini --probe-split validation"));
    assert_eq!(mini["train_examples"], world.len());
    assert!(mini["signature"].as_str().unwrap().contains(&format!("|train:{}|", &world.sha256[..12])));
    assert_eq!(plan(&format!("{run} --train mini:rte/validation"))["train_examples"], 277);
    let refused = place.refusal(&format!("{run} --train mini:rte/dev"));
    assert!(refused.starts_with("mini:rte/dev: --train: is not a split of the mini world; give mini:"), "{refused}");

    let run = "label-ratio --model model --threads 1 --steps 1 --dry-run --json --eval trivia_qa:1";
    let given = "--train mini --dev mini --file trivia_qa.train=mini --file trivia_qa.test=mini";
    plan(&format!("{run} {given}"));
    stdout(&place, "mini export --out world");
    plan(&format!("{run} --config world/files.toml"));

    let shown = stdout(&place, "tasks validate rte --data mini --n 1");
    assert!(shown.contains("data: mini:rte/test, 500 examples, 0 dropped"), "{shown}");
}

#[test]
fn gradient_align_takes_the_files_of_a_task_file() {
    let place = Place::new();
    fs::create_dir(place.path("tasks")).unwrap();
    let splits = "\n[splits]\ntrain = '../train.tsv'\nvalidation = 'dev.tsv'\n";
    place.write("tasks/own.toml", Task::description("rte").unwrap() + splits);
    fs::copy(place.path("train.tsv"), place.path("tasks/dev.tsv")).unwrap();
    let run = "gradient-align --model model --task tasks/own.toml --threads 1 --steps 1 \
        --batch-size 8 --probe-batches 1 --dry-run --json";
    let spec = |arguments: &str| -> Value {
        let spec: Value = serde_json::from_str(&stdout(&place, &format!("{run} {arguments}"))).unwrap();
        spec["spec"].clone()
    };
    let given = |spec: &Value, key: &str| spec[key].as_str().map(|path| Path::new(path).to_path_buf());
    let plain = spec("");
    assert_eq!(given(&plain, "train"), Some("tasks/../train.tsv".into()));
    assert_eq!(given(&plain, "dev"), None, "nothing is probed on it");
    assert_eq!(given(&spec("--probe-split validation"), "dev"), Some("tasks/dev.tsv".into()));
    assert_eq!(given(&spec("--train mini:rte/test"), "train"), Some("mini:rte/test".into()));
}

#[test]
fn a_report_needs_finished_runs() {
    let place = Place::new();
    fs::create_dir(place.path("runs")).unwrap();
    let refused = |arguments: &str| {
        let output = place.fsa(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused("mini report runs").contains("runs: there are no run folders in it"));
    let short = "--steps 2 --probe-every 1 --batch-size 4 --limit 3";
    stdout_of(&place, &format!("label-ratio {short} --out runs/label-ratio"));
    stdout_of(
        &place,
        "gradient-align --steps 2 --probe-every 1 --batch-size 4 --probe-batches 1 --out runs/gradient-align",
    );
    assert_eq!(stdout(&place, "mini report runs"), "runs/README.md\n");
    let page = fs::read_to_string(place.path("runs/README.md")).unwrap();
    assert!(page.contains("| target at the end ") && page.contains("`fsa label-ratio --steps 2"), "{page}");
    let info = place.path("runs/label-ratio/run.json");
    let text = fs::read_to_string(&info).unwrap().replace("\"finished\",", "\"interrupted\",");
    fs::write(&info, text).unwrap();
    assert!(refused("mini report runs").contains("the run in it has not finished"));
}

/// What a command prints, whatever it says of its progress.
fn stdout_of(place: &Place, arguments: &str) -> String {
    let output = place.fsa(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
