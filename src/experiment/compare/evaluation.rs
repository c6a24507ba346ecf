//! What a method has come to: its kept checkpoint asked the target and all other tasks, once, into a folder of its own.

use std::path::{Path, PathBuf};

use super::data::{Base, Target};
use super::folders;
use crate::error::{Error, Result};
use crate::experiment::asking::{self, Asked, Place};
use crate::model::T5;
use crate::report::files::{OUTPUTS, ROWS, plain};
use crate::report::folder::write_atomic;
use crate::report::rows_file::{json_lines, read_rows};
use crate::report::{CompareRow, LabelRatioRow};
use crate::spec::Compare;
use crate::spec::method::{Attached, Method};

/// The evaluation of a method on some targets.
pub(super) struct Evaluation<'a> {
    pub spec: &'a Compare,
    pub base: &'a Base,
    pub method: Method,
    /// The targets that it was trained on together, each with the ids of its soft prompt.
    pub targets: Vec<(&'a Target, Vec<u32>)>,
}

/// One task as it is asked.
pub(super) struct Asking<'a> {
    pub asked: &'a Asked,
    pub target: &'a Target,
    pub prefix: &'a [u32],
    attached: bool,
    matched: bool,
}

impl Evaluation<'_> {
    /// Its folder.
    pub fn dir(&self) -> PathBuf {
        let names: Vec<&str> = self.targets.iter().map(|(target, _)| target.name.as_str()).collect();
        let seed = self.targets.first().map_or(0, |(target, _)| target.seed);
        folders::evaluated(&self.spec.out, &names, seed, &self.method)
    }

    /// Its rows, if it is done.
    pub fn rows(&self) -> Result<Option<Vec<CompareRow>>> {
        let path = self.dir().join(ROWS);
        if path.is_file() { read_rows(path).map(|rows| Some(rows.rows)) } else { Ok(None) }
    }

    /// Everything that is asked: each target in its training format, and what is no target; where the format is the target's and a
    /// prompt is there, with and without it.
    pub fn all(&self) -> Vec<Asking<'_>> {
        let has = self.method.attached() != Attached::Nothing;
        let mut all: Vec<Asking> = self
            .targets
            .iter()
            .map(|(target, prefix)| {
                let asked = target.report.as_ref().unwrap_or(&target.choose);
                Asking { asked, target, prefix, attached: has, matched: true }
            })
            .collect();
        let is_target = |asked: &Asked| self.targets.iter().any(|(target, _)| target.name == asked.task.name());
        let Some((first, _)) = self.targets.first() else { return all };
        for asked in first.evaluations.iter().filter(|asked| !is_target(asked)) {
            let like = self.targets.iter().find(|(target, _)| target.is_matched(asked));
            let (target, prefix) = like.map_or((*first, &[][..]), |(target, prefix)| (*target, prefix.as_slice()));
            let stays = has && self.method.stays_attached();
            let matched = like.is_some();
            all.push(Asking { asked, target, prefix: &[], attached: stays, matched });
            if has && !stays && matched {
                all.push(Asking { asked, target, prefix, attached: true, matched });
            }
        }
        all
    }

    /// Batches that are asked.
    pub fn units(&self) -> u64 {
        self.all().iter().map(|asking| asking::ticks(asking.asked)).sum()
    }

    /// Asks `model`, which the method has left after `step` steps of its last stage, unless that is done.
    pub fn run(&self, model: &T5, step: Option<u64>, tick: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        if self.rows()?.is_some() {
            return Ok(());
        }
        let bare = model.bare()?;
        let name = self.targets.iter().map(|(target, _)| target.name.as_str()).collect::<Vec<_>>().join("+");
        let mut rows = Vec::new();
        for Asking { asked, target, prefix, attached, matched } in self.all() {
            let place = Place {
                target: name.clone(),
                method: self.method.name(),
                seed: target.seed,
                step: step.unwrap_or_default(),
            };
            let model = if attached { model } else { &bare };
            let examiner = target.examiner(self.spec, self.base, prefix);
            let (scored, answers) = examiner.ask(model, asked, &place, tick)?;
            let file = self.output(asked.task.name(), asked.shots as u64, attached);
            write(&file, &json_lines(answers)?)?;
            rows.extend(scored.into_iter().map(|row| of(row, step, attached, matched)));
        }
        // Last: an evaluation that has its rows is done.
        write(&self.dir().join(ROWS), &json_lines(&rows)?)
    }

    /// Where the answers to a task are.
    pub fn output(&self, task: &str, shots: u64, attached: bool) -> PathBuf {
        let attached = if attached { "-attached" } else { "" };
        self.dir().join(OUTPUTS).join(format!("{}-{shots}shot{attached}.jsonl", plain(task)))
    }
}

/// Writes the file at `path` whole or not at all, in a folder that is made for it.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(dir).map_err(|error| Error::io("create", dir, error))?;
    write_atomic(path, bytes)
}

fn of(row: LabelRatioRow, step: Option<u64>, attached: bool, matched: bool) -> CompareRow {
    CompareRow {
        target: row.target,
        method: row.method,
        seed: row.seed,
        checkpoint_step: step,
        prompt_attached: attached.into(),
        task: row.task,
        shots: row.shots,
        n: row.n,
        metric: row.metric,
        score: row.score,
        score_lo: row.score_lo,
        score_hi: row.score_hi,
        label_ratio: row.label_ratio,
        label_mass: row.label_mass,
        matched: matched.into(),
    }
}
