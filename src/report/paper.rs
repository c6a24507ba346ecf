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
    base_model: String,
    finetune_task: String,
    method: String,
    shots: u64,
    task: String,
    value: f64,
}

/// What the paper prints for mT5-XXL.
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
        let mut numbers = csv::Reader::from_reader(TABLES.as_bytes())
            .into_deserialize::<Number>()
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|source| {
                Error::check(format!("internal error: the paper's tables cannot be read: {source}"))
                    .next("please report it with the command that led to it")
                    .caused_by(source)
            })?;
        numbers.retain(|number| number.base_model == MODEL);
        Ok(Self { numbers })
    }

    /// The score of `task` with `shots` after `method` was trained on `target` (of several targets, on this among them); of a
    /// number that the paper prints more than once, the first. Names are fsa's.
    pub fn score(&self, target: &str, method: &str, task: &str, shots: u64) -> Option<f64> {
        let (target, task) = (names::task(target), names::task(task));
        let mut of = self.numbers.iter().filter(|number| number.method == method && number.shots == shots);
        // WikiLingua is printed as `WikiLingua/en`.
        let is_task = |name: &str| name == task || name.strip_suffix("/en") == Some(task);
        of.find(|number| is_task(&number.task) && number.finetune_task.split(" + ").any(|name| name == target))
            .map(|number| number.value)
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
    }
}
