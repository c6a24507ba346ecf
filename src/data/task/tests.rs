use super::*;
use crate::data::labels;
use crate::data::testing::{file, message, shared};

fn rte() -> Task {
    Task::named("rte").unwrap()
}

/// The one-line error of reading `content` as `name`.
fn refusal(task: &Task, name: &str, content: impl AsRef<[u8]>) -> String {
    let (folder, path) = file(name, content);
    message(&task.read(&path).unwrap_err(), &folder)
}

fn described(text: &str) -> Result<Task, String> {
    let (folder, path) = file("mine.toml", text);
    Task::from_file(&path).map_err(|error| message(&error, &folder))
}

#[test]
fn every_built_in_description_is_sound_and_named_as_registered() {
    for name in Task::names() {
        assert_eq!(Task::named(name).unwrap().name(), name);
    }
}

#[test]
fn both_layouts_and_all_codes_give_the_same_examples() {
    let expected = [
        ("A b. question: c? Is it true or false? answer:", "True", Some(0)),
        ("D question: e Is it true or false? answer:", "False", Some(1)),
    ];
    let files = [
        ("glue.tsv", "index\tsentence1\tsentence2\tlabel\n0\tA b.\tc?\tentailment\n1\tD\te\tnot_entailment\n"),
        ("glue.csv", "sentence1,sentence2,label\nA b.,c?,0\n\"D\",e,1\n"),
        (
            "super.jsonl",
            "{\"premise\":\"A b.\",\"hypothesis\":\"c?\",\"idx\":0,\"label\":0}\n{\"hypothesis\":\"e\",\"premise\":\"D\",\"label\":1}\n",
        ),
        (
            "words.ndjson",
            "{\"premise\":\"A b.\",\"hypothesis\":\"c?\",\"label\":\"True\"}\n{\"hypothesis\":\"e\",\"premise\":\"D\",\"label\":\"False\"}",
        ),
    ];
    for (name, content) in files {
        let (_folder, path) = file(name, content);
        let split = rte().read(&path).unwrap();
        let examples: Vec<_> = split
            .examples
            .iter()
            .map(|example| (example.source.as_str(), example.target.as_str(), example.label))
            .collect();
        assert_eq!(examples, expected, "{name}");
        assert_eq!(split.labels(), Some(vec![0, 1]), "{name}");
        assert_eq!((split.dropped, split.path), (0, path));
    }
}

#[test]
fn split_carries_the_sha256_of_the_file() {
    let (_folder, path) = file("a.tsv", "premise\thypothesis\tlabel\na\tb\t0\n");
    // printf 'premise\thypothesis\tlabel\na\tb\t0\n' | sha256sum
    let expected = "d06aff6ea91850b40f4c24f8a1be21b25dbaff6f64f7517d5925b82c87a41b59";
    assert_eq!(rte().read(&path).unwrap().sha256, expected);
}

#[test]
fn bad_labels_name_line_column_and_the_allowed_values() {
    let header = "premise\thypothesis\tlabel\n";
    assert_eq!(
        refusal(&rte(), "a.tsv", format!("{header}a\tb\t0\na\tb\tmaybe\n")),
        "a.tsv:3: column label: label `maybe` is not one of True, False, 0, 1, entailment, not_entailment; \
         correct it, or remove the row (a test split's hidden labels cannot be used)"
    );
    assert_eq!(
        refusal(&rte(), "a.tsv", format!("{header}a\tb\t \n")),
        "a.tsv:2: column label: the label is empty; fill it in, or remove the row"
    );
    assert!(
        refusal(&rte(), "a.jsonl", "{\"premise\":\"a\",\"hypothesis\":\"b\",\"label\":null}")
            .contains("the label is empty")
    );
    assert!(refusal(&rte(), "a.tsv", format!("{header}a\tb\t-1\n")).contains("label `-1` is not one of"));
    let long = refusal(&rte(), "a.tsv", format!("{header}a\tb\t{}\n", "é".repeat(500)));
    assert!(long.chars().count() < 300, "{long}");
}

