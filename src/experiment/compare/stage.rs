//! One stage of a method: trained in a folder of its own, each checkpoint scored on the target, the best one kept. Methods whose
//! first stages are the same share them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::data::{Base, Target};
use super::folders;
use super::inputs::Inputs;
use super::kept::{self, Kept};
use super::means::Means;
use crate::error::{Error, Result};
use crate::experiment::Events;
use crate::experiment::asking::{self, Asked, Place};
use crate::experiment::fine_tune::{FineTune, Probing};
use crate::model::T5;
use crate::report::files::ROWS;
use crate::report::folder::write_atomic;
use crate::report::rows_file::{read_rows, truncate_after};
use crate::report::{CheckpointRow, RowsFile, RunFolder};
use crate::spec::compare::StageTraining;
use crate::spec::method::{Attached, Method, Stage, Trained};
use crate::spec::{Compare, Seeds, Training};
use crate::train::{Checkpoint, Trainer};

/// What says that a stage is done, and which checkpoint it kept.
const DONE: &str = "stage.json";

#[derive(Serialize, Deserialize)]
struct Done {
    kept: u64,
}

/// The first stages of a method on some targets.
pub(super) struct Chain<'a> {
    pub spec: &'a Compare,
    pub base: &'a Base,
    /// The targets that are trained on together, each with the ids of its soft prompt.
    pub targets: Vec<(&'a Target, Vec<u32>)>,
    pub method: Method,
    /// Which stage, from 0.
    pub number: usize,
}

impl Chain<'_> {
    /// It.
    pub fn stage(&self) -> &'static Stage {
        &self.method.stages()[self.number]
    }

    /// How it is trained.
    pub fn training(&self) -> StageTraining {
        self.spec.stage(self.stage())
    }

    /// Its folder within the run's.
    pub fn dir(&self) -> PathBuf {
        let names: Vec<&str> = self.targets.iter().map(|(target, _)| target.name.as_str()).collect();
        folders::stage(&self.spec.out, &names, self.seed(), &self.method, self.number)
    }

    /// Its root seed.
    pub fn seed(&self) -> u64 {
        self.targets.first().map_or(0, |(target, _)| target.seed)
    }

    /// Whether other tasks are asked with what is attached: only where it is all that fine-tuning does.
    fn asks_attached(&self) -> bool {
        let stage = self.stage();
        stage.attached == Attached::Lora && stage.trained == Trained::Attached
    }

    /// Whether other tasks are answered as by the model as it came.
    pub fn leaves_others_alone(&self) -> bool {
        self.stage().trained == Trained::Attached && !self.asks_attached()
    }

    /// The evaluations that every checkpoint is asked.
    pub fn trade_off<'t>(&self, target: &'t Target) -> Vec<&'t Asked> {
        let shots = self.spec.trade_off_shots().filter(|_| !self.leaves_others_alone());
        target.evaluations.iter().filter(|asked| Some(asked.shots) == shots).collect()
    }

    /// The checkpoint that it kept, if it is done.
    pub fn done(&self) -> Result<Option<Kept>> {
        let path = self.dir().join(DONE);
        if !path.is_file() {
            return Ok(None);
        }
        let text = std::fs::read(&path).map_err(|error| Error::io("read", &path, error))?;
        let done: Done = serde_json::from_slice(&text)
            .map_err(|error| Error::input(format!("it is damaged: {error}")).at(&path).caused_by(error))?;
        Ok(Some(Kept::at(&self.dir(), done.kept)))
    }

    /// What it is trained on.
    pub fn inputs(&self, training: &Training) -> Result<Inputs<'_>> {
        let targets = self.targets.iter().map(|(target, prefix)| target.training(prefix)).collect();
        let (shots, seeds) = (self.method.shots, Seeds::new(self.seed()));
        Inputs::new(&self.base.tokenizer, targets, shots, self.spec.mix, training, seeds)
    }

    /// Units of progress: steps, and batches that are asked.
    pub fn units(&self) -> u64 {
        let training = self.training();
        training.steps + probes(&training).len() as u64 * self.units_of_probe()
    }

    fn units_of_probe(&self) -> u64 {
        let of = |(target, _): &(&Target, Vec<u32>)| {
            let others = self.trade_off(target).into_iter().map(asking::ticks).sum::<u64>();
            asking::ticks(&target.choose) + others
        };
        self.targets.iter().map(of).sum()
    }

    /// Trains `model`, which the stage before it left, unless that is done. `untouched` has each target's scores of the model as it
    /// came, for stages that leave others alone.
    pub fn run(&self, model: &T5, untouched: &[Means], events: &mut dyn Events) -> Result<()> {
        if self.done()?.is_some() {
            return Ok(());
        }
        let dir = self.dir();
        std::fs::create_dir_all(&dir).map_err(|error| Error::io("create", &dir, error))?;
        let folder = RunFolder::open(&dir)?;
        let StageTraining { steps, training, .. } = self.training();
        let seeds = Seeds::new(self.seed());
        let mut batches = self.inputs(&training)?;
        let mut trainer = Trainer::new(&training, steps, seeds);
        match Checkpoint::newest(&dir)? {
            Some(checkpoint) => {
                checkpoint.restore(model, &mut trainer)?;
                truncate_after(folder.file(ROWS), checkpoint.step)?;
            }
            None => {
                // In this order: what is left of a run without a checkpoint counts for nothing.
                Checkpoint::remove_all(&dir)?;
                kept::remove_all(&dir)?;
                folder.write_atomic(ROWS, b"")?;
            }
        }
        let mut probing = Checkpoints {
            chain: self,
            untouched,
            file: RowsFile::open(folder.file(ROWS))?,
            rows: read_rows(folder.file(ROWS))?.rows,
            dir: dir.clone(),
        };
        let mut fine_tune = FineTune { folder: &folder, model, trainer, batches: &mut batches };
        fine_tune.go(steps, &probes(&self.training()), &mut probing, events)?;
        let Some(best) = best(&probing.rows) else {
            return Err(Error::check("internal: a stage without a checkpoint").at(&dir));
        };
        let kept = Kept::at(&dir, best);
        let done = serde_json::to_vec(&Done { kept: best })
            .map_err(|error| Error::check(format!("internal: {error}")).caused_by(error))?;
        kept.remove_others()?;
        Checkpoint::remove_all(&dir)?;
        // Last: nobody tidies up after a stage that is done. A kill before it has the stage trained again, to the same bits.
        write_atomic(&dir.join(DONE), &done)
    }
}

