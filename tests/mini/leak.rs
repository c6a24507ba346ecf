//! Nothing that a task asks is ever pretrained on, and no target's format: held over many documents.

use std::collections::{BTreeSet, HashMap, HashSet};

use fsa::data::Corpus;
use fsa::data::{MiniSplit, Task, World};
use rayon::prelude::*;

use super::unmasked;

const DOCUMENTS: u64 = 50_000;

/// Tasks whose templates pretraining must not show: those that are fine-tuned, and those like them.
const TARGETS: [&str; 6] = ["rte", "cb", "snli", "wic", "openbookqa", "wmt14_enfr"];

/// The words of a text, as byte ranges.
fn words(text: &str) -> Vec<(usize, usize)> {
    let start = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    text.split_whitespace().map(|word| (start(word), start(word) + word.len())).collect()
}

fn bare(text: &str) -> &str {
    text.trim_end_matches(|c: char| c.is_ascii_punctuation())
}

/// Texts to look for: by their first two words, how many words they may have; and the texts, without the last one's
/// punctuation.
#[derive(Default)]
struct Contents {
    lengths: HashMap<String, BTreeSet<usize>>,
    texts: HashSet<String>,
}

impl Contents {
    fn insert(&mut self, text: &str) {
        let words = words(text);
        assert!(words.len() > 2, "`{text}` is too short to be anybody's own");
        self.lengths.entry(text[words[0].0..words[1].1].to_string()).or_default().insert(words.len());
        self.texts.insert(bare(text).to_string());
    }

    /// One of the texts that stands in `text`, from word to word.
    fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        let words = words(text);
        let at = |place: usize| {
            let lengths = self.lengths.get(&text[words[place].0..words.get(place + 1)?.1])?;
            lengths.iter().find_map(|length| {
                let found = bare(&text[words[place].0..words.get(place + length - 1)?.1]);
                self.texts.contains(found).then_some(found)
            })
        };
        (0..words.len()).find_map(at)
    }
}

/// What is a task's own: every example's prompt, and what it is about.
fn contents(world: &World) -> Contents {
    let mut contents = Contents::default();
    for name in Task::names() {
        let task = Task::named(name).unwrap();
        for split in MiniSplit::ALL.into_iter().filter(|split| World::has(name, *split)) {
            for example in world.split(&task, split).unwrap().examples {
                contents.insert(&example.source);
                match name {
                    // Its two sentences stand side by side; each alone is what a dictionary may say of the word.
                    "wic" => contents.insert(example.source.split(" question: ").next().unwrap()),
                    // Its question is one of a few; with the choices it is the prompt.
                    "openbookqa" => {}
                    _ => contents.insert(task.template().fields(&example.source)[0]),
                }
            }
        }
    }
    contents
}

#[test]
fn no_example_of_a_task_occurs_in_pretraining() {
    let world = World::new(0);
    let contents = contents(&world);
    assert!(contents.texts.len() > 25_000, "{}", contents.texts.len());
    let leak = |index: u64| {
        let document = world.document(index);
        contents.find(&unmasked(&document)).map(|found| format!("`{found}` in {document:?}"))
    };
    let leaks: Vec<String> = (0..DOCUMENTS).into_par_iter().filter_map(leak).collect();
    assert!(leaks.is_empty(), "{} leaks, such as {}", leaks.len(), leaks[0]);
}

#[test]
fn a_leak_would_be_found() {
    let world = World::new(0);
    let contents = contents(&world);
    for name in Task::names() {
        let task = Task::named(name).unwrap();
        let example = &world.split(&task, MiniSplit::Test).unwrap().examples[0];
        assert!(contents.find(&format!("Before: {} after.", example.source)).is_some(), "{name}");
    }
}

#[test]
fn no_target_is_pretrained_on_in_its_format() {
    let world = World::new(0);
    let mut forbidden: Vec<String> =
        ["is it true or false", "used in the same way", "translate english to french"].map(String::from).to_vec();
    for name in TARGETS {
        // The template's plain parts that say something.
        let template = Task::named(name).unwrap().template().to_string().to_lowercase();
        let plain = template.split(['{', '}']).step_by(2).map(|part| part.trim().to_string());
        forbidden.extend(plain.filter(|part| part.split(' ').count() > 2));
    }
    assert!(forbidden.len() >= 3 + TARGETS.len() - 1, "{forbidden:?}");
    let of = |index: u64| {
        let document = world.document(index);
        let text = unmasked(&document);
        let lower = text.to_lowercase();
        let template = forbidden.iter().find(|part| lower.contains(part.as_str()));
        // A dictionary's remarks may explain the label words; nothing else says them, shots included.
        let label = |word: &str| ["True", "False", "Neither"].contains(&bare(word));
        let labels = document.family != "words" && text.split(' ').any(label);
        (template.is_some() || labels).then(|| format!("{document:?}"))
    };
    let broken: Vec<String> = (0..DOCUMENTS).into_par_iter().filter_map(of).collect();
    assert!(broken.is_empty(), "{} documents, such as {}", broken.len(), broken[0]);
}