#[test]
fn missing_columns_name_what_is_there_and_what_is_near() {
    let next = "rename the column in the file, or name it in the task's description";
    assert_eq!(
        refusal(&rte(), "a.tsv", "premise\thypotesis\tlabel\na\tb\t0\n"),
        format!(
            "a.tsv:1: there is no column `hypothesis` or `sentence2`; \
             the file has premise, hypotesis, label (nearest: `hypotesis`); {next}"
        )
    );
    assert_eq!(
        refusal(
            &rte(),
            "a.jsonl",
            "{\"premise\":\"a\",\"hypothesis\":\"b\",\"label\":0}\n{\"premise\":\"a\",\"label\":0}\n"
        ),
        format!("a.jsonl:2: there is no column `hypothesis` or `sentence2`; the file has premise, label; {next}")
    );
    let many = (0..500).map(|i| format!("c{i}")).collect::<Vec<_>>().join(",");
    assert!(refusal(&rte(), "a.csv", many).contains("c19, and 480 more"));
}

#[test]
fn values_that_are_no_text_are_refused() {
    let with = |premise: &str| format!("{{\"premise\":{premise},\"hypothesis\":\"b\",\"label\":0}}");
    assert_eq!(
        refusal(&rte(), "a.jsonl", with("null")),
        "a.jsonl:1: column premise: the value is null; fill it in, or remove the row"
    );
    assert!(refusal(&rte(), "a.jsonl", with("[\"a\"]")).contains("name an element of it, such as `column.0`"));
    assert!(refusal(&rte(), "a.jsonl", with("{\"a\":1}")).contains("name a key of it, such as `column.key`"));
}

#[test]
fn files_without_examples_are_refused() {
    let next = "give a file with examples in it";
    for name in ["a.tsv", "a.csv", "a.jsonl", "a.parquet"] {
        assert_eq!(refusal(&rte(), name, ""), format!("{name}: the file is empty; {next}"));
    }
    for (name, content) in
        [("a.tsv", "premise\thypothesis\tlabel\n"), ("a.csv", "premise,hypothesis,label"), ("a.jsonl", "\n")]
    {
        assert_eq!(refusal(&rte(), name, content), format!("{name}: the file has no examples; {next}"));
    }
    let snli = described(SNLI).unwrap();
    assert_eq!(
        refusal(&snli, "a.jsonl", "{\"premise\":\"a\",\"hypothesis\":\"b\",\"label\":-1}"),
        format!("a.jsonl: the file has no examples: all its 1 rows have a target that the task drops; {next}")
    );
}

const SNLI: &str = r#"
name = "snli"
template = "{premise} question: {hypothesis} Is it true or false or neither? answer:"
[columns]
premise = ["premise"]
hypothesis = ["hypothesis"]
[target]
columns = ["label"]
drop = ["-1"]
labels = ["True", "False", "Neither"]
[target.codes]
0 = "True"
1 = "Neither"
2 = "False"
"#;

#[test]
fn dropped_rows_are_counted_and_keep_their_place() {
    let rows =
        "{\"premise\":\"a\",\"hypothesis\":\"b\",\"label\":-1}\n{\"premise\":\"c\",\"hypothesis\":\"d\",\"label\":1}\n";
    let (_folder, path) = file("a.jsonl", rows);
    let split = described(SNLI).unwrap().read(&path).unwrap();
    assert_eq!((split.dropped, split.len()), (1, 1));
    assert_eq!(
        (split.examples[0].row, split.examples[0].target.as_str(), split.examples[0].label),
        (1, "Neither", Some(2))
    );
}

