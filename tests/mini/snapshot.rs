//! The world of seed 0, as a file that a reader can check: `tests/snapshots/mini.txt`.
//!
//! After a wanted change, `FSA_UPDATE_SNAPSHOTS=1 cargo test snapshot` writes it anew.

use std::fmt::Write as _;

use fsa::data::Corpus;
use fsa::data::{MiniSplit, Task, World};

#[test]
fn the_first_examples_and_documents() {
    let world = World::new(0);
    let mut text = "# seed 0\n\n".to_string();
    for name in Task::names() {
        let task = Task::named(name).unwrap();
        let shown = if name.starts_with("wmt") { 5 } else { 2 };
        for example in world.split(&task, MiniSplit::Test).unwrap().examples.iter().take(shown) {
            writeln!(text, "# {name}\n{}\n=> {}\n", example.source, example.references.join(" | ")).unwrap();
        }
    }
    for index in 0..20 {
        let document = world.document(index);
        writeln!(text, "# document {index}: {}\n{}\n=> {}\n", document.family, document.source, document.target)
            .unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/mini.txt");
    if std::env::var_os("FSA_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}
