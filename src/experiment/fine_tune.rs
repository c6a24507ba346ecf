//! What every command that trains shares: opening its run folder, going on from a checkpoint, and the loop of steps and
//! probes.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Events, Existing};
use crate::data::{Order, Tokenized};
use crate::error::{Error, Kind, Result};
use crate::model::{Batch, T5, T5Config, Whole};
use crate::report::RunFolder;
use crate::report::folder::{RUN, SPEC};
use crate::report::run_info::{RunInfo, Status};
use crate::spec::{self, Seeds, Training};
use crate::train::{Checkpoint, Trainer};

/// The run folder at `out`, made and tried before any work; an existing one only as `existing` allows.
pub(super) fn open_folder<S>(out: &Path, spec: &S, existing: Existing) -> Result<RunFolder>
where
    S: Serialize + DeserializeOwned,
{
    if existing == Existing::Resume && out.join(SPEC).is_file() {
        let folder = RunFolder::open(out)?;
        let differences = spec::differences(spec, &folder.read_spec::<S>()?);
        if !differences.is_empty() {
            return Err(Error::input(format!("the run in it had another spec: {}", differences.join(", ")))
                .at(folder.file(SPEC))
                .flag("--resume")
                .next("give the same options, or another --out"));
        }
        return RunFolder::create(out, true);
    }
    RunFolder::create(out, existing == Existing::Overwrite)
}

/// What is known of the run in `folder` if it is done, so that nothing is computed a second time.
pub(super) fn finished(folder: &RunFolder, existing: Existing, events: &mut dyn Events) -> Result<Option<RunInfo>> {
    if existing != Existing::Resume || !folder.file(RUN).is_file() {
        return Ok(None);
    }
    let info = folder.read_run()?;
    if info.status != Status::Finished {
        return Ok(None);
    }
    events.warn("the run in the folder is done already; its results follow");
    // A kill may have come before the end of this.
    Checkpoint::remove_all(folder.path())?;
    Ok(Some(info))
}

/// What is known of the run at `out`, if it is done and was made by `spec`.
pub(super) fn done<S: Serialize + DeserializeOwned>(out: &Path, spec: &S) -> Result<Option<RunInfo>> {
    if !out.join(RUN).is_file() || !out.join(SPEC).is_file() {
        return Ok(None);
    }
    let folder = RunFolder::open(out)?;
    let info = folder.read_run()?;
    let is_done = info.status == Status::Finished && spec::differences(spec, &folder.read_spec::<S>()?).is_empty();
    Ok(is_done.then_some(info))
}

/// A description of a run that starts now.
pub(super) fn run_info(seed: u64, threads: usize, command: &[String]) -> RunInfo {
    RunInfo::start(seed, threads, option_env!("FSA_GIT_REVISION").map(String::from), Some(command.to_vec()))
}

/// Errors if a file that the run in `folder` began with holds something else now: its rows would be of two models or data sets.
pub(super) fn refuse_other_files(folder: &RunFolder, now: &RunInfo) -> Result<()> {
    match now.changed_since(&folder.read_run()?) {
        None => Ok(()),
        Some(path) => Err(Error::input(format!("it has changed since the run in {} began", folder.path().display()))
            .at(path)
            .flag("--resume")
            .next("put back what it was, or start anew with --force or another --out")),
    }
}

/// How far a run came that ended with `result`.
pub(super) fn status_of(result: &Result<()>) -> Status {
    match result {
        Ok(()) => Status::Finished,
        Err(error) if error.kind() == Kind::Interrupted => Status::Interrupted,
        Err(_) => Status::Failed,
    }
}

/// What a command measures between training steps.
pub(super) trait Probing {
    /// Units of progress in one probe.
    fn units(&self) -> u64;

    /// Whether the probe at `step` has been measured already, by the run that this one goes on with.
    fn has(&self, step: u64) -> bool;

    /// Measures the model at `step` and writes the rows down. `tick` is called once before each unit, with what it is; its
    /// error is to be returned.
    fn probe(&mut self, model: &T5, step: u64, tick: &mut dyn FnMut(&str) -> Result<()>) -> Result<()>;

    /// Takes, before each probe, the mean training loss since the one before it; none where there was no step.
    fn trained(&mut self, _mean_loss: Option<f64>) {}
}

/// Where the batches of training come from.
pub(super) trait Batches {
    /// The batch of step `step`, cut into micro-batches: a function of the step, so that a run that goes on sees what the run
    /// that was cut off would have.
    fn batch(&mut self, step: u64, config: &T5Config) -> Result<Vec<Batch>>;
}

