//! The pieces that a tokenizer is made of cover every text of the world.

use std::collections::{BTreeMap, BTreeSet};

use fsa::data::Corpus;
use fsa::data::{MiniSplit, Task, World};

/// Whether `word` is a piece that begins a word and then pieces that go on.
fn splits(word: &str, pieces: &BTreeSet<String>) -> bool {
    let whole = format!("▁{word}");
    // Whether what comes before each byte splits.
    let mut reached = vec![false; whole.len() + 1];
    reached[0] = true;
    for end in (1..=whole.len()).filter(|&end| whole.is_char_boundary(end)) {
        reached[end] = (0..end)
            .filter(|&start| whole.is_char_boundary(start) && reached[start])
            .any(|start| pieces.contains(&whole[start..end]));
    }
    reached[whole.len()]
}

#[test]
fn every_word_splits_into_pieces() {
    let world = World::new(0);
    let pieces: BTreeSet<String> = world.pieces().into_iter().collect();
    assert!(pieces.len() < 2000, "{}", pieces.len());
    let mut words: BTreeMap<String, String> = BTreeMap::new();
    let mut read = |text: &str, from: &str| {
        for word in text.split_whitespace().filter(|word| !word.starts_with("<extra_id_")) {
            words.entry(word.to_string()).or_insert_with(|| from.to_string());
        }
    };
    for index in 0..5_000 {
        for document in [world.document(index), world.held_out(index)] {
            read(&document.source, &document.family);
            read(&document.target, &document.family);
        }
    }
    for name in Task::names() {
        let task = Task::named(name).unwrap();
        for split in MiniSplit::ALL.into_iter().filter(|split| World::has(name, *split)) {
            for example in world.split(&task, split).unwrap().examples {
                read(&example.source, name);
                example.references.iter().for_each(|reference| read(reference, name));
            }
        }
    }
    let unknown: Vec<_> = words.iter().filter(|(word, _)| !splits(word, &pieces)).collect();
    assert!(unknown.is_empty(), "{} of {} words: {unknown:?}", unknown.len(), words.len());
}
