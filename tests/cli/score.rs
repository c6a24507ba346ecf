//! `fsa score`: each metric end to end, and what it refuses.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::usage::refusal;
use super::{fsa, stderr, stdout};

/// Writes the two files and returns the flags that name them.
fn files(folder: &Path, hypotheses: &[u8], references: &[u8]) -> String {
    let (ours, theirs) = (folder.join("ours.txt"), folder.join("theirs.txt"));
    fs::write(&ours, hypotheses).unwrap();
    fs::write(&theirs, references).unwrap();
    format!("--hypotheses {} --references {}", ours.display(), theirs.display())
}

/// What `fsa score FLAGS --json` prints.
fn scored(flags: &str) -> Value {
    let output = fsa(&format!("score {flags} --json"));
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{flags}");
    serde_json::from_str(&stdout(&output)).unwrap()
}

#[test]
fn bleu_of_the_fixture_corpus_is_sacrebleus_with_one_reference_and_with_two() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/metrics");
    let lines: Vec<Value> = fs::read_to_string(fixtures.join("corpus.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let expected: Value = serde_json::from_str(&fs::read_to_string(fixtures.join("corpus.json")).unwrap()).unwrap();
    // Lines without a line end in them, for a file has one text a line; the rest is in `measure::texts`.
    let expected = &expected["sentences"];
    let [first, last] = [0, 1].map(|end| expected["lines"][end].as_u64().unwrap() as usize);
    let lines = &lines[first..last];
    let column =
        |name: &str| lines.iter().map(|line| format!("{}\n", line[name].as_str().unwrap())).collect::<String>();
    let folder = tempfile::tempdir().unwrap();
    let flags = files(folder.path(), column("hypothesis").as_bytes(), column("reference").as_bytes());
    let second = folder.path().join("second.txt");
    fs::write(&second, column("second")).unwrap();

    let agree = |found: &Value, expected: &Value| {
        assert!((found["score"].as_f64().unwrap() - expected["score"].as_f64().unwrap()).abs() < 1e-9, "{found}");
        assert_eq!((&found["signature"], &found["n"]), (&expected["signature"], &Value::from(last - first)));
        assert!(found["low"].as_f64() < found["score"].as_f64() && found["score"].as_f64() < found["high"].as_f64());
    };
    let one = scored(&format!("--metric bleu --tokenize intl {flags}"));
    agree(&one, &expected["one_reference"]["intl"]);
    agree(&scored(&format!("--metric bleu {flags} {}", second.display())), &expected["two_references"]["13a"]);
    // The same seed, the same interval; another seed, another.
    assert_eq!(one, scored(&format!("--metric bleu --tokenize intl --seed 0 {flags}")));
    assert_ne!(one["low"], scored(&format!("--metric bleu --tokenize intl --seed 1 {flags}"))["low"]);
}

#[test]
fn the_other_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let score = |metric: &str, ours: &str, theirs: &str| {
        scored(&format!("--metric {metric} {}", files(folder.path(), ours.as_bytes(), theirs.as_bytes())))
    };
    assert_eq!(score("rouge2", "the cat sat\nno\n", "The cat sat!\nyes\n")["score"], 50.0);
    let aliases = "[\"Lincoln\", \"Abe\"]\nO'Neill\n";
    assert_eq!(score("em-trivia", "abe.\nO Neill\n", aliases)["score"], 100.0);
    assert_eq!(score("em-squad", "abe.\nO Neill\n", aliases)["score"], 50.0);
    let accuracy =
        score("accuracy --labels True,False", "True, it is\r\nfalse\r\n\r\nFalse", "True\nFalse\nTrue\nFalse\n");
    assert_eq!((&accuracy["score"], &accuracy["n"]), (&Value::from(50.0), &Value::from(4)));
    // Wilson's interval of 2 in 4: 15.0 to 85.0.
    assert!((accuracy["low"].as_f64().unwrap() - 15.003_899).abs() < 1e-5, "{accuracy}");
    assert_eq!(accuracy["interval"], "wilson");
    let one = score("rouge2", "a b", "a b");
    assert_eq!((&one["low"], &one["high"]), (&Value::Null, &Value::Null));
}

#[test]
fn the_table_has_the_score_the_interval_and_the_signature() {
    let folder = tempfile::tempdir().unwrap();
    let flags = files(folder.path(), b"a b c d e\nx y z w\n", b"a b c d e\nx y z v\n");
    let output = fsa(&format!("score --metric bleu {flags}"));
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    let text = stdout(&output);
    let keys: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(keys, ["bleu", "interval", "precisions", "brevity", "lines", "signature"], "{text}");
    assert!(text.contains("(95 %, bootstrap of 1000 draws, seed 0)"), "{text}");
}

#[test]
fn what_cannot_be_scored_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |metric: &str, ours: &[u8], theirs: &[u8]| {
        let text = refusal(&format!("score --metric {metric} {}", files(folder.path(), ours, theirs)));
        text.replace(&format!("{}/", folder.path().display()), "")
    };
    assert_eq!(
        refused("bleu", b"a\nb\nc\n", b"a\nb\n"),
        "theirs.txt: --references: it has 2 lines, and the hypotheses have 3; give one reference a line, in the order of the \
         hypotheses"
    );
    assert_eq!(refused("bleu", b"", b"a\n"), "ours.txt: --hypotheses: the file is empty; give one text a line");
    assert!(refused("rouge2", b"a\n", b"").starts_with("theirs.txt: --references: the file is empty"));
    assert!(refused("bleu", b"a\nb\xff\n", b"a\nb\n").starts_with("ours.txt:2: --hypotheses: the text is not UTF-8"));
    assert!(refused("em-trivia", b"a\nb\n", b"a\n[]\n").starts_with("theirs.txt:2: the list of answers is empty"));
    assert!(
        refused("accuracy --labels True,False", b"a\n", b"Maybe\n")
            .starts_with("theirs.txt:1: label `Maybe` is not one of True, False; give every label word")
    );
    let flags = files(folder.path(), b"a\n", b"a\n");
    let extra = folder.path().join("theirs.txt");
    let several = refusal(&format!("score --metric rouge2 {flags} {}", extra.display()));
    assert!(several.starts_with("--references: only --metric bleu takes several reference files"));
}

#[test]
fn flags_that_do_not_fit_are_refused() {
    assert!(refusal("score --metric belu").contains("'bleu'"));
    assert!(refusal("score --metric rouge").contains("'rouge2'"));
    assert!(refusal("score").starts_with("--metric: missing: the metric; give --metric bleu"));
    assert!(refusal("score --metric bleu").starts_with("--hypotheses: missing"));
    assert!(refusal("score --metric bleu --hypotheses h").starts_with("--references: missing"));
    assert!(
        refusal("score --metric accuracy").starts_with("--labels: missing: the label words; give --labels True,False")
    );
    assert!(
        refusal("score --metric accuracy --labels True").starts_with("--labels: a label set needs at least 2 words")
    );
    assert!(
        refusal("score --metric rouge2 --tokenize intl").starts_with("--tokenize: --metric rouge2 does not use it")
    );
    assert!(refusal("score --metric bleu --labels A,B").starts_with("--labels: --metric bleu does not use it"));
    assert!(
        refusal("score --metric bleu --hypotheses no/such.txt --references r")
            .starts_with("no/such.txt: --hypotheses: ")
    );
}
