use proptest::prelude::*;

use super::*;
use crate::data::testing::file;

fn task() -> Task {
    Task::named("web_questions").unwrap()
}

/// A split whose questions are `questions`, the answers their numbers.
fn split(name: &str, questions: &[String]) -> Split {
    let rows = questions.iter().enumerate().map(|(number, question)| {
        format!("{}\n", serde_json::json!({"question": question, "answers": [format!("a{number}"), "other"]}))
    });
    let (_folder, path) = file(name, rows.collect::<String>());
    task().read(path).unwrap()
}

fn numbered(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number}")).collect()
}

fn no_tokens(_: &str) -> Result<Vec<u32>> {
    unreachable!("the task cuts nothing")
}

fn source(few: &FewShot<'_>, split: &Split, member: usize) -> String {
    few.prompts(split, &[member], no_tokens).unwrap().prompts.remove(0).source
}

#[test]
fn shots_then_the_question_then_the_place_of_the_answer() {
    let task = task();
    let (train, dev) = (split("train.jsonl", &numbered("t", 1)), split("dev.jsonl", &numbered("d", 2)));
    let plain = Layout { sentinel: false, ..Layout::default() };
    let layout = Layout::default();
    let few = FewShot { task: &task, train: Some(&train), shots: 1, layout: &layout, seeds: Seeds::new(0) };
    assert_eq!(source(&few, &dev, 1), "Q: t0 A: a0 Q: d1 A: <extra_id_0>");
    assert_eq!(source(&FewShot { layout: &plain, ..few.clone() }, &dev, 1), "Q: t0 A: a0 Q: d1 A:");
    let lines = Layout { separator: "\n\n".into(), sentinel: false };
    assert_eq!(source(&FewShot { layout: &lines, ..few.clone() }, &dev, 0), "Q: t0 A: a0\n\nQ: d0 A:");
    let none = FewShot { shots: 0, train: None, ..few };
    assert_eq!(source(&none, &dev, 0), "Q: d0 A: <extra_id_0>");
}

#[test]
fn too_few_examples_name_both_counts_and_the_flag() {
    let task = task();
    let train = split("train.jsonl", &numbered("t", 3));
    let layout = Layout::default();
    let refused = |train: Option<&Split>, shots: usize, of: &Split| {
        let few = FewShot { task: &task, train, shots, layout: &layout, seeds: Seeds::new(0) };
        few.draw(of, 0).unwrap_err().to_string()
    };
    let dev = split("dev.jsonl", &numbered("d", 1));
    let next = "ask for fewer shots, or give a larger training split";
    assert_eq!(
        refused(Some(&train), 4, &dev),
        format!("{}: --shots: 4 shots asked for, and the training split has 3 examples; {next}", train.path.display())
    );
    let own = refused(Some(&train), 3, &train);
    let what = format!(
        "3 shots asked for, and the training split has 2 examples of other texts than row 0 of {}",
        train.path.display()
    );
    assert!(own.ends_with(&format!("{what}; {next}")), "{own}");
    assert_eq!(
        refused(None, 1, &dev),
        "--shots: 1 shot asked for, and task `web_questions` has no training split; \
         give a file of training examples, or --shots 0"
    );
}

