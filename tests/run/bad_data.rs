//! Data, tasks, configs and options that cannot be used: one line that names the place and what to do; nothing is written.

use super::support::*;

const RUN: &str = "gradient-align --config run.toml --out new/out";

/// What a run refuses with whose training data are `text`.
fn refused(place: &Place, text: &str) -> String {
    place.write("train.tsv", text);
    place.refusal(RUN)
}

#[test]
fn columns_and_labels_name_their_line() {
    let place = Place::new();
    let train = train(72);
    assert_eq!(
        refused(&place, &train.replacen("sentence2", "sentence3", 1)),
        "train.tsv:1: --train: there is no column `hypothesis` or `sentence2`; the file has index, sentence1, sentence3, \
         label (nearest: `sentence3`); rename the column in the file, or name it in the task's description"
    );
    let last = train.trim_end().rfind('\t').unwrap();
    assert_eq!(
        refused(&place, &format!("{}\tmaybe\n", &train[..last])),
        "train.tsv:73: --train: column label: label `maybe` is not one of True, False, 0, 1, entailment, not_entailment; \
         correct it, or remove the row (a test split's hidden labels cannot be used)"
    );
    let said = refused(&place, &format!("{}\t\n", &train[..last]));
    assert_eq!(said, "train.tsv:73: --train: column label: the label is empty; fill it in, or remove the row");
    let said = refused(&place, &train[..last]);
    assert!(
        said.starts_with("train.tsv:73: --train: the line has 3 fields and the header has 4; the file ends"),
        "{said}"
    );
    // A byte-order mark and another system's line ends are no mistake.
    place.write("train.tsv", format!("\u{feff}{}", train.replace('\n', "\r\n")));
    place.done(&format!("{RUN} --quiet"));
}

#[test]
fn files_without_examples_say_so() {
    let place = Place::new();
    assert_eq!(refused(&place, ""), "train.tsv: --train: the file is empty; give a file with examples in it");
    let header = train(0);
    assert_eq!(
        refused(&place, &header),
        "train.tsv: --train: the file has no examples; give a file with examples in it"
    );
    assert_eq!(
        place.refusal("gradient-align --config run.toml --train none.tsv --out new/out"),
        "none.tsv: --train: cannot read it: No such file or directory (os error 2); check the path"
    );
    place.write("train.tsv", train(72));
    let said = place.refusal(&format!("{RUN} --dev none.tsv"));
    assert!(said.starts_with("none.tsv: --dev: cannot read it"), "{said}");
    let said = place.refusal(&format!("{RUN} --train model"));
    assert_eq!(said, "model: --train: there is no data file; give a file, or a folder with some in it");
}

#[test]
fn text_that_is_not_utf8_names_its_line() {
    let place = Place::new();
    let mut bytes = train(72).into_bytes();
    let line = bytes.iter().filter(|&&byte| byte == b'\n').count();
    let end = bytes.len() - 20;
    bytes[end] = 0xE9;
    place.write("train.tsv", bytes);
    let said = place.refusal(RUN);
    assert!(said.starts_with(&format!("train.tsv:{line}: --train: the text is not UTF-8 (byte ")), "{said}");
    assert!(said.ends_with("save the file as UTF-8"), "{said}");
}

#[test]
fn probe_batches_that_do_not_fit_are_refused() {
    let place = Place::new();
    assert_eq!(
        refused(&place, &train(15)),
        "--probe-batches: 2 probe batches of 8 examples do not fit into the 15 examples of the split; give fewer \
         --probe-batches or a smaller --batch-size"
    );
    place.write("train.tsv", train(72));
    place.write("dev.tsv", train(15));
    let said = place.refusal(&format!("{RUN} --dev dev.tsv --probe-split validation"));
    assert!(said.contains("do not fit into the 15 examples"), "{said}");
    // As many as there are do fit, and training goes over them again and again.
    place.write("train.tsv", train(16));
    place.done(&format!("{RUN} --quiet"));
}

const FREE: &str = "\
name = 'free'
template = '{sentence}'

