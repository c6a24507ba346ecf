//! Mistakes: exit code 2, nothing on stdout, one line on stderr that says what to do.

use std::fs;
use std::process::{Command, Stdio};

use super::{fsa, stderr, stdout};

/// The one line that `fsa ARGUMENTS` says, without its prefix.
pub(super) fn refusal(arguments: &str) -> String {
    let output = fsa(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments}: {}", stderr(&output));
    assert_eq!(stdout(&output), "", "{arguments}");
    let text = stderr(&output);
    assert_eq!(text.lines().count(), 1, "{arguments}: {text}");
    text.trim_end().strip_prefix("fsa: error: ").expect(&text).to_owned()
}

#[test]
fn usage_errors_are_one_line() {
    for arguments in [
        "",
        "nonsense",
        "plot",
        "completions tcsh",
        "gradient-align stray",
        "gradient-align --steps many",
        "gradient-align --optimizer adam",
        "gradient-align --estimators dataset,flop",
        "gradient-align --resume --force",
        "gradient-align --model",
        "label-ratio stray",
        "label-ratio --file rte.dev=x",
        "label-ratio --file rte.train",
        "label-ratio --prompt-sentinel maybe",
        "label-ratio --strict=maybe",
        "label-ratio --bleu-tokenizer zh",
        "label-ratio --resume --force",
        "generate --prompt p --input i",
        "generate --length-penalty wu",
    ] {
        assert!(!refusal(arguments).is_empty());
    }
}

#[test]
fn misspelt_flags_and_subcommands_get_a_suggestion() {
    assert!(refusal("gradient-align --probe-evry 5").contains("'--probe-every'"));
    assert!(refusal("gradient-aling").contains("'gradient-align'"));
    assert!(refusal("label-ratio --file-rte x").contains("'--file'"));
    assert!(refusal("generate --max-tokens 5").contains("'--max-new-tokens'"));
}

#[test]
fn what_is_missing_is_named_with_how_to_give_it() {
    assert!(refusal("gradient-align --train t").starts_with("--model: missing"));
    assert!(refusal("gradient-align --model m").contains("give --train path/to/train.tsv"));
    assert!(refusal("dump --model m --out o").starts_with("--input: missing"));
    assert!(refusal("dump --input i").starts_with("--model: missing"));
    assert!(refusal("label-ratio --train t").starts_with("--model: missing"));
    assert!(refusal("generate --input i").starts_with("--model: missing"));
    assert!(refusal("generate --model m").starts_with("--prompt: missing: a prompt; give --prompt TEXT, or many with"));
}

#[test]
fn values_that_cannot_be_meant_name_their_flag() {
    assert!(refusal("gradient-align --model m --train t --lr -1").starts_with("--lr: must be a positive number"));
    assert!(refusal("gradient-align --model m --train t --threads 0").starts_with("--threads: must be at least 1"));
    assert!(refusal("dump --model m --input i --out o --threads 0").starts_with("--threads: must be at least 1"));
    assert!(refusal("dump --model m --input i --out o --dropout 1").starts_with("--dropout: must be at least 0"));
    assert!(refusal("gradient-align --model m --train t --probe-split validation").starts_with("--dev: "));
    assert!(refusal("label-ratio --model m --limit 0").starts_with("--limit: must be at least 1"));
    assert!(refusal("label-ratio --model m --eval trivia_qa:one").starts_with("--eval: `trivia_qa:one` is not"));
    assert!(refusal("generate --model m --prompt p --beams 0").starts_with("--beams: must be at least 1"));
    assert!(refusal("generate --model m --prompt p --batch-size 0").starts_with("--batch-size: must be at least 1"));
}

#[test]
fn checkpoints_exclude_fine_tuning_by_the_flag_that_asks_for_it() {
    assert_eq!(
        refusal("label-ratio --model m --checkpoints c --train t --dropout 0"),
        "--dropout: cannot be used with --checkpoints, which are fine-tuned already; leave one of the two out"
    );
    assert!(refusal("label-ratio --model m --strict").starts_with("--strict: says something about --checkpoints only"));
}

#[test]
fn a_misspelt_config_key_names_file_line_and_nearest_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.toml");
    fs::write(&file, "model = 'm'\n\n[training]\nlabel_smothing = 0.1\n").unwrap();
    let file = file.display();
    assert_eq!(
        refusal(&format!("gradient-align --config {file}")),
        format!("{file}:4: unknown key `label_smothing`; did you mean `label-smoothing`?")
    );
    fs::write(folder.path().join("run.toml"), "model = 'm'\n[files]\nrte.dev = 'd'\n").unwrap();
    let said = refusal(&format!("label-ratio --config {file}"));
    assert!(
        said.starts_with(&format!("{file}:3: ")) && said.contains("`rte.dev` is not a task and its split"),
        "{said}"
    );
}

#[test]
fn an_unreadable_config_is_one_line() {
    assert!(refusal("gradient-align --config no/such.toml").starts_with("no/such.toml: --config: cannot read it"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_goes_away_is_no_error_and_a_full_disk_is() {
    let fsa = || Command::new(env!("CARGO_BIN_EXE_fsa"));
    let mut child = fsa().arg("man").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));

    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = fsa().arg("man").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("fsa: error: standard output: cannot write it"));
}
