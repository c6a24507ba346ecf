//! A toy corpus, a spec for a tiny model of it, and events that stop a run where a test wants.

use std::path::Path;

use fsa::data::{Corpus, Document, Example, Split};
use fsa::experiment::{Events, Existing, pretrain};
use fsa::spec::{Pretrain, Training};
use fsa::{Error, Result};

const PEOPLE: [&str; 4] = ["Anna", "Bert", "Cora", "Dan"];
const PLACES: [&str; 3] = ["Lundville", "Oakham", "Lundham"];

/// Who lives where, as a statement with a gap or as a question.
pub struct Toy;

fn fact(index: u64) -> (&'static str, &'static str) {
    let person = index as usize % PEOPLE.len();
    (PEOPLE[person], PLACES[person % PLACES.len()])
}

impl Corpus for Toy {
    fn name(&self) -> &str {
        "toy"
    }

    fn document(&self, index: u64) -> Document {
        let (person, place) = fact(index / 2);
        match index % 2 {
            0 => Document {
                source: format!("{person} lives in <extra_id_0>."),
                target: format!("<extra_id_0> {place} <extra_id_1>"),
                family: "statement".into(),
            },
            _ => Document {
                source: format!("Q: Where does {person} live? A: <extra_id_0>"),
                target: format!("<extra_id_0> {place} <extra_id_1>"),
                family: "question".into(),
            },
        }
    }

    fn held_out(&self, index: u64) -> Document {
        self.document(index + 1)
    }

    fn pieces(&self) -> Vec<String> {
        let words =
            ["▁lives", "▁in", ".", "▁Q", ":", "▁Where", "▁does", "▁live", "?", "▁A", "▁Lund", "▁Oak", "ville", "ham"];
        words.into_iter().map(String::from).chain(PEOPLE.map(|person| format!("▁{person}"))).collect()
    }

    fn evaluations(&self) -> Vec<(String, usize)> {
        vec![("web_questions".into(), 1), ("web_questions".into(), 0)]
    }

    fn split(&self, name: &str, split: &str) -> Result<Split> {
        if name != "web_questions" {
            return Err(Error::input(format!("the corpus says nothing about `{name}`")));
        }
        let example = |row: usize| {
            let (person, place) = fact(row as u64);
            Example {
                row,
                source: format!("Q: Where does {person} live? A:"),
                target: place.into(),
                references: vec![place.into()],
                label: None,
                article: None,
            }
        };
        let examples = (0..PEOPLE.len()).map(example).collect();
        Ok(Split::of_file(format!("toy/{split}").into(), examples, 0, split.into()))
    }
}

/// Twenty steps of a model of two small blocks each way.
pub fn spec(out: &Path) -> Pretrain {
    Pretrain {
        corpus: "toy".into(),
        out: out.into(),
        seed: 0,
        threads: 1,
        steps: 20,
        probe_every: 5,
        held_out: 8,
        limit: 3,
        max_new_tokens: 6,
        d_model: 16,
        d_kv: 8,
        d_ff: 32,
        num_layers: 2,
        num_decoder_layers: 2,
        num_heads: 2,
        embedding_deviation: 0.25,
        bias_slope: 0.0,
        self_avoidance: 0.0,
        likeness: 0.0,
        eval: Vec::new(),
        training: Training {
            batch_size: 8,
            micro_batch_tokens: 64,
            warmup_steps: 4,
            lr: 0.02,
            dropout: 0.1,
            ..Pretrain::training()
        },
    }
}

/// Runs to the end.
pub fn run(spec: &Pretrain, existing: Existing) -> pretrain::Outcome {
    pretrain::run(spec, &Toy, existing, &[], &mut Patient { left: usize::MAX }).unwrap()
}

/// Somebody who asks the run to stop after being told so many times how it goes.
pub struct Patient {
    pub left: usize,
}

impl Events for Patient {
    fn begin(&mut self, _: u64, _: u64) {}

    fn advance(&mut self, _: u64, _: &str) {
        self.left = self.left.saturating_sub(1);
    }

    fn warn(&mut self, _: &str) {}

    fn interrupted(&self) -> bool {
        self.left == 0
    }
}
