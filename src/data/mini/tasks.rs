//! Every task's examples, as records in the layout of the hub's files.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::World;
use super::claims::{self, Kind, Verdict};
use super::dice::Dice;
use super::facts::Asked;
use super::languages::{Language, Sentence};
use super::{articles, senses};

/// A split of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MiniSplit {
    /// For fine-tuning, and for shots.
    Train,
    /// For choosing a checkpoint.
    Validation,
    /// For results.
    Test,
}

impl MiniSplit {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// The split of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|split| split.name() == name)
    }
}

/// How many examples a task's splits have, and what writes one: a key, which no two examples share, and a record.
struct Analog {
    task: &'static str,
    sizes: [usize; 3],
    write: fn(&World, &mut Dice, usize) -> (String, Value),
}

const ANALOGS: [Analog; 10] = [
    Analog { task: "rte", sizes: [2490, 277, 500], write: rte },
    Analog { task: "cb", sizes: [250, 56, 250], write: cb },
    Analog { task: "wic", sizes: [1000, 200, 400], write: wic },
    Analog { task: "snli", sizes: [2000, 300, 500], write: snli },
    Analog { task: "openbookqa", sizes: [1000, 300, 300], write: openbookqa },
    Analog { task: "wmt14_enfr", sizes: [2000, 300, 300], write: |w, d, _| translation(w, d, Language::French, "fr") },
    Analog { task: "wmt16_ende", sizes: [2000, 300, 300], write: |w, d, _| translation(w, d, Language::German, "de") },
    Analog {
        task: "wmt16_enro",
        sizes: [2000, 300, 300],
        write: |w, d, _| translation(w, d, Language::Romanian, "ro"),
    },
    Analog { task: "xsum", sizes: [1000, 200, 300], write: xsum },
    Analog { task: "wiki_lingua", sizes: [1000, 200, 300], write: wiki_lingua },
];

impl World {
    /// The examples of `split` of the registry's task `task`, as records in the layout of the hub's files; none for a task
    /// that the world has no analog of. (Web questions have no validation split, there as here.)
    pub fn records(&self, task: &str, split: MiniSplit) -> Vec<Value> {
        match task {
            "trivia_qa" => return part(self.trivia(), [0.4, 0.2], split),
            "web_questions" => return part(self.web_questions(), [0.4, 0.0], split),
            _ => {}
        }
        let Some(analog) = ANALOGS.iter().find(|analog| analog.task == task) else { return Vec::new() };
        let [train, validation, test] = analog.sizes;
        let (skip, take) = match split {
            MiniSplit::Train => (0, train),
            MiniSplit::Validation => (train, validation),
            MiniSplit::Test => (train + validation, test),
        };
        let mut dice = Dice::new(&self.seeds, &format!("mini.tasks.{task}"), 0);
        let mut seen = BTreeSet::new();
        let mut records = Vec::with_capacity(skip + take);
        while records.len() < skip + take {
            let (key, record) = (analog.write)(self, &mut dice, records.len());
            if self.is_reserved(&key) && seen.insert(key) {
                records.push(record);
            }
        }
        records.split_off(skip)
    }

    /// The names of the tasks that it has analogs of.
    pub fn tasks() -> impl Iterator<Item = &'static str> {
        ANALOGS.iter().map(|analog| analog.task).chain(["trivia_qa", "web_questions"])
    }

    /// Everything that tasks read and want, as texts.
    pub(super) fn task_texts(&self) -> Vec<String> {
        fn collect(value: &Value, into: &mut Vec<String>) {
            match value {
                Value::String(text) => into.push(text.clone()),
                Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
                Value::Object(values) => values.values().for_each(|value| collect(value, into)),
                _ => {}
            }
        }
        let mut texts = Vec::new();
        for task in Self::tasks() {
            for mut record in MiniSplit::ALL.into_iter().flat_map(|split| self.records(task, split)) {
                for key in ["question_id", "id", "gem_id", "url"] {
                    record.as_object_mut().map(|record| record.remove(key));
                }
                collect(&record, &mut texts);
            }
        }
        texts
    }

    /// Reserved questions in random order.
    fn reserved(&self, questions: Vec<Asked>, stream: &str) -> Vec<Asked> {
        let kept: Vec<Asked> =
            questions.into_iter().filter(|asked| self.is_reserved_question(&asked.question)).collect();
        let order = Dice::new(&self.seeds, stream, 0).sample(kept.len(), kept.len());
        order.into_iter().map(|place| kept[place].clone()).collect()
    }

    fn trivia(&self) -> Vec<Value> {
        let questions = self.reserved(self.known.questions_of_people(), "mini.tasks.trivia_qa");
        let record = |(row, asked): (usize, Asked)| {
            json!({
                "question": asked.question,
                "question_id": format!("mini_{row}"),
                "answer": {"value": asked.answers[0], "aliases": asked.answers, "normalized_aliases": asked.answers.iter().map(|answer| answer.to_lowercase()).collect::<Vec<_>>()},
            })
        };
        questions.into_iter().enumerate().map(record).collect()
    }

    fn web_questions(&self) -> Vec<Value> {
        let questions = self.reserved(self.known.questions_of_places(), "mini.tasks.web_questions");
        let record = |(row, asked): (usize, Asked)| json!({"url": format!("mini/{row}"), "question": asked.question, "answers": asked.answers});
        questions.into_iter().enumerate().map(record).collect()
    }
}