#[test]
fn free_text_and_dotted_paths() {
    let task = described(
        "name = \"en-de\"\ntemplate = \"Translate English to German: {text}\"\n[columns]\ntext = [\"translation.en\"]\n\
         [target]\ncolumns = [\"translation.de\"]\n",
    )
    .unwrap();
    assert_eq!(task.labels(), None);
    let (_folder, path) = file("a.jsonl", "{\"translation\":{\"en\":\"Yes.\",\"de\":\"Ja.\"}}\n");
    let split = task.read(&path).unwrap();
    assert_eq!(
        (split.examples[0].source.as_str(), split.examples[0].target.as_str()),
        ("Translate English to German: Yes.", "Ja.")
    );
    assert_eq!(split.labels(), None);
    assert!(
        refusal(&task, "a.jsonl", "{\"translation\":{\"en\":\"Yes.\",\"de\":\"\"}}")
            .contains("translation.de: the target is empty")
    );
    assert!(
        refusal(&task, "a.jsonl", "{\"translation\":{\"en\":\"Yes.\"}}")
            .contains("there is no column `translation.de`")
    );
}

#[test]
fn unknown_tasks_say_what_there_is() {
    assert_eq!(
        Task::resolve("rtr").unwrap_err().to_string(),
        "--task: there is no task `rtr` (did you mean `rte`?); give one of rte, cb, wic, snli, openbookqa, \
         trivia_qa, web_questions, wmt14_enfr, wmt16_ende, wmt16_enro, xsum, wiki_lingua, or the path of a task's description \
         ending in .toml"
    );
    assert!(Task::resolve("chess").unwrap_err().to_string().starts_with("--task: there is no task `chess`; give"));
    assert!(Task::resolve("no/such.toml").unwrap_err().to_string().starts_with("no/such.toml: cannot read it: "));
}

#[test]
fn mistakes_in_a_description_are_named_by_line() {
    let with = |from: &str, to: &str| described(&SNLI.replace(from, to)).unwrap_err();
    let unknown = with("drop =", "dorp =");
    assert!(
        unknown.starts_with("mine.toml:9: the task's description: unknown field `dorp`, expected one of "),
        "{unknown}"
    );
    assert!(
        with("drop = [\"-1\"]", "drop = [-1]")
            .starts_with("mine.toml:9: the task's description: invalid type: integer")
    );
    assert!(with("drop = [\"-1\"]", "drop = [").starts_with("mine.toml:1"));
    assert!(with("name = \"snli\"", "").contains("missing field `name`"));
    assert_eq!(with("\"snli\"", "\"a b\""), "mine.toml:2: `a b` cannot name a task; use letters, digits, `-` and `_`");
    assert_eq!(
        with("{premise}", "{text}"),
        "mine.toml:3: column template: it names `{text}`, and [columns] has hypothesis, premise; \
         give the column's names under [columns]"
    );
    assert_eq!(
        with("{premise} ", ""),
        "mine.toml:5: column premise: the template does not use `{premise}`; use it or remove it"
    );
    assert!(with("{premise}", "{premise").contains("mine.toml:3: column template: `{premise question: {hypothesis}`"));
    assert_eq!(with("[\"hypothesis\"]", "[]"), "mine.toml:6: the list is empty; name the column as files do");
    assert_eq!(
        with("2 = \"False\"", "2 = \"false\""),
        "mine.toml:14: column 2: `false` is not one of the label words True, False, Neither; a code stands for one of them"
    );
    assert!(with("2 = \"False\"", "True = \"False\"").contains("the label word `True` would stand for `False`"));
    assert!(with("\"-1\"", "\"1\"").contains("mine.toml:10: `1` is both a label and dropped"));
    assert!(with("labels = [\"True\", \"False\", \"Neither\"]", "").contains("column 0: a code without label words"));
    assert!(
        with("\"True\", \"False\"", "\"True\", \"True\"")
            .starts_with("mine.toml:10: label word `True` is listed twice")
    );
    let (folder, path) = file("mine.toml", b"name = \"a\"\n# \xFF");
    assert_eq!(
        message(&Task::from_file(&path).unwrap_err(), &folder),
        "mine.toml:2: the text is not UTF-8; save the file as UTF-8"
    );
}