/// The steps whose checkpoints are scored: every so many, and the last.
pub(super) fn probes(training: &StageTraining) -> Vec<u64> {
    let every = training.probe_every.max(1);
    let mut steps: Vec<u64> = (every..=training.steps).step_by(every as usize).collect();
    if steps.last() != Some(&training.steps) {
        steps.push(training.steps);
    }
    steps
}

/// The step whose checkpoint did best on the targets, on average over them; the first of several.
fn best(rows: &[CheckpointRow]) -> Option<u64> {
    let mut best: Option<(u64, f64)> = None;
    for rows in rows.chunk_by(|a, b| a.step == b.step) {
        let score = rows.iter().map(|row| row.target_score).sum::<f64>() / rows.len() as f64;
        if best.is_none_or(|(_, other)| score > other) {
            best = Some((rows[0].step, score));
        }
    }
    best.map(|(step, _)| step)
}

/// The checkpoints of a stage under way.
struct Checkpoints<'a> {
    chain: &'a Chain<'a>,
    untouched: &'a [Means],
    file: RowsFile,
    rows: Vec<CheckpointRow>,
    dir: PathBuf,
}

impl Probing for Checkpoints<'_> {
    fn units(&self) -> u64 {
        self.chain.units_of_probe()
    }

    fn has(&self, step: u64) -> bool {
        self.rows.last().is_some_and(|row| row.step >= step)
    }

    fn probe(&mut self, model: &T5, step: u64, tick: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        let chain = self.chain;
        let stage = chain.stage();
        let others = if chain.asks_attached() { None } else { Some(model.bare()?) };
        let others = others.as_ref().unwrap_or(model);
        let mut rows = Vec::new();
        for (number, (target, prefix)) in chain.targets.iter().enumerate() {
            let place = Place { target: target.name.clone(), method: stage.name.into(), seed: target.seed, step };
            let examiner = target.examiner(chain.spec, chain.base, prefix);
            let (scored, _) = examiner.ask(model, &target.choose, &place, tick)?;
            let mut means = Means::default();
            let bare = target.examiner(chain.spec, chain.base, &[]);
            for asked in chain.trade_off(target) {
                let (scored, _) = bare.ask(others, asked, &place, tick)?;
                // invariant: a task has a metric, or it would have been refused
                scored.first().into_iter().for_each(|row| means.add(asked, target, row.score));
            }
            if chain.leaves_others_alone() && chain.spec.trade_off_shots().is_some() {
                means = self.untouched.get(number).cloned().unwrap_or_default();
            }
            let target_score = scored.first().map_or(0.0, |row| row.score);
            rows.push(means.row(target, stage.name, chain.number as u64 + 1, step, target_score));
        }
        let all: Vec<CheckpointRow> = self.rows.iter().chain(&rows).cloned().collect();
        let is_best = best(&all) == Some(step);
        let kept = Kept::at(&self.dir, step);
        if is_best {
            kept.save(model, stage.trained, &chain.spec.model, chain.base.attachment.is_some())?;
        }
        self.file.append(&rows)?;
        self.rows = all;
        if is_best { kept.remove_others() } else { Ok(()) }
    }
}