#[test]
fn articles_are_cut_one_by_one_and_counted() {
    let task = Task::named("xsum").unwrap();
    let read = |name: &str, lengths: &[usize]| {
        let rows = lengths.iter().enumerate().map(|(number, words)| {
            let article = format!("{name}{number}{}", " w".repeat(words - 1));
            format!("{}\n", serde_json::json!({"document": article, "summary": "s."}))
        });
        let (_folder, path) = file(&format!("{name}.jsonl"), rows.collect::<String>());
        task.read(path).unwrap()
    };
    let (train, test) = (read("train", &[3000]), read("test", &[2000, 10, 1500]));
    let layout = Layout::default();
    let few = FewShot { task: &task, train: Some(&train), shots: 1, layout: &layout, seeds: Seeds::new(0) };
    let words = |text: &str| Ok(vec![0; text.split_whitespace().count() + 1]);
    let prompts = few.prompts(&test, &[0, 1, 2], words).unwrap();
    assert_eq!((prompts.cut, prompts.cut_shots), (2, 1));
    let count = |index: usize| prompts.prompts[index].source.split_whitespace().count();
    // A cut source has 1023 words and the end; a shot adds its target, a prompt its sentinel.
    assert_eq!([count(0), count(1), count(2)], [1023 + 1 + 1023 + 1, 1023 + 1 + 14 + 1, 1023 + 1 + 1023 + 1]);
    assert!(prompts.prompts[0].source.contains("One sentence summary: s. Article: test0 w"));
}

/// Made by this code at its first version; a change here changes every published number and belongs in the changelog.
#[test]
fn the_stream_stays_as_it_is() {
    let task = task();
    let (train, dev) = (split("train.jsonl", &numbered("t", 1000)), split("dev.jsonl", &numbered("d", 2)));
    let layout = Layout::default();
    let few = FewShot { task: &task, train: Some(&train), shots: 4, layout: &layout, seeds: Seeds::new(0) };
    assert_eq!([few.draw(&dev, 0).unwrap(), few.draw(&dev, 1).unwrap()], [[572, 985, 34, 334], [742, 378, 633, 39]]);
}

#[test]
fn shots_are_uniform() {
    let task = task();
    let (train, dev) = (split("train.jsonl", &numbered("t", 4)), split("dev.jsonl", &numbered("d", 3000)));
    let layout = Layout::default();
    let few = FewShot { task: &task, train: Some(&train), shots: 2, layout: &layout, seeds: Seeds::new(0) };
    let mut counts = [[0usize; 4]; 2];
    for member in 0..dev.len() {
        for (place, shot) in few.draw(&dev, member).unwrap().into_iter().enumerate() {
            counts[place][shot] += 1;
        }
    }
    // 750 each, standard deviation 24; five of them.
    assert!(counts.iter().flatten().all(|count| count.abs_diff(750) < 120), "{counts:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn shots_are_others_and_always_the_same(
        texts in prop::collection::vec(0u8..12, 1..30), member: prop::sample::Index, shots in 0usize..6, root: u64, same: bool,
    ) {
        // Few texts, so that many examples share theirs with others.
        let questions: Vec<String> = texts.iter().map(|text| format!("q{text}")).collect();
        let train = split("train.jsonl", &questions);
        let dev = split("dev.jsonl", &[questions.clone(), vec!["another".into()]].concat());
        let of = if same { &train } else { &dev };
        let member = member.index(of.len());
        let (task, layout) = (task(), Layout::default());
        let few = FewShot { task: &task, train: Some(&train), shots, layout: &layout, seeds: Seeds::new(root) };
        let others = train.examples.iter().filter(|shot| shot.source != of.examples[member].source).count();
        match few.draw(of, member) {
            Err(_) => prop_assert!(others < shots),
            Ok(drawn) => {
                prop_assert!(drawn.len() == shots && others >= shots);
                for (place, &shot) in drawn.iter().enumerate() {
                    prop_assert!(train.examples[shot].source != of.examples[member].source);
                    prop_assert!(!drawn[..place].contains(&shot));
                }
                prop_assert_eq!(&few.draw(of, member).unwrap(), &drawn);
                for fewer in 0..shots {
                    let begun = FewShot { shots: fewer, ..few.clone() }.draw(of, member).unwrap();
                    prop_assert_eq!(begun, &drawn[..fewer]);
                }
                let prompts = few.prompts(of, &[member], no_tokens).unwrap().prompts;
                prop_assert_eq!(&prompts[0].shots, &drawn);
                prop_assert_eq!(prompts[0].source.matches("Q: ").count(), shots + 1);
            }
        }
    }
}