/// A free-text task with every key that a description may have besides labels.
const FULL: &str = r#"
name = "mine"
template = "Q: {question} ({context}) A:"
metric = "em-squad"
prefix = "Q:"
language = "en"
max_source_tokens = 64
cut_column = "context"
[columns]
question = ["question"]
context = ["context"]
[target]
columns = ["answers.0"]
references = ["answers"]
[splits]
train = "train.jsonl"
test = "../test.jsonl"
[hub]
id = "owner/mine"
config = "main"
[hub.splits]
train = "train"
validation = "dev"
"#;

#[test]
fn every_key_is_kept() {
    let (folder, path) = file("mine.toml", FULL);
    let task = Task::from_file(&path).unwrap();
    assert_eq!((task.metric(), task.prefix(), task.language()), (Some(Metric::EmSquad), Some("Q:"), Some("en")));
    assert_eq!(task.max_source_tokens(), Some(64));
    assert_eq!(task.prefixes(), ["Q:", "Translate", "Article:"]);
    assert_eq!(task.splits().train, Some(folder.path().join("train.jsonl")));
    assert_eq!(task.splits().evaluation(), Some(&folder.path().join("../test.jsonl")));
    let hub = task.hub().unwrap();
    assert_eq!((hub.id.as_str(), hub.config.as_deref()), ("owner/mine", Some("main")));
    assert_eq!(
        hub.splits.iter().map(|(name, own)| format!("{name}={own}")).collect::<Vec<_>>(),
        ["train=train", "validation=dev"]
    );
    assert_eq!(hub.splits.evaluation().map(String::as_str), Some("dev"));
    // What a description need not say.
    let least = described("name='a'\ntemplate='{t}'\n[columns]\nt=['t']\n[target]\ncolumns=['u']\n").unwrap();
    assert_eq!((least.metric(), least.prefix(), least.language(), least.max_source_tokens()), (None, None, None, None));
    assert_eq!((least.hub(), least.splits()), (None, &Splits::default()));
    assert_eq!(described(SNLI).unwrap().metric(), Some(Metric::Accuracy));
    let own = FULL.replace("Q: {", "Frage: {").replace("\"Q:\"", "\"Frage:\"");
    assert_eq!(described(&own).unwrap().prefixes(), ["Q:", "Translate", "Article:", "Frage:"]);
}

#[test]
fn mistakes_in_the_further_keys_are_named_by_line() {
    let with = |from: &str, to: &str| described(&FULL.replace(from, to)).unwrap_err();
    assert_eq!(
        with("em-squad", "em_squad"),
        "mine.toml:4: there is no metric `em_squad` (did you mean `em-squad`?); \
         give one of accuracy, em-trivia, em-squad, bleu, rouge2"
    );
    assert_eq!(
        with("em-squad", "accuracy"),
        "mine.toml:4: the metric `accuracy` needs label words; \
         list them as `labels` under [target], or take one of em-trivia, em-squad, bleu, rouge2"
    );
    assert!(
        with("prefix = \"Q:\"", "prefix = \"Q :\"").starts_with("mine.toml:5: the template does not begin with `Q :`")
    );
    assert!(with("prefix = \"Q:\"", "prefix = \" \"").starts_with("mine.toml:5: the text is empty"));
    assert!(with("\"en\"", "\"English\"").starts_with("mine.toml:6: `English` is no language code; give two or three"));
    assert!(with("= 64", "= 0").starts_with("mine.toml:7: `max_source_tokens` must be at least 1, not 0"));
    assert!(with("= 64", "= -1").starts_with("mine.toml:7: the task's description: "));
    assert_eq!(
        with("cut_column = \"context\"", ""),
        "mine.toml:7: the template has several columns; say which is cut, as `cut_column`; \
         the template has context, question"
    );
    assert!(
        with("cut_column = \"context\"", "cut_column = \"text\"")
            .starts_with("mine.toml:8: the template does not use `{text}`")
    );
    assert!(with("({context})", "{context} {context}").contains("uses `{context}` more than once"));
    assert!(with("max_source_tokens = 64", "").starts_with("mine.toml:8: `cut_column` without `max_source_tokens`"));
    assert!(with("references = [\"answers\"]", "references = []").starts_with("mine.toml:14: the list is empty"));
    assert!(
        with("[splits]", "labels = [\"a\", \"b\"]\n[splits]").starts_with("mine.toml:14: `references` beside `labels`")
    );
    assert!(with("\"train.jsonl\"", "\"\"").starts_with("mine.toml:16: the text is empty"));
    assert!(with("dev", " ").starts_with("mine.toml:23: the text is empty"));
    assert!(with("owner/mine", "mine").starts_with("mine.toml:19: `mine` is no data set of the hub; give it as"));
    assert!(with("test =", "tests =").contains("unknown field `tests`, expected one of `train`, `validation`, `test`"));
}