/// Batches of a training split, epoch by epoch.
pub(super) struct Epochs<'a> {
    tokens: &'a [Tokenized],
    order: Order,
    micro_batch_tokens: usize,
}

impl<'a> Epochs<'a> {
    /// Of the split whose examples are `tokens`.
    ///
    /// # Errors
    /// If there is no example.
    pub fn new(tokens: &'a [Tokenized], training: &Training, seeds: Seeds) -> Result<Self> {
        let order = Order::new(tokens.len(), training.batch_size, seeds)?;
        Ok(Self { tokens, order, micro_batch_tokens: training.micro_batch_tokens })
    }
}

impl Batches for Epochs<'_> {
    fn batch(&mut self, step: u64, config: &T5Config) -> Result<Vec<Batch>> {
        let members = self.order.batch(step);
        let whole = Whole::training(
            members.iter().map(|&i| self.tokens[i].source.as_slice()).collect(),
            members.iter().map(|&i| i as u64).collect(),
            members.iter().map(|&i| self.tokens[i].target.as_slice()).collect(),
        );
        whole.cut(self.micro_batch_tokens, config)
    }
}

/// Training under way.
pub(super) struct FineTune<'a> {
    pub folder: &'a RunFolder,
    pub model: &'a T5,
    pub trainer: Trainer,
    pub batches: &'a mut dyn Batches,
}

impl FineTune<'_> {
    /// Goes on from the newest checkpoint in the folder, if `existing` says so and there is one: restores model and trainer and
    /// returns its step. Otherwise clears the folder of an earlier run.
    pub fn restore(&mut self, existing: Existing, info: &RunInfo) -> Result<Option<u64>> {
        let checkpoint = match existing {
            Existing::Resume => Checkpoint::newest(self.folder.path())?,
            _ => None,
        };
        let Some(checkpoint) = checkpoint else {
            // In this order: a run killed in between must not go on from a checkpoint without its rows.
            Checkpoint::remove_all(self.folder.path())?;
            self.folder.clear()?;
            return Ok(None);
        };
        refuse_other_files(self.folder, info)?;
        checkpoint.restore(self.model, &mut self.trainer)?;
        Ok(Some(checkpoint.step))
    }

    /// Trains to `steps`, measuring at `probes` (sorted).
    pub fn go(&mut self, steps: u64, probes: &[u64], probing: &mut dyn Probing, events: &mut dyn Events) -> Result<()> {
        let first = self.trainer.steps();
        let measured = probes.iter().filter(|&&step| probing.has(step)).count() as u64;
        let mut done = first + measured * probing.units();
        events.begin(steps + probes.len() as u64 * probing.units(), done);
        for step in first..=steps {
            let is_probe = probes.binary_search(&step).is_ok();
            let is_due = is_probe && !probing.has(step);
            if is_due {
                probing.trained(self.trainer.mean_loss());
                let mut begun = 0;
                probing.probe(self.model, step, &mut |what| {
                    if begun > 0 {
                        done += 1;
                    }
                    begun += 1;
                    events.advance(done, &format!("step {step}: {what}"));
                    self.stop_if_asked(events, step)
                })?;
                done += u64::from(begun > 0);
                events.advance(done, &format!("probed step {step}"));
            }
            if is_probe {
                // Also where it was measured before: a checkpoint from the middle of the probe still holds them.
                self.trainer.forget_losses();
            }
            if is_due && step > 0 && step < steps {
                Checkpoint::save(self.folder.path(), self.model, &self.trainer)?;
            }
            if step == steps {
                break;
            }
            self.stop_if_asked(events, step)?;
            let batches = self.batches.batch(step, self.model.config())?;
            let loss = self.trainer.step(self.model, &batches)?;
            done += 1;
            events.advance(done, &format!("step {}/{steps}, loss {loss:.4}", step + 1));
        }
        Ok(())
    }

    /// On Ctrl-C, keeps what has been computed and returns the error that says so.
    fn stop_if_asked(&self, events: &dyn Events, step: u64) -> Result<()> {
        if !events.interrupted() {
            return Ok(());
        }
        if step > 0 {
            Checkpoint::save(self.folder.path(), self.model, &self.trainer)?;
        }
        Err(Error::interrupted(format!("stopped at step {step}; rows and tables so far are complete"))
            .at(self.folder.path())
            .next("go on with --resume"))
    }
}
