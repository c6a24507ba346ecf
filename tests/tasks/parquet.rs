//! Parquet as pyarrow writes it, with the columns of data sets on the hub, gives the examples that its rows as JSON lines give.

use std::path::Path;

use fsa::data::{MiniSplit, Reading, Split, Task};
use fsa::spec::Seeds;

use crate::run::support::fixture;

fn read(task: &str, path: &Path, split: MiniSplit, sample: Option<usize>) -> Split {
    let task = Task::named(task).unwrap();
    Reading { task: &task, split, sample, seeds: Seeds::new(0) }.read(path).unwrap()
}

/// Of each task: a split, its files, the rows in them, and how many of these the task drops.
const SPLITS: [(&str, MiniSplit, &str, usize, usize); 13] = [
    ("rte", MiniSplit::Train, "train-*", 20, 0),
    ("rte", MiniSplit::Validation, "validation-00000-of-00001", 12, 0),
    ("cb", MiniSplit::Validation, "validation-*", 9, 0),
    ("wic", MiniSplit::Validation, "validation-*", 9, 0),
    ("snli", MiniSplit::Test, "test-*", 9, 3),
    ("openbookqa", MiniSplit::Test, "test-00000-of-00001", 9, 0),
    ("trivia_qa", MiniSplit::Validation, "validation-00000-of-00001", 9, 0),
    ("web_questions", MiniSplit::Test, "test-*", 9, 0),
    ("wmt14_enfr", MiniSplit::Test, "test-00000-of-00001", 9, 0),
    ("wmt16_ende", MiniSplit::Test, "test-*", 9, 0),
    ("wmt16_enro", MiniSplit::Test, "test-*", 9, 0),
    ("xsum", MiniSplit::Test, "test-*", 9, 0),
    ("wiki_lingua", MiniSplit::Test, "test-*", 9, 0),
];

#[test]
fn every_tasks_parquet_is_read_as_its_json_lines_are() {
    let mut tasks = SPLITS.map(|(task, ..)| task).to_vec();
    tasks.dedup();
    assert_eq!(tasks, Task::names().collect::<Vec<_>>(), "a task without a file as the hub has it");
    for (task, split, name, rows, dropped) in SPLITS {
        let folder = fixture(&format!("parquet/{task}"));
        let lines = folder.join(split.name()).with_extension("jsonl");
        for sample in [None, Some(5)] {
            let parquet = read(task, &folder.join(format!("{name}.parquet")), split, sample);
            let lines = read(task, &lines, split, sample);
            assert_eq!(parquet.len() + parquet.dropped, sample.unwrap_or(rows), "{task}");
            assert!(sample.is_some() || parquet.dropped == dropped, "{task}: {} dropped", parquet.dropped);
            assert_eq!((parquet.rows, parquet.dropped), (rows as u64, lines.dropped), "{task}");
            assert_eq!(parquet.examples, lines.examples, "{task}");
        }
    }
}

#[test]
fn a_wrong_task_is_told_what_columns_there_are() {
    let path = fixture("parquet/wmt14_enfr/test-00000-of-00001.parquet");
    let said = |task: &str| {
        let error = Task::named(task).unwrap().read(&path).unwrap_err().to_string();
        error.rsplit_once("00001.parquet").unwrap().1.to_string()
    };
    assert_eq!(
        said("rte"),
        ": there is no column `hypothesis` or `sentence2`; the file has translation; \
         rename the column in the file, or name it in the task's description"
    );
    assert!(said("wmt16_ende").starts_with(
        ":1: there is no column `translation.de`; the file has translation.en, translation.fr (nearest: "
    ));
}
