//! Data for a label-ratio run beside the tiny model, the run's config, and readers of what it leaves.

use std::collections::BTreeMap;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

pub use crate::run::support::*;

/// The columns of `label_ratio.csv`.
pub const COLUMNS: &str = "target,method,seed,step,task,shots,n,label_ratio,label_ratio_lo,label_ratio_hi,\
    label_ratio_first_word,label_mass,score,score_lo,score_hi,metric,out_label,out_empty,out_runaway,out_copy,\
    out_wrong_language,out_other";
/// The columns of `target.csv`.
pub const TARGET_COLUMNS: &str = "target,method,seed,step,n,score,score_lo,score_hi,metric,loss";
/// The classes of outputs, in the order in which they are tried.
pub const CLASSES: [&str; 6] = ["out_label", "out_empty", "out_runaway", "out_copy", "out_wrong_language", "out_other"];

/// `ratio.toml`: what every run here has in common.
const CONFIG_TOML: &str = "\
model = 'model'
eval = ['web_questions:2', 'wmt16_ende:0']
threads = 1
beams = 1
max-new-tokens = 4
bleu-tokenizer = '13a'
limit = 7

[files]
'rte.train' = 'train.tsv'
'rte.validation' = 'dev.tsv'
'web_questions.train' = 'wq-train.jsonl'
'web_questions.test' = 'wq-test.jsonl'
'wmt16_ende.test' = 'ende.jsonl'
";

/// What `train.toml` has besides, for a run that fine-tunes.
const TRAIN_TOML: &str = "\
steps = 6
probe-every = 3
batch-size = 8
lr = 0.02
warmup-steps = 0
";

/// A run that fine-tunes, to which `--out` is added.
pub const TRAIN: &str = "label-ratio --config train.toml --quiet";
/// A run over the checkpoints in `trained`, to which `--out` is added.
pub const OVER: &str = "label-ratio --config ratio.toml --checkpoints trained --quiet";

/// A [`Place`] with a target task's dev split, two off-task sets and the configs.
pub fn place() -> Place {
    let place = Place::new();
    place.write("dev.tsv", train(11));
    place.write("wq-train.jsonl", questions(0..9));
    place.write("wq-test.jsonl", questions(9..21));
    place.write("ende.jsonl", translations(10));
    place.write("ratio.toml", CONFIG_TOML);
    place.write("train.toml", format!("{TRAIN_TOML}{CONFIG_TOML}"));
    place
}

/// WebQuestions in the hub's form.
pub fn questions(range: std::ops::Range<usize>) -> String {
    let places = ["the river", "the town", "a house", "the school"];
    let line = |i: usize| {
        let (place, answer) = (places[i % places.len()], format!("near {}", places[(i + 1) % places.len()]));
        json!({"url": format!("u/{i}"), "question": format!("where is {place} number {i}?"), "answers": [answer, "here"]})
    };
    lines(range.map(line))
}

/// WMT's English and German in the hub's form.
pub fn translations(count: usize) -> String {
    let pairs =
        [("The house is small.", "Das Haus ist klein."), ("It rains.", "Es regnet."), ("A letter", "Ein Brief")];
    let line = |i: usize| {
        let (english, german) = pairs[i % pairs.len()];
        json!({"translation": {"en": format!("{english} {i}"), "de": format!("{german} {i}")}})
    };
    lines((0..count).map(line))
}

fn lines(values: impl Iterator<Item = Value>) -> String {
    values.map(|value| format!("{value}\n")).collect()
}

/// Makes the folder `trained/checkpoint-STEP`: the tiny model with each weight moved a little by chance of `seed`.
pub fn checkpoint(place: &Place, step: u64, seed: u64, whole: bool) {
    let name = format!("trained/checkpoint-{step}");
    std::fs::create_dir_all(place.path(&name)).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let moved = place.weights("model").into_iter().map(|(name, tensor)| {
        let values: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
        let values: Vec<f32> = values.iter().map(|value| value + random.random_range(-0.1..0.1)).collect();
        (name, candle_core::Tensor::from_vec(values, tensor.shape(), tensor.device()).unwrap())
    });
    place.save(&name, &moved.collect());
    if whole {
        for file in ["config.json", "tokenizer.json"] {
            place.write(&format!("{name}/{file}"), place.read(&format!("model/{file}")));
        }
    }
}

/// The rows of the table `name`, each by column; its columns must be `columns`.
pub fn table(place: &Place, name: &str, columns: &str) -> Vec<BTreeMap<String, String>> {
    let text = place.text(name);
    assert!(!text.contains('"') && text.ends_with('\n'), "{text}");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(columns));
    let columns: Vec<&str> = columns.split(',').collect();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields.len(), columns.len(), "{line}");
        columns.iter().zip(fields).map(|(column, field)| (column.to_string(), field.to_string())).collect()
    };
    lines.map(row).collect()
}

/// The number in a row's column.
pub fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} is `{}`", row[column]))
}

/// What stands in a row's columns, with `,` between.
pub fn fields(row: &BTreeMap<String, String>, columns: &str) -> String {
    columns.split(',').map(|column| row[column].as_str()).collect::<Vec<_>>().join(",")
}

/// The answers of one evaluation at one probe.
pub fn answers(place: &Place, out: &str, step: u64, evaluation: &str) -> Vec<Value> {
    rows(&place.text(&format!("{out}/outputs/step-{step}/{evaluation}.jsonl")))
}

/// The text of an answer's field.
pub fn text<'a>(answer: &'a Value, field: &str) -> &'a str {
    answer[field].as_str().unwrap_or_else(|| panic!("no {field} in {answer}"))
}

/// What must be the same, byte for byte; `spec.toml` and `run.json` name the folder and the time.
pub fn results(place: &Place, out: &str) -> BTreeMap<std::path::PathBuf, Option<Vec<u8>>> {
    let mut files = files(&place.path(out));
    for name in ["spec.toml", "run.json"] {
        assert!(files.remove(std::path::Path::new(name)).is_some(), "{name} is missing");
    }
    files
}

/// That two runs left the same.
pub fn assert_same(place: &Place, one: &str, other: &str) {
    let (one, other) = (results(place, one), results(place, other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in one {
        assert!(bytes == other[&name], "{} differs", name.display());
    }
}
