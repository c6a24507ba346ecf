//! Every task reads its hub layout and renders the paper's Table 4.

use fsa::data::{Metric, Task};

/// One task: the paper's template, a row of the hub's layout, and what must become of it.
struct Case {
    task: &'static str,
    /// Table 4, verbatim; the answer set in braces is not part of the prompt.
    paper: &'static str,
    row: &'static str,
    source: &'static str,
    references: &'static [&'static str],
    label: Option<usize>,
    metric: Metric,
    language: Option<&'static str>,
}

const CASES: [Case; 12] = [
    Case {
        task: "rte",
        paper: "[premise] question: [hypothesis] Is it true or false? answer: {True, False}",
        row: r#"{"premise":"It rains.","hypothesis":"It is wet.","idx":0,"label":0}"#,
        source: "It rains. question: It is wet. Is it true or false? answer:",
        references: &["True"],
        label: Some(0),
        metric: Metric::Accuracy,
        language: None,
    },
    Case {
        task: "cb",
        paper: "[premise] question: [hypothesis] Is it true or false or neither? answer: {True, False, Neither}",
        row: r#"{"premise":"It rains.","hypothesis":"It is dry.","idx":0,"label":1}"#,
        source: "It rains. question: It is dry. Is it true or false or neither? answer:",
        references: &["False"],
        label: Some(1),
        metric: Metric::Accuracy,
        language: None,
    },
    Case {
        task: "wic",
        paper: "[sentence1] [sentence2] question: The word [word] is used in the same way in the two sentences. \
                Is it true or False? answer: {True, False}",
        row: r#"{"word":"place","sentence1":"A place to eat.","sentence2":"Save me a place.","start1":2,"end1":7,"start2":10,"end2":15,"idx":0,"label":0}"#,
        source: "A place to eat. Save me a place. question: The word place is used in the same way in the two sentences. \
                 Is it true or False? answer:",
        references: &["False"],
        label: Some(1),
        metric: Metric::Accuracy,
        language: None,
    },
    Case {
        task: "snli",
        paper: "[premise] question: [hypothesis] Is it true or false or neither? answer: {True, False, Neither}",
        row: r#"{"premise":"A man eats.","hypothesis":"He is tall.","label":1}"#,
        source: "A man eats. question: He is tall. Is it true or false or neither? answer:",
        references: &["Neither"],
        label: Some(2),
        metric: Metric::Accuracy,
        language: None,
    },
    Case {
        task: "openbookqa",
        paper: "Q: [question] A) [option A] B) [option B] C) [option C] D) [option D] A:",
        row: r#"{"id":"7-1","question_stem":"The sun is","choices":{"text":["a planet","a star","a moon","cold"],"label":["A","B","C","D"]},"answerKey":"B"}"#,
        source: "Q: The sun is A) a planet B) a star C) a moon D) cold A:",
        references: &["B"],
        label: Some(1),
        metric: Metric::Accuracy,
        language: None,
    },
    Case {
        task: "trivia_qa",
        paper: "Q: [question] A:",
        row: r#"{"question":"Where is the Louvre?","question_id":"tc_1","question_source":"","entity_pages":{"title":[]},"answer":{"aliases":["Paree","Paris"],"normalized_aliases":["paree","paris"],"normalized_value":"paris","type":"WikipediaEntity","value":"Paris"}}"#,
        source: "Q: Where is the Louvre? A:",
        references: &["Paris", "Paree"],
        label: None,
        metric: Metric::EmTrivia,
        language: None,
    },
    Case {
        task: "web_questions",
        paper: "Q: [question] A:",
        row: r#"{"url":"u","question":"what does he speak?","answers":["Jamaican English","English"]}"#,
        source: "Q: what does he speak? A:",
        references: &["Jamaican English", "English"],
        label: None,
        metric: Metric::EmSquad,
        language: None,
    },
    Case {
        task: "wmt14_enfr",
        paper: "Translate [source language] to [target language]: [sentence 1]",
        row: r#"{"translation":{"fr":"Oui.","en":"Yes."}}"#,
        source: "Translate English to French: Yes.",
        references: &["Oui."],
        label: None,
        metric: Metric::Bleu,
        language: Some("fr"),
    },
    Case {
        task: "wmt16_ende",
        paper: "Translate [source language] to [target language]: [sentence 1]",
        row: r#"{"translation":{"de":"Ja.","en":"Yes."}}"#,
        source: "Translate English to German: Yes.",
        references: &["Ja."],
        label: None,
        metric: Metric::Bleu,
        language: Some("de"),
    },
    Case {
        task: "wmt16_enro",
        paper: "Translate [source language] to [target language]: [sentence 1]",
        row: r#"{"translation":{"en":"Yes.","ro":"Da."}}"#,
        source: "Translate English to Romanian: Yes.",
        references: &["Da."],
        label: None,
        metric: Metric::Bleu,
        language: Some("ro"),
    },
    Case {
        task: "xsum",
        paper: "Article: [article] One sentence summary:",
        row: r#"{"document":"It rained.\nIt was wet.","summary":"Rain fell.","id":"1"}"#,
        source: "Article: It rained.\nIt was wet. One sentence summary:",
        references: &["Rain fell."],
        label: None,
        metric: Metric::Rouge2,
        language: Some("en"),
    },
    Case {
        task: "wiki_lingua",
        paper: "Article: [article] One sentence summary:",
        row: r#"{"gem_id":"g","gem_parent_id":"g","source_language":"en","target_language":"en","source":"Boil water. Wait.","target":"Make tea.","references":["Make tea."]}"#,
        source: "Article: Boil water. Wait. One sentence summary:",
        references: &["Make tea."],
        label: None,
        metric: Metric::Rouge2,
        language: Some("en"),
    },
];

