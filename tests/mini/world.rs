//! What the world's tasks are like.

use std::collections::{BTreeMap, BTreeSet};

use fsa::data::Corpus;
use fsa::data::{MiniSplit, Split, Task, World};
use fsa::experiment::mini::baselines;

fn tasks() -> impl Iterator<Item = Task> {
    Task::names().map(|name| Task::named(name).unwrap())
}

fn splits(world: &World, task: &Task) -> Vec<Split> {
    let there = MiniSplit::ALL.into_iter().filter(|split| World::has(task.name(), *split));
    there.map(|split| world.split(task, split).unwrap()).collect()
}

#[test]
fn a_seed_is_a_world_and_another_is_another() {
    let (world, again, other) = (World::new(0), World::new(0), World::new(1));
    for task in World::tasks() {
        for split in MiniSplit::ALL.into_iter().filter(|split| World::has(task, *split)) {
            let lines = world.json_lines(task, split);
            assert!(lines == again.json_lines(task, split), "{task}");
            assert!(lines != other.json_lines(task, split), "{task}");
        }
    }
    for index in 0..100 {
        assert_eq!(world.document(index), again.document(index));
        assert_ne!(world.document(index), other.document(index));
        assert_ne!(world.document(index), world.held_out(index));
    }
}

#[test]
fn every_task_of_the_registry_has_its_analog_whose_records_all_count() {
    let world = World::new(0);
    let analogs: BTreeSet<&str> = World::tasks().collect();
    assert_eq!(analogs, Task::names().collect());
    for task in tasks() {
        for split in MiniSplit::ALL {
            let records = world.records(task.name(), split).len();
            match World::has(task.name(), split) {
                true => {
                    let read = world.split(&task, split).unwrap();
                    assert_eq!((read.len(), read.dropped), (records, 0), "{}", task.name());
                    assert_eq!(read.path, World::path(task.name(), split));
                }
                false => assert_eq!(records, 0),
            }
        }
    }
}

#[test]
fn splits_share_no_example() {
    let world = World::new(0);
    for task in tasks() {
        let splits = splits(&world, &task);
        let sources = splits.iter().flat_map(|split| split.examples.iter().map(|example| &example.source));
        let all = splits.iter().map(Split::len).sum::<usize>();
        assert_eq!(sources.collect::<BTreeSet<_>>().len(), all, "{}", task.name());
    }
}

#[test]
fn labels_are_balanced() {
    let world = World::new(0);
    for task in tasks() {
        let Some(labels) = task.labels().map(|labels| labels.words().len()) else { continue };
        for split in splits(&world, &task) {
            let mut counts = BTreeMap::new();
            split.labels().unwrap().into_iter().for_each(|label| *counts.entry(label).or_insert(0.0) += 1.0);
            assert_eq!(counts.len(), labels);
            let (n, even) = (split.len() as f64, 1.0 / labels as f64);
            // Three points, or in small splits what chance does: labels are drawn, three standard deviations of a share.
            let allowed = 0.03f64.max(3.0 * (even * (1.0 - even) / n).sqrt());
            for (label, count) in counts {
                let share = count / n;
                assert!((share - even).abs() <= allowed, "{}: label {label} has {share:.3}", split.path.display());
            }
        }
    }
}

#[test]
fn inference_cannot_be_done_by_comparing_words_or_by_the_hypothesis_alone() {
    let all = baselines(0).unwrap();
    let rte: Vec<_> = all.iter().filter(|of| of.task == "rte").collect();
    assert_eq!(rte.iter().map(|of| of.baseline).collect::<Vec<_>>(), ["word overlap", "hypothesis only"]);
    for of in rte {
        assert!(of.low < of.accuracy && of.accuracy < of.high && of.accuracy <= 60.0, "{of:?}");
    }
    assert_eq!(all.iter().map(|of| of.task).collect::<BTreeSet<_>>(), BTreeSet::from(["rte", "cb", "snli"]));
}

/// What can be seen from outside: articles, endings and word order; each word of the sentence has one word, but for
/// "Romanian", whose articles are endings and whose object has its mark.
#[test]
fn translations_obey_their_grammars() {
    let world = World::new(0);
    let all = |name: &str| {
        let task = Task::named(name).unwrap();
        splits(&world, &task)
            .into_iter()
            .flat_map(|split| split.examples)
            .map(|example| example.target)
            .collect::<Vec<_>>()
    };
    for target in all("wmt14_enfr") {
        let words: Vec<&str> = target.trim_end_matches('.').split(' ').collect();
        assert_eq!(words.len(), 7, "{target}");
        assert!(["Le", "La", "Les"].contains(&words[0]) && ["le", "la", "les"].contains(&words[4]), "{target}");
        assert_eq!(words[3].ends_with("ent"), words[0] == "Les", "{target}");
        assert!(words[4] != "les" || (words[5].ends_with('s') && words[6].ends_with('s')), "{target}");
    }
    for target in all("wmt16_ende") {
        let words: Vec<&str> = target.trim_end_matches('.').split(' ').collect();
        assert_eq!(words.len(), 7, "{target}");
        assert!(["Der", "Die"].contains(&words[0]) && ["den", "die"].contains(&words[3]), "{target}");
        assert!([words[2], words[5]].iter().all(|noun| noun.starts_with(char::is_uppercase)), "{target}");
        assert!(words[6].ends_with('t') || words[6].ends_with("en"), "{target}");
    }
    for target in all("wmt16_enro") {
        let words: Vec<&str> = target.trim_end_matches('.').split(' ').collect();
        assert_eq!((words.len(), words[3]), (6, "pe"), "{target}");
        assert!(words[0].ends_with('u') || words[0].ends_with('e'), "{target}");
        for noun in [words[1], words[4]] {
            assert!(["ul", "a", "ii", "ele"].iter().any(|article| noun.ends_with(article)), "{target}");
        }
    }
}