#[test]
fn any_of_several_answers_is_kept_once() {
    let task = Task::named("trivia_qa").unwrap();
    let row = |answer: &str| format!("{{\"question\":\"q\",\"answer\":{answer}}}\n");
    let rows = [
        row("{\"value\":\"Paris \",\"aliases\":[\"City of Light\",\"Paris\",\" \",\"City of Light\",7]}"),
        row("{\"value\":\"<unk>\",\"aliases\":[]}"),
        row("{\"value\":\"Rome\",\"aliases\":null}"),
        row("{\"value\":\"Rome\",\"aliases\":\"Roma\"}"),
    ];
    let (_folder, path) = file("a.jsonl", rows.concat());
    let split = task.read(path).unwrap();
    let references: Vec<_> = split.examples.iter().map(|example| example.references.join("|")).collect();
    assert_eq!(references, ["Paris|City of Light|7", "Rome", "Rome|Roma"]);
    assert_eq!((split.dropped, split.examples[0].target.as_str()), (1, "Paris"));
    assert!(
        refusal(&task, "a.jsonl", row("{\"value\":\"a\"}"))
            .starts_with("a.jsonl:1: there is no column `answer.aliases`; the file has question, answer")
    );
    assert!(refusal(&task, "a.jsonl", row("{\"value\":\"a\",\"aliases\":[null]}")).contains("the value is null"));
    assert!(refusal(&task, "a.tsv", "question\tvalue\na\tb\n").contains("there is no column `answer.value`"));
    let web = Task::named("web_questions").unwrap();
    assert_eq!(
        refusal(&web, "a.jsonl", "{\"question\":\"q\",\"answers\":[]}"),
        "a.jsonl:1: column answers: the list is empty; fill it in, or remove the row"
    );
}

#[test]
fn glue_rte_as_shipped() {
    let (Some(train), Some(dev)) = (shared("glue_rte/train.tsv"), shared("glue_rte/dev.tsv")) else { return };
    let train = rte().read(train).unwrap();
    let dev = rte().read(dev).unwrap();
    assert_eq!((train.len(), dev.len(), train.dropped), (2489, 277, 0));
    assert_eq!(
        train.examples[0].source,
        "No Weapons of Mass Destruction Found in Iraq Yet. question: Weapons of Mass Destruction Found in Iraq. \
         Is it true or false? answer:"
    );
    assert_eq!((train.examples[0].target.as_str(), train.examples[0].row), ("False", 0));
    // Quotes are characters: a reader that took them for quoting would merge rows or lose these.
    assert!(train.examples.iter().any(|example| example.source.matches('"').count() % 2 == 1));
    let labels = train.labels().unwrap();
    let counts = labels::counts(&labels, 2);
    assert_eq!(counts.iter().sum::<usize>(), 2489);
    assert_eq!(labels::single_class(&labels), None);
}
