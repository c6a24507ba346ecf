//! The numbers of the paper's tables, which come with fsa (`notebooks-data/paper`).

use serde::Deserialize;

use super::names;
use crate::error::{Error, Result};

const TABLES: &str = include_str!("../../notebooks-data/paper/tables.csv");

/// The model of the paper's main experiments.
const MODEL: &str = "mT5-XXL";

/// One number.
#[derive(Debug, Deserialize)]
struct Number {
    table: String,
    base_model: String,
    finetune_task: String,
    method: String,
    shots: u64,
    task: String,
    value: f64,
}

/// What the paper prints.
#[derive(Debug)]
pub struct Paper {
    numbers: Vec<Number>,
}

impl Paper {
    /// All of it.
    ///
    /// # Errors
    /// If fsa was built with a damaged file.
    pub fn read() -> Result<Self> {
        let numbers = csv::Reader::from_reader(TABLES.as_bytes())
            .into_deserialize::<Number>()
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|source| {
                Error::check(format!("internal error: the paper's tables cannot be read: {source}"))
                    .next("please report it with the command that led to it")
                    .caused_by(source)
            })?;
        Ok(Self { numbers })
    }

    /// mT5-XXL's score of `task` with `shots` after `method` was trained on `target` (of several targets, on this among them); of
    /// a number that the paper prints more than once, the first. Names are fsa's.
    pub fn score(&self, target: &str, method: &str, task: &str, shots: u64) -> Option<f64> {
        let target = names::task(target);
        let trained = |number: &Number| number.finetune_task.split(" + ").any(|name| name == target);
        self.find(method, task, shots, |number| number.base_model == MODEL && trained(number))
    }

    /// The same in the table of that name, where `target` may be several with `+` between, all of which were trained on.
    pub fn printed(&self, table: &str, target: &str, method: &str, task: &str, shots: u64) -> Option<f64> {
        let target = target.split('+').map(names::task).collect::<Vec<_>>().join(" + ");
        self.find(method, task, shots, |number| number.table == table && number.finetune_task == target)
    }

    fn find(&self, method: &str, task: &str, shots: u64, is_run: impl Fn(&Number) -> bool) -> Option<f64> {
        let task = names::task(task);
        // WikiLingua is printed as `WikiLingua/en`.
        let is_task = |name: &str| name == task || name.strip_suffix("/en") == Some(task);
        let mut of = self.numbers.iter().filter(|number| number.method == method && number.shots == shots);
        of.find(|number| is_task(&number.task) && is_run(number)).map(|number| number.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_fsas_names() {
        let paper = Paper::read().unwrap();
        assert_eq!(paper.score("rte", "promot", "rte", 0), Some(92.78));
        assert_eq!(paper.score("rte", "promot+1shot", "wiki_lingua", 4), Some(3.43));
        assert_eq!(
            paper.score("wmt14_enfr", "multitask-promot", "wmt14_enfr", 0),
            paper.score("rte", "multitask-promot", "wmt14_enfr", 0)
        );
        // Table 5.3, not table 11, which prints another number.
        assert_eq!(paper.score("wmt14_enfr", "standard", "trivia_qa", 1), Some(3.2));
        assert_eq!(paper.score("rte", "promot", "mine", 1), None);
        assert_eq!(paper.score("rte", "mine", "cb", 1), None);
        // By table: table 11's own number, another model's, and that of several targets.
        assert_eq!(paper.printed("11", "wmt14_enfr", "standard", "trivia_qa", 1), Some(0.03));
        assert_eq!(paper.printed("9", "wmt14_enfr", "promot", "wmt14_enfr", 0), Some(36.46));
        assert_eq!(paper.printed("2", "rte+wmt14_enfr", "multitask+1shot", "cb", 1), Some(87.5));
        assert_eq!(paper.printed("8", "wmt14_enfr", "promot", "cb", 1), None);
    }
}
