//! Tasks and data that cannot be used: one line that names the place and what to do; nothing is written.

use super::support::*;

/// What a run refuses.
fn refused(place: &Place, arguments: &str) -> String {
    place.refusal(&format!("{TRAIN} --out new/out {arguments}"))
}

/// What a run with another line in its config refuses.
fn refused_without(place: &Place, line: &str, arguments: &str) -> String {
    let config = place.text("train.toml");
    assert!(config.contains(line));
    place.write("train.toml", config.replace(line, ""));
    let said = refused(place, arguments);
    place.write("train.toml", config);
    said
}

#[test]
fn a_missing_file_names_task_split_and_flag() {
    let place = place();
    for (key, file, splits, hub) in [
        ("web_questions.train", "wq-train.jsonl", "train", "stanfordnlp/web_questions"),
        ("web_questions.test", "wq-test.jsonl", "test or validation", "stanfordnlp/web_questions"),
        ("wmt16_ende.test", "ende.jsonl", "test or validation", "wmt/wmt16"),
        ("rte.validation", "dev.tsv", "validation or test", "aps/super_glue"),
    ] {
        let task = key.split('.').next().unwrap();
        assert_eq!(
            refused_without(&place, &format!("'{key}' = '{file}'\n"), ""),
            format!(
                "--file: task `{task}` has no file for its {splits} split; \
                 give --file {key}=path/to/file, or --file {key}=hub for {hub} on the hub"
            )
        );
    }
    assert_eq!(
        refused_without(&place, "'rte.train' = 'train.tsv'\n", ""),
        "--train: task `rte` has no file for its train split; give --file rte.train=path/to/file, \
         or --file rte.train=hub for aps/super_glue on the hub"
    );
    let said = refused(&place, "--file wmt16_ende.test=none.jsonl");
    assert!(said.starts_with("none.jsonl: --file: cannot read it: No such file or directory"), "{said}");
    // Checkpoints need no training split.
    checkpoint(&place, 2, 1, true);
    place.done(&format!("{OVER} --out over"));
    assert_eq!(
        place.refusal(&format!("{OVER} --out new/out --eval trivia_qa:0")),
        "--file: task `trivia_qa` has no file for its test or validation split; \
         give --file trivia_qa.test=path/to/file, or --file trivia_qa.validation=hub for mandarjoshi/trivia_qa on the hub"
    );
}

#[test]
fn too_few_examples_for_the_shots() {
    let place = place();
    let said = refused(&place, "--eval web_questions:10");
    assert!(said.contains("10 shots asked for") && said.contains('9'), "{said}");
    assert!(said.contains("wq-train.jsonl"), "{said}");
}

#[test]
fn a_set_without_examples() {
    let place = place();
    place.write("ende.jsonl", "");
    assert_eq!(refused(&place, ""), "ende.jsonl: --file: the file is empty; give a file with examples in it");
    place.write("ende.jsonl", "\n\n");
    let said = refused(&place, "");
    assert!(said.starts_with("ende.jsonl") && said.contains("--file"), "{said}");
}

#[test]
fn an_unknown_task_or_row_is_named() {
    let place = place();
    let said = refused(&place, "--eval web_question:1");
    assert!(
        said.starts_with("--eval: ") && said.contains("`web_question`") && said.contains("`web_questions`"),
        "{said}"
    );
    let said = refused(&place, "--task rtee");
    assert!(said.contains("`rtee`") && said.contains("`rte`"), "{said}");
    place.write("wq-test.jsonl", questions(9..20) + "{\"question\": \"why?\"}\n");
    let said = refused(&place, "");
    assert!(said.starts_with("wq-test.jsonl:12: --file: "), "{said}");
}

const OWN: &str = "\
name = 'own'
template = '{question} A:'
metric = 'accuracy'

[columns]
question = ['question']

[target]
columns = ['answers.0']
labels = ['yes', 'no']

[splits]
validation = 'own.jsonl'
train = 'own.jsonl'
";

#[test]
fn a_task_file_that_is_wrong_names_its_line_and_what_there_is() {
    let place = place();
    let data = "{\"question\": \"why?\", \"answers\": [\"yes\"]}\n{\"question\": \"how?\", \"answers\": [\"no\"]}\n";
    place.write("own.jsonl", data);
    place.write("own.toml", OWN);
    place.done(&format!("{TRAIN} --steps 0 --task own.toml --batch-size 2 --out own"));
    let eval = "--eval own.toml:1";
    let said = |from: &str, to: &str| {
        assert!(OWN.contains(from));
        place.write("own.toml", OWN.replace(from, to));
        refused(&place, eval)
    };
    let metric = said("'accuracy'", "'acuracy'");
    assert!(metric.starts_with("own.toml:3: ") && metric.contains("acuracy"), "{metric}");
    for known in ["accuracy", "em-trivia", "em-squad", "bleu", "rouge2"] {
        assert!(metric.contains(known), "{metric}");
    }
    let key = said("metric =", "metrik =");
    assert!(key.starts_with("own.toml:3: ") && key.contains("metrik") && key.contains("metric`"), "{key}");
    let label = said("'yes', 'no'", "'yes', 'no.'");
    assert!(label.starts_with("own.toml") && label.contains("label word `no.`"), "{label}");
    let column = said("'{question} A:'", "'{sentence} A:'");
    assert!(column.starts_with("own.toml") && column.contains("sentence") && column.contains("question"), "{column}");
    let field = said("['question']", "['questions']");
    assert!(
        field.starts_with("own.jsonl:1: ") && field.contains("`questions`") && field.contains("question"),
        "{field}"
    );
    let free = OWN.replace("metric = 'accuracy'\n", "").replace("labels = ['yes', 'no']\n", "");
    place.write("own.toml", free);
    let none = refused(&place, eval);
    assert!(none.starts_with("--eval: task `own` has no metric") && none.contains("em-trivia"), "{none}");
    // With labels it is accuracy, unless the file says otherwise.
    place.write("own.toml", OWN.replace("metric = 'accuracy'\n", ""));
    place.done(&format!("{TRAIN} --steps 0 {eval} --out accuracy"));
}

#[test]
fn a_label_that_is_none_names_its_row() {
    let place = place();
    place.write("own.toml", OWN);
    place.write("own.jsonl", "{\"question\": \"why?\", \"answers\": [\"maybe\"]}\n");
    let said = refused(&place, "--eval own.toml:0");
    assert!(
        said.starts_with("own.jsonl:1: --file: ") && said.contains("`maybe`") && said.contains("yes, no"),
        "{said}"
    );
}

#[test]
fn rows_of_one_name_are_refused_before_they_are_made() {
    let place = place();
    assert_eq!(
        refused(&place, "--eval web_questions:1,rte:0"),
        "--eval: `rte:0` is the target, which every probe evaluates without shots anyway; leave it out, or give it shots"
    );
    place.done(&format!("{TRAIN} --steps 0 --eval rte:1,rte:2 --out shots"));
    place.write("own.jsonl", "{\"question\": \"why?\", \"answers\": [\"yes\"]}\n");
    place.write("own.toml", OWN);
    place.write("other.toml", OWN.replace(" A:", " B:"));
    assert_eq!(
        refused(&place, "--eval own.toml:0,other.toml:0"),
        "--eval: `other.toml:0`: another evaluation is of a task `own` with 0 shots too; give each task a name of its own"
    );
}