/// The records of `split`, the shares of training and validation given.
fn part(mut records: Vec<Value>, [train, validation]: [f64; 2], split: MiniSplit) -> Vec<Value> {
    let place = |share: f64| (records.len() as f64 * share) as usize;
    let (first, second) = (place(train), place(train + validation));
    match split {
        MiniSplit::Train => records.truncate(first),
        MiniSplit::Validation => {
            records.truncate(second);
            records.drain(..first);
        }
        MiniSplit::Test => {
            records.drain(..second);
        }
    }
    records
}

/// A claim as a hypothesis.
fn sentence(claim: &str) -> String {
    super::words::capital(claim) + "."
}

fn rte(world: &World, dice: &mut Dice, row: usize) -> (String, Value) {
    let label = dice.below(2);
    let case = claims::case(&world.names, dice, Kind::TASK, [Verdict::True, Verdict::False][label]);
    let record = json!({"premise": case.context, "hypothesis": sentence(&case.claim), "idx": row, "label": label});
    (case.context, record)
}

/// 0 is entailment, 1 contradiction, 2 neutral.
fn cb(world: &World, dice: &mut Dice, row: usize) -> (String, Value) {
    let label = dice.below(3);
    let kind = Kind { sentences: 4, denied: true };
    let case = claims::case(&world.names, dice, kind, [Verdict::True, Verdict::False, Verdict::Neither][label]);
    let record = json!({"premise": case.context, "hypothesis": sentence(&case.claim), "idx": row, "label": label});
    (case.context, record)
}

/// 0 is entailment, 1 neutral, 2 contradiction.
fn snli(_: &World, dice: &mut Dice, _: usize) -> (String, Value) {
    let label = dice.below(3);
    let case = claims::scene(dice, [Verdict::True, Verdict::Neither, Verdict::False][label]);
    let record = json!({"premise": case.context, "hypothesis": sentence(&case.claim), "label": label});
    (case.context, record)
}

fn wic(_: &World, dice: &mut Dice, row: usize) -> (String, Value) {
    let uses = senses::two_uses(dice);
    let [first, second] = &uses.sentences;
    let place = |sentence: &str| {
        let start = sentence.to_lowercase().find(uses.word).unwrap_or(0);
        (start, start + uses.word.len())
    };
    let ((start1, end1), (start2, end2)) = (place(first), place(second));
    let record = json!({
        "word": uses.word, "sentence1": first, "sentence2": second, "start1": start1, "start2": start2, "end1": end1,
        "end2": end2, "idx": row, "label": uses.same as u8,
    });
    (format!("{first} {second}"), record)
}

fn openbookqa(_: &World, dice: &mut Dice, row: usize) -> (String, Value) {
    let choice = senses::choice(dice);
    let letters = ["A", "B", "C", "D"];
    let record = json!({
        "id": format!("mini-{row}"), "question_stem": choice.question,
        "choices": {"text": choice.choices, "label": letters}, "answerKey": letters[choice.right],
    });
    (format!("{} {}", choice.question, choice.choices.join(" ")), record)
}

fn translation(world: &World, dice: &mut Dice, language: Language, code: &str) -> (String, Value) {
    let sentence = Sentence::new(dice);
    let english = sentence.english();
    let record = json!({"translation": {"en": english, code: world.translate(language, sentence)}});
    (english, record)
}

fn xsum(world: &World, dice: &mut Dice, row: usize) -> (String, Value) {
    let article = articles::news(&world.names, dice);
    let record = json!({"document": article.text, "summary": article.summary, "id": format!("{row}")});
    (article.text, record)
}

fn wiki_lingua(_: &World, dice: &mut Dice, row: usize) -> (String, Value) {
    let article = articles::guide(dice);
    let record = json!({"gem_id": format!("mini-{row}"), "source": article.text, "target": article.summary});
    (article.text, record)
}
