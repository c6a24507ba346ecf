//! `fsa tasks`.

use std::fs;

use serde_json::Value;

use super::{fsa, stderr, stdout};

const DATA: &str = "{\"question\":\"q0\",\"answers\":[\"a0\",\"b0\"]}\n{\"question\":\"q1\",\"answers\":[\"a1\"]}\n";

fn said(arguments: &str) -> String {
    let output = fsa(arguments);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{arguments}");
    stdout(&output)
}

fn refusal(arguments: &str) -> String {
    let output = fsa(arguments);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""), "{arguments}");
    assert_eq!(stderr(&output).lines().count(), 1, "{arguments}");
    stderr(&output).trim_end().strip_prefix("fsa: error: ").unwrap().to_owned()
}

#[test]
fn list_names_every_task() {
    let text = said("tasks list");
    assert_eq!(text.lines().count(), 13);
    assert!(text.starts_with("task ") && text.contains("  hub data set  "));
    assert!(text.contains("  aps/super_glue rte  ") && text.contains("  stanfordnlp/snli  "), "{text}");
    assert!(text.contains("\nopenbookqa     accuracy   A, B, C, D "), "{text}");
    let json: Value = serde_json::from_str(&said("tasks list --json")).unwrap();
    assert_eq!(json["tasks"].as_array().unwrap().len(), 12);
    assert_eq!(json["tasks"][0]["name"], "rte");
    assert_eq!(json["tasks"][6]["references"][0], "answers");
    assert_eq!(json["tasks"][10]["max_source_tokens"], 1024);
}

#[test]
fn show_prints_a_description_that_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    fs::write(&path, said("tasks show rte")).unwrap();
    let shown: Value = serde_json::from_str(&said(&format!("tasks show {} --json", path.display()))).unwrap();
    let built_in: Value = serde_json::from_str(&said("tasks show rte --json")).unwrap();
    assert_eq!(shown, built_in);
    assert_eq!((shown["metric"].as_str(), shown["hub"]["config"].as_str()), (Some("accuracy"), Some("rte")));
    assert!(
        refusal("tasks show rtr")
            .starts_with("NAME: there is no task `rtr` (did you mean `rte`?); give one of rte, cb")
    );
}

#[test]
fn validate_prints_prompts_with_their_answers() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("mine.jsonl");
    fs::write(&data, DATA).unwrap();
    let task = folder.path().join("mine.toml");
    fs::write(
        &task,
        "name = 'mine'\ntemplate = 'Q: {q} A:'\n[columns]\nq = ['question']\n[target]\ncolumns = ['answers.0']\n\
         references = ['answers']\n[splits]\ntrain = 'mine.jsonl'\n",
    )
    .unwrap();
    let (task, data) = (task.display(), data.display());
    assert_eq!(
        said(&format!("tasks validate {task}")),
        format!(
            "mine: sound; no metric, answers: free text\ntrain: {data}, 2 examples, 0 dropped\n\n\
             [row 0]\nQ: q0 A: <extra_id_0>\n=> a0 | b0\n\n[row 1]\nQ: q1 A: <extra_id_0>\n=> a1\n"
        )
    );
    let text = said(&format!("tasks validate web_questions --data {data} --shots 1 --n 1 --prompt-sentinel off"));
    assert!(text.ends_with("\n[row 0, shots: rows 1]\nQ: q1 A: a1 Q: q0 A:\n=> a0 | b0\n"), "{text}");
    let json = said(&format!("tasks validate {task} --shots 1 --n 1 --json"));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["prompts"][0]["shots"], serde_json::json!([1]));
    assert_eq!((json["files"][0]["split"].as_str(), json["files"][0]["examples"].as_u64()), (Some("train"), Some(2)));
    assert!(said("tasks validate rte").ends_with("give --data FILE to see prompts\n"));
}

#[test]
fn validate_refuses_what_is_not_sound() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let data = write("mine.jsonl", DATA);
    let task = write(
        "mine.toml",
        "name = 'mine'\ntemplate = '{q}'\nmetric = 'blue'\n[columns]\nq = ['question']\n[target]\ncolumns = ['a']\n",
    );
    assert!(refusal(&format!("tasks validate {task}")).starts_with(&format!("{task}:3: there is no metric `blue`")));
    assert!(refusal(&format!("tasks validate rte --data {data}")).contains("--data: there is no column `label`"));
    assert!(refusal("tasks validate rte --data no/such.tsv").starts_with("no/such.tsv: --data: cannot read it"));
    assert!(refusal("tasks validate rte --shots 1").starts_with("--shots: there are no examples to take shots from"));
    assert!(refusal("tasks validate no/such.toml").starts_with("no/such.toml: cannot read it"));
    let many = refusal(&format!("tasks validate web_questions --data {data} --shots 4"));
    assert!(many.contains("--shots: 4 shots asked for, and the training split has 2 examples"), "{many}");
    assert!(refusal("tasks validate rte --n -1").contains("give a whole number, 0 or more"));
    assert!(!refusal("tasks").is_empty() && !refusal("tasks lsit").is_empty() && !refusal("tasks validate").is_empty());
}
