//! Prompts of real data at 0, 1 and 4 shots, as files that a reader can check: `tests/snapshots/TASK.txt`.
//!
//! After a wanted change, `FSA_UPDATE_SNAPSHOTS=1 cargo test snapshots` writes them anew.

use std::fmt::Write as _;
use std::path::PathBuf;

use fsa::data::{FewShot, Layout, Task};
use fsa::spec::Seeds;

use super::shared;

/// Prompts of each number of shots.
const PROMPTS: [usize; 2] = [0, 1];

fn rendered(name: &str, train: &str, evaluated: &str) -> Option<String> {
    let (train, evaluated) = (shared(train)?, shared(evaluated)?);
    let task = Task::named(name).unwrap();
    let (train, evaluated) = (task.read(train).unwrap(), task.read(evaluated).unwrap());
    let layout = Layout::default();
    let mut text = String::new();
    for shots in [0, 1, 4] {
        let few = FewShot { task: &task, train: Some(&train), shots, layout: &layout, seeds: Seeds::new(0) };
        let prompts = few.prompts(&evaluated, &PROMPTS, |_| unreachable!("the task cuts nothing")).unwrap();
        for prompt in prompts.prompts {
            let example = &evaluated.examples[prompt.example];
            let rows: Vec<usize> = prompt.shots.iter().map(|&shot| train.examples[shot].row).collect();
            writeln!(text, "# row {}, shots {rows:?}\n{}", example.row, prompt.source).unwrap();
            writeln!(text, "=> {}\n", example.references.join(" | ")).unwrap();
        }
    }
    Some(text)
}

fn check(name: &str, train: &str, evaluated: &str) {
    let Some(text) = rendered(name, train, evaluated) else { return };
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots")).join(format!("{name}.txt"));
    if std::env::var_os("FSA_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}

#[test]
fn rte() {
    check("rte", "glue_rte/train.tsv", "glue_rte/dev.tsv");
}

#[test]
fn web_questions() {
    check("web_questions", "web_questions/train.jsonl", "web_questions/test.jsonl");
}

#[test]
fn wmt16_ende() {
    check("wmt16_ende", "wmt_ende/train.jsonl", "wmt_ende/test.jsonl");
}