/// `row` read as a file of the task's.
fn read(task: &Task, row: &str) -> fsa::Result<fsa::data::Split> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    std::fs::write(&path, format!("{row}\n")).unwrap();
    task.read(path)
}

#[test]
fn hub_rows_become_the_papers_prompts() {
    assert_eq!(Task::names().collect::<Vec<_>>(), CASES.each_ref().map(|case| case.task));
    for case in &CASES {
        let task = Task::named(case.task).unwrap();
        let split = read(&task, case.row).unwrap();
        let example = &split.examples[0];
        assert_eq!(example.source, case.source, "{}", case.task);
        assert_eq!(example.references, case.references, "{}", case.task);
        assert_eq!(example.target, case.references[0], "{}", case.task);
        assert_eq!(example.label, case.label, "{}", case.task);
        assert_eq!(task.metric(), Some(case.metric), "{}", case.task);
        assert_eq!(task.language(), case.language, "{}", case.task);
    }
}

/// The template's words are the paper's: what is left once the columns are taken out of both.
#[test]
fn templates_are_the_papers_word_for_word() {
    let without = |text: &str, open: char, close: char| {
        text.split(open)
            .map(|part| part.split_once(close).map_or(part, |(_, after)| after))
            .collect::<Vec<_>>()
            .join("[]")
    };
    for case in &CASES {
        let template = Task::named(case.task).unwrap().template().to_string();
        let template = template.replace("English to French", "[] to []").replace("English to German", "[] to []");
        let template = template.replace("English to Romanian", "[] to []");
        let paper = case.paper.split(" {").next().unwrap();
        assert_eq!(without(&template, '{', '}'), without(paper, '[', ']'), "{}", case.task);
    }
}

#[test]
fn answer_sets_are_the_papers() {
    for case in &CASES {
        let task = Task::named(case.task).unwrap();
        let words = task.labels().map(|labels| labels.words().join(", "));
        let paper = case.paper.split_once('{').map(|(_, set)| set.trim_end_matches('}').to_string());
        let paper = if case.task == "openbookqa" { Some("A, B, C, D".to_string()) } else { paper };
        assert_eq!(words, paper, "{}", case.task);
    }
}

#[test]
fn label_codes_are_the_hubs() {
    let words = |name: &str, field: &str, codes: &[&str]| {
        let task = Task::named(name).unwrap();
        let row = CASES.iter().find(|case| case.task == name).unwrap().row;
        let (before, _) = row.rsplit_once(&format!("\"{field}\":")).unwrap();
        let word = |code: &&str| match read(&task, &format!("{before}\"{field}\":{code}}}")) {
            Ok(split) => split.examples[0].target.clone(),
            Err(error) => error.to_string(),
        };
        codes.iter().map(word).collect::<Vec<_>>()
    };
    assert_eq!(words("rte", "label", &["0", "1"]), ["True", "False"]);
    assert_eq!(words("rte", "label", &["\"entailment\"", "\"not_entailment\""]), ["True", "False"]);
    assert_eq!(words("cb", "label", &["0", "1", "2"]), ["True", "False", "Neither"]);
    assert_eq!(words("cb", "label", &["\"contradiction\"", "\"neutral\""]), ["False", "Neither"]);
    assert_eq!(words("wic", "label", &["0", "1", "false", "true"]), ["False", "True", "False", "True"]);
    assert_eq!(words("snli", "label", &["0", "1", "2"]), ["True", "Neither", "False"]);
    assert!(words("snli", "label", &["-1"])[0].contains("a target that the task drops"));
    assert_eq!(words("openbookqa", "answerKey", &["\"A\"", "\"D\""]), ["A", "D"]);
    // A hidden test label is no class.
    for name in ["rte", "cb", "wic"] {
        assert!(words(name, "label", &["-1"])[0].contains("label `-1` is not one of"), "{name}");
    }
}

#[test]
fn each_task_names_its_place_on_the_hub_and_its_prefix() {
    for name in Task::names() {
        let task = Task::named(name).unwrap();
        let hub = task.hub().unwrap();
        assert!(hub.splits.train.is_some() && hub.splits.evaluation().is_some(), "{name}");
        let beginning = task.template().beginning();
        assert_eq!(task.prefix(), fsa::data::trim::PREFIXES.into_iter().find(|prefix| beginning.starts_with(prefix)));
        let cut = if task.metric() == Some(Metric::Rouge2) { Some(1024) } else { None };
        assert_eq!(task.max_source_tokens(), cut, "{name}");
    }
}