[columns]
sentence = ['sentence1']

[target]
columns = ['sentence2']
";

#[test]
fn estimators_that_need_labels_are_refused_for_free_text() {
    let place = Place::new();
    place.write("free.toml", FREE);
    for estimator in ["flip", "expected"] {
        assert_eq!(
            place.refusal(&format!("{RUN} --task free.toml --estimators dataset,{estimator}")),
            format!(
                "--estimators: `{estimator}` needs a closed label set, and the targets of task `free` are free text; give \
                 --estimators dataset,batch"
            )
        );
    }
    // Doing what it says works.
    place.done(&format!("{RUN} --task free.toml --estimators dataset,batch --quiet"));
    assert!(place.rows("new/out").iter().all(|row| row["target"] == "free"));
}

#[test]
fn mistakes_in_a_task_file_name_their_line() {
    let place = Place::new();
    for (from, to, expected) in [
        (
            "columns = ['sentence2']",
            "colums = ['sentence2']",
            "task.toml:8: the task's description: unknown field `colums`",
        ),
        (
            "{sentence}",
            "{sentense}",
            "task.toml:2: column template: it names `{sentense}`, and [columns] has sentence; give",
        ),
        ("name = 'free'", "name = 'a free one'", "task.toml:1: `a free one` cannot name a task; use letters"),
        ("['sentence1']", "[]", "task.toml:5: the list is empty; name the column as files do"),
        ("name = 'free'", "name = 'free", "task.toml:1: the task's description: "),
    ] {
        place.write("task.toml", FREE.replace(from, to));
        let said = place.refusal(&format!("{RUN} --task task.toml"));
        assert!(said.starts_with(expected), "{to}: {said}");
    }
    assert!(place.refusal(&format!("{RUN} --task none.toml")).starts_with("none.toml: cannot read it"));
    let said = place.refusal(&format!("{RUN} --task rtf"));
    assert!(said.starts_with("--task: there is no task `rtf` (did you mean `rte`?); give one of rte"), "{said}");
}

#[test]
fn mistakes_in_a_config_name_their_line() {
    let place = Place::new();
    let line = RUN_TOML.lines().count() + 1;
    for (added, expected) in [
        ("probe-bathces = 3", format!("run.toml:{line}: unknown key `probe-bathces`; did you mean `probe-batches`?")),
        ("lr = 0", format!("run.toml:{line}: --lr: must be a positive number, not 0")),
        ("seed = -1", format!("run.toml:{line}: `seed`: ")),
        ("dropout = 'some'", format!("run.toml:{line}: `dropout`: ")),
        ("dropout = ", format!("run.toml:{line}: not valid TOML: ")),
        ("steps = 4", format!("run.toml:{line}: ")),
    ] {
        place.write("run.toml", format!("{RUN_TOML}{added}\n"));
        let said = place.refusal(RUN);
        assert!(said.starts_with(&expected), "{added}: {said}");
    }
}

#[test]
fn numbers_that_no_run_can_have_are_refused_at_once() {
    let place = Place::new();
    for (flags, expected) in [
        ("--steps 18446744073709551615", "--steps: must be at most "),
        ("--steps 900000000 --probe-every 10", "--probe-every: 10 makes more than 1000000 probes; probe less often"),
        ("--shuffles 1000000000000", "--shuffles: must be at most "),
        (
            "--batch-size 18446744073709551615",
            "--probe-batches: 2 probe batches of 18446744073709551615 examples do not",
        ),
        ("--threads 1000000000", "--threads: must be at most "),
        ("--lr nan", "--lr: must be a positive number, not NaN"),
        ("--lr inf", "--lr: must be a positive number, not inf"),
        ("--dropout 1", "--dropout: must be at least 0 and below 1, not 1"),
        ("--probe-every 0", "--probe-every: must be at least 1, not 0"),
    ] {
        let said = place.refusal(&format!("{RUN} {flags}"));
        assert!(said.starts_with(expected), "{flags}: {said}");
    }
}
