//! Few-shot prompts: shots from the training split, the question, and the place of the answer.
//!
//! - **Which shots.** Each evaluated example has its own, drawn without replacement from the training split by the stream
//!   `shots.TASK`, index its row. The draw depends on the seed, the task and the row, and never on the model, the method or
//!   the step, so that every checkpoint answers the same prompts; and it goes on where a smaller one ended, so that the
//!   1-shot prompt's shot is the first of the 4-shot prompt's. An example is never its own shot, also where the training
//!   split is the split that is evaluated, and neither is one of the same source text.
//! - **Layout.** The paper does not say how shots are joined. Here a shot is its source, a space and its target; shots and
//!   question are joined by the *shot separator*, a space unless the caller says otherwise: T5's tokenizers make a space of
//!   a line break anyhow. With the prompt sentinel (the default) the prompt ends in ` <extra_id_0>`, the place that a model
//!   pretrained on span corruption fills in; without any shots too.
//! - **Length.** Articles are [cut](super::cut) one by one, in shots and in the question; nothing else is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rand::RngExt;

use super::cut;
use super::example::Split;
use super::task::Task;
use super::trim::SENTINEL;
use crate::error::{Error, Result};
use crate::spec::Seeds;

/// How prompts are put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// What stands between two shots, and between the last one and the question.
    pub separator: String,
    /// Whether prompts end in ` <extra_id_0>`.
    pub sentinel: bool,
}

impl Default for Layout {
    /// A space, and the sentinel.
    fn default() -> Self {
        Self { separator: " ".into(), sentinel: true }
    }
}

/// What makes prompts of a task's examples.
#[derive(Debug, Clone)]
pub struct FewShot<'a> {
    /// The task.
    pub task: &'a Task,
    /// Where shots are taken from; needed only if there are any.
    pub train: Option<&'a Split>,
    /// Shots per prompt.
    pub shots: usize,
    /// How they are put together.
    pub layout: &'a Layout,
    /// Where chance comes from.
    pub seeds: Seeds,
}

/// One prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Index in its split of the example that it asks about.
    pub example: usize,
    /// Indices in the training split of its shots, in order.
    pub shots: Vec<usize>,
    /// What the model reads.
    pub source: String,
}

/// The prompts of several examples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompts {
    /// In the order asked for.
    pub prompts: Vec<Prompt>,
    /// Questions whose article was cut.
    pub cut: usize,
    /// Training examples whose article was cut where they served as shots; each counts once.
    pub cut_shots: usize,
}

/// A source as it stands in prompts.
struct Text<'a> {
    source: Cow<'a, str>,
    cut: bool,
}

impl FewShot<'_> {
    /// The prompts for the examples of `split` at the indices `members`. `encode` is the tokenizer's, and is asked only where
    /// the task limits the length of its sources.
    ///
    /// # Panics
    /// If a member is not below the split's length.
    pub fn prompts(
        &self,
        split: &Split,
        members: &[usize],
        encode: impl Fn(&str) -> Result<Vec<u32>>,
    ) -> Result<Prompts> {
        let mut texts = BTreeMap::new();
        let mut prompts = Vec::with_capacity(members.len());
        let mut cut = 0;
        for &member in members {
            let shots = self.draw(split, member)?;
            let mut source = String::new();
            // Where there is no training split, there are no shots.
            for (train, &index) in self.train.iter().flat_map(|train| shots.iter().map(move |index| (*train, index))) {
                let text = match texts.entry(index) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(self.text(train, index, &encode)?),
                };
                for part in [&text.source, " ", &train.examples[index].target, &self.layout.separator] {
                    source.push_str(part);
                }
            }
            let question = self.text(split, member, &encode)?;
            cut += usize::from(question.cut);
            source.push_str(&question.source);
            if self.layout.sentinel {
                source.push(' ');
                source.push_str(SENTINEL);
            }
            prompts.push(Prompt { example: member, shots, source });
        }
        let cut_shots = texts.values().filter(|text| text.cut).count();
        Ok(Prompts { prompts, cut, cut_shots })
    }

    /// The source of example `index` of `split`, cut if it has to be.
    fn text<'s>(&self, split: &'s Split, index: usize, encode: impl Fn(&str) -> Result<Vec<u32>>) -> Result<Text<'s>> {
        let example = &split.examples[index];
        Ok(match cut::source(self.task, &split.path, example, encode)? {
            Some((shorter, _)) => Text { source: Cow::Owned(shorter), cut: true },
            None => Text { source: Cow::Borrowed(&example.source), cut: false },
        })
    }

    /// The indices in the training split of the shots for example `member` of `split`.
    ///
    /// # Panics
    /// If the member is not below the split's length.
    pub fn draw(&self, split: &Split, member: usize) -> Result<Vec<usize>> {
        if self.shots == 0 {
            return Ok(Vec::new());
        }
        let asked = format!("{} shot{} asked for", self.shots, if self.shots == 1 { "" } else { "s" });
        let Some(train) = self.train else {
            return Err(Error::input(format!("{asked}, and task `{}` has no training split", self.task.name()))
                .flag("--shots")
                .next("give a file of training examples, or --shots 0"));
        };
        let few = |what: String| {
            Err(Error::input(format!("{asked}, and {what}"))
                .at(&train.path)
                .flag("--shots")
                .next("ask for fewer shots, or give a larger training split"))
        };
        if train.len() < self.shots {
            return few(format!("the training split has {} examples", train.len()));
        }
        let example = &split.examples[member];
        let same_file = train.sha256 == split.sha256;
        let mut rng = self.seeds.rng(&format!("shots.{}", self.task.name()), &[example.row as u64]);
        let mut shots = Vec::with_capacity(self.shots);
        // A random order of the whole split, made only as far as it is needed: where a place was swapped, what is there now.
        let mut swapped: BTreeMap<usize, usize> = BTreeMap::new();
        for place in 0..train.len() {
            let at = rng.random_range(place..train.len());
            let here = swapped.remove(&place).unwrap_or(place);
            let candidate = if at == place { here } else { swapped.insert(at, here).unwrap_or(at) };
            let shot = &train.examples[candidate];
            // A split may have been cut before it came here, so that its own text no longer gives an example away.
            if shot.source == example.source || (same_file && shot.row == example.row) {
                continue;
            }
            shots.push(candidate);
            if shots.len() == self.shots {
                return Ok(shots);
            }
        }
        few(format!(
            "the training split has {} of other texts than row {} of {}",
            match shots.len() {
                1 => "1 example".to_string(),
                count => format!("{count} examples"),
            },
            example.row,
            split.path.display()
        ))
    }
}

#[cfg(test)]
mod tests;
