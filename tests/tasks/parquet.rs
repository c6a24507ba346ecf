//! Parquet as pyarrow writes it, with the columns of data sets on the hub, gives the examples that its rows as JSON lines give.

use std::path::Path;

use fsa::data::{MiniSplit, Reading, Split, Task};
use fsa::spec::Seeds;

use crate::run::support::fixture;

fn read(task: &str, path: &Path, split: MiniSplit, sample: Option<usize>) -> Split {
    let task = Task::named(task).unwrap();
    Reading { task: &task, split, sample, seeds: Seeds::new(0) }.read(path).unwrap()
}

#[test]
fn lists_and_objects_are_read_as_json_lines_are() {
    let splits = [
        ("rte", MiniSplit::Train, "train-*", 20),
        ("rte", MiniSplit::Validation, "validation-00000-of-00001", 12),
        ("openbookqa", MiniSplit::Test, "test-00000-of-00001", 9),
        ("trivia_qa", MiniSplit::Validation, "validation-00000-of-00001", 9),
        ("web_questions", MiniSplit::Test, "test-*", 9),
        ("wmt14_enfr", MiniSplit::Test, "test-00000-of-00001", 9),
    ];
    for (task, split, name, rows) in splits {
        let folder = fixture(&format!("parquet/{task}"));
        let lines = folder.join(split.name()).with_extension("jsonl");
        for sample in [None, Some(5)] {
            let parquet = read(task, &folder.join(format!("{name}.parquet")), split, sample);
            let lines = read(task, &lines, split, sample);
            assert_eq!((parquet.len(), parquet.rows), (sample.unwrap_or(rows), rows as u64), "{task}");
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
