//! `fsa mini baselines`: what the world's inference tasks give away to whoever only looks at words.

use serde::Serialize;

use crate::data::{MiniSplit, Split, Task, World};
use crate::error::{Error, Result};
use crate::measure::baselines::{Inference, hypothesis_only, word_overlap};
use crate::measure::intervals::Proportion;

/// The template's columns in which inference tasks have what is known and what is claimed.
const COLUMNS: [&str; 2] = ["premise", "hypothesis"];

/// How a baseline does on a task's test split.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Baseline {
    /// The task.
    pub task: &'static str,
    /// Which baseline.
    pub baseline: &'static str,
    /// Examples that it was fitted to.
    pub train: usize,
    /// Examples that it was tested on.
    pub n: u64,
    /// Its accuracy, 0–100.
    pub accuracy: f64,
    /// The lower end of Wilson's interval, 0–100.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Baseline {
    fn new(task: &'static str, baseline: &'static str, train: usize, right: Proportion) -> Result<Self> {
        let nothing = || Error::check(format!("task `{task}` has no test examples")).next("please report it");
        let (low, high) = right.wilson().ok_or_else(nothing)?;
        let accuracy = 100.0 * right.rate().ok_or_else(nothing)?;
        Ok(Self { task, baseline, train, n: right.items, accuracy, low: 100.0 * low, high: 100.0 * high })
    }
}

/// Both baselines on every inference task of the world of `seed`, fitted to the training split; the overlap of words only
/// where there are two labels, since it tells no more apart.
pub fn baselines(seed: u64) -> Result<Vec<Baseline>> {
    let world = World::new(seed);
    let mut all = Vec::new();
    for name in World::tasks() {
        let task = Task::named(name)?;
        let Some(labels) = task.labels().filter(|_| task.template().columns().eq(COLUMNS)) else { continue };
        let train = world.split(&task, MiniSplit::Train)?;
        let test = world.split(&task, MiniSplit::Test)?;
        let (train, test) = (inferences(&task, &train), inferences(&task, &test));
        if labels.words().len() == 2 {
            all.push(Baseline::new(name, "word overlap", train.len(), word_overlap(&train, &test))?);
        }
        all.push(Baseline::new(name, "hypothesis only", train.len(), hypothesis_only(&train, &test))?);
    }
    Ok(all)
}

fn inferences<'a>(task: &Task, split: &'a Split) -> Vec<Inference<'a>> {
    let inference = |example: &'a crate::data::Example| match task.template().fields(&example.source)[..] {
        [premise, hypothesis] => Some(Inference { premise, hypothesis, class: example.label? }),
        _ => None,
    };
    split.examples.iter().filter_map(inference).collect()
}
