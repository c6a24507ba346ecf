//! The embedded model and its world: commands without arguments in an empty folder, and the same as files.

use std::path::Path;
use std::process::{Command, Stdio};

use fsa::model_folder::EMBEDDED;
use fsa::spec::MINI_NOTE;
use serde_json::Value;
use tempfile::TempDir;

use super::support::*;

const ALIGN: &str =
    "gradient-align --steps 2 --probe-every 1 --probe-batches 1 --batch-size 8 --shuffles 1 --threads 1 --quiet";
const RATIO: &str =
    "label-ratio --steps 2 --probe-every 1 --batch-size 8 --limit 3 --max-new-tokens 4 --threads 1 --quiet";

/// What `fsa ARGUMENTS` prints in `folder`; it must succeed.
fn done(folder: &TempDir, arguments: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fsa"));
    command.args(arguments.split_whitespace()).current_dir(folder.path()).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The error of `fsa ARGUMENTS` in `folder`.
fn refused(folder: &TempDir, arguments: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fsa"));
    let output = command.args(arguments.split_whitespace()).current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments}");
    complaint(&stderr(&output))
}

fn empty() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn run_json(folder: &TempDir, out: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.path().join(out).join("run.json")).unwrap()).unwrap()
}

#[test]
fn runs_need_no_arguments_and_no_files_and_say_what_the_model_is() {
    for (arguments, out) in [(ALIGN, "reports/gradient-align-rte-seed0"), (RATIO, "reports/label-ratio-rte-seed0")] {
        let folder = empty();
        let said = done(&folder, arguments);
        assert_eq!(said.matches(MINI_NOTE).count(), 1, "{said}");
        let run = run_json(&folder, out);
        assert_eq!((run["model"]["path"].as_str(), run["model"]["note"].as_str()), (Some("mini"), Some(MINI_NOTE)));
        let weights =
            run["model"]["files"].as_array().unwrap().iter().find(|file| file["path"] == "mini/model.safetensors");
        let hash = &weights.unwrap()["sha256"].as_str().unwrap()[..12];
        assert!(run["signature"].as_str().unwrap().contains(&format!("|model:{hash}|")), "{run}");
        assert_eq!(run["data"][0]["path"], "mini:rte/train");
        // A run that is done says it too.
        assert!(done(&folder, &format!("{arguments} --resume --json")).contains(MINI_NOTE));
    }
}

#[test]
fn a_dry_run_needs_nothing_and_leaves_nothing() {
    let folder = empty();
    for command in ["gradient-align", "label-ratio"] {
        let said = done(&folder, &format!("{command} --dry-run"));
        assert!(said.contains("\nmodel = \"mini\"\n"), "{said}");
    }
    assert!(files(folder.path()).is_empty());
}

#[test]
fn generate_and_dump_take_the_worlds_examples() {
    let folder = empty();
    assert_eq!(done(&folder, "generate --max-new-tokens 3").lines().count(), 8);
    let lines = done(&folder, "generate --max-new-tokens 3 --input mini:wmt16_ende/test --json");
    assert!(lines.lines().all(|line| line.contains("Translate")), "{lines}");
    assert!(done(&folder, "dump").starts_with("batch.safetensors  8 examples"));
    assert!(refused(&folder, "dump").starts_with("batch.safetensors: --out: it exists already"));
    assert!(refused(&folder, "generate --input mini:no/test").starts_with("mini:no/test: --input: "));
}

#[test]
fn the_model_and_its_data_as_files_give_the_same_rows() {
    let folder = empty();
    done(&folder, "mini export-model --out model");
    done(&folder, "mini export --out data");
    for (name, bytes) in EMBEDDED {
        assert!(std::fs::read(folder.path().join("model").join(name)).unwrap() == bytes, "{name}");
    }
    let again = refused(&folder, "mini export-model --out model");
    assert!(again.starts_with("model/config.json: --out: is there already"), "{again}");
    done(&folder, "mini export-model --out model --force");

    done(&folder, &format!("{RATIO} --out embedded"));
    done(&folder, &format!("{RATIO} --model model --preset mini --config data/files.toml --out files"));
    let of = |out: &str| {
        let mut found = files(&folder.path().join(out));
        let _ = ["spec.toml", "run.json"].map(|name| found.remove(Path::new(name)));
        found
    };
    let (embedded, exported) = (of("embedded"), of("files"));
    assert_eq!(embedded.keys().collect::<Vec<_>>(), exported.keys().collect::<Vec<_>>());
    for (name, bytes) in &embedded {
        assert!(*bytes == exported[name], "{} differs", name.display());
    }
    assert!(run_json(&folder, "files")["model"].get("note").is_none());

    let data = "--train data/rte/train.jsonl";
    done(&folder, &format!("{ALIGN} --model model --preset mini {data} --out align-files"));
    done(&folder, &format!("{ALIGN} --out align-embedded"));
    let rows = |out: &str| std::fs::read_to_string(folder.path().join(out).join("rows.jsonl")).unwrap();
    assert!(rows("align-embedded") == rows("align-files"));
}

#[test]
fn a_folder_called_mini_is_reached_with_a_dot() {
    let folder = empty();
    std::fs::create_dir(folder.path().join("mini")).unwrap();
    let said = refused(&folder, "generate --model ./mini --prompt p");
    assert!(said.starts_with("./mini: it has no tokenizer.json and no spiece.model; "), "{said}");
    assert!(!done(&folder, "generate --model mini --prompt p --max-new-tokens 2 --json").is_empty());
    assert!(refused(&folder, "gradient-align --train own.tsv").starts_with("--model: missing: the model's folder"));
}
