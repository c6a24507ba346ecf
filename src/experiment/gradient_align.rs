//! `fsa gradient-align`: fine-tune, and at each probe step compare the full gradient with the format gradient.

use std::path::PathBuf;

use serde::Serialize;

use super::probe;
use super::redraw::draw;
use super::setup::{Data, Loaded, load_model, signature};
use super::{Events, Existing};
use crate::data::Order;
use crate::error::{Error, Kind, Result};
use crate::model::memory;
use crate::report::csv::to_csv;
use crate::report::folder::{GRADIENT_ALIGN, ROWS, RUN, SPEC};
use crate::report::rows_file::{read_rows, truncate_after};
use crate::report::run_info::{RunInfo, Status};
use crate::report::view::WITHOUT_EMBEDDINGS;
use crate::report::{GradientAlignRow, RowsFile, RunFolder, Scope, summary};
use crate::spec::{GradientAlign, Seeds};
use crate::train::{Checkpoint, Trainer};

/// What a run leaves behind.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The run folder.
    pub out: PathBuf,
    /// Every file written, in the folder's order.
    pub files: Vec<PathBuf>,
    /// What decides the numbers, in one line.
    pub signature: String,
    /// Rows written.
    pub rows: usize,
    /// A short table of the first and the last probe, for people.
    #[serde(skip)]
    pub table: String,
    /// The cosine of `model_without_embeddings` at the first and last probe, by estimator, for machines.
    pub summary: Vec<Summary>,
}

/// One line of the machine-readable summary.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Probe step.
    pub step: u64,
    /// Estimator.
    pub estimator: String,
    /// Cosine of `model_without_embeddings`.
    pub cosine: Option<f64>,
    /// Its interval's lower end.
    pub cosine_lo: Option<f64>,
    /// Its interval's upper end.
    pub cosine_hi: Option<f64>,
}

/// What `--dry-run` prints.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// Training steps.
    pub steps: u64,
    /// Probe steps.
    pub probe_steps: Vec<u64>,
    /// Examples in the training split.
    pub train_examples: usize,
    /// Numbers in the model.
    pub params: u64,
    /// Losses whose gradients are compared in a probe batch.
    pub losses: usize,
    /// Estimated peak memory in MiB.
    pub memory_mib: u64,
    /// What decides the numbers, in one line.
    pub signature: String,
    /// Warnings that the run would give.
    pub warnings: Vec<String>,
}

/// Fine-tunes and probes. `command` is recorded in `run.json`.
///
/// # Errors
/// Of [`Kind::Input`] if it could not run, [`Kind::Check`] if a number is not finite, [`Kind::Interrupted`] if the user stopped it;
/// in the last two cases rows and CSV so far are complete files.
pub fn run(spec: &GradientAlign, existing: Existing, command: &[String], events: &mut dyn Events) -> Result<Outcome> {
    let folder = open_folder(spec, existing)?;
    if existing == Existing::Resume
        && let Some(outcome) = finished(&folder, events)?
    {
        return Ok(outcome);
    }
    let prepared = Data::load(spec).and_then(|data| Ok((data, load_model(&spec.model)?)));
    let (data, loaded) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            folder.abandon();
            return Err(error);
        }
    };
    data.warnings.iter().chain(&loaded.warnings).for_each(|warning| events.warn(warning));
    let mut info = RunInfo::start(
        spec.seed,
        spec.threads,
        option_env!("FSA_GIT_REVISION").map(String::from),
        Some(command.to_vec()),
    );
    info.signature = signature(spec, &data, &loaded.info);
    info.model = Some(loaded.info.clone());
    info.data = data.info();
    let mut trainer = Trainer::new(&spec.training, Seeds::new(spec.seed));
    let checkpoint = match existing {
        Existing::Resume => Checkpoint::newest(folder.path())?,
        _ => None,
    };
    match &checkpoint {
        Some(checkpoint) => {
            refuse_other_files(&folder, &info)?;
            checkpoint.restore(&loaded.model, &mut trainer)?;
            truncate_after(folder.file(ROWS), checkpoint.step)?;
        }
        None => {
            // In this order: a run killed in between must not go on from a checkpoint without its rows.
            Checkpoint::remove_all(folder.path())?;
            folder.clear()?;
        }
    }
    folder.write_spec(spec)?;
    folder.write_run(&info)?;
    let mut run = Run { spec, folder, data, loaded, trainer, rows: Vec::new() };
    let result = run.go(events);
    let status = match &result {
        Ok(()) => Status::Finished,
        Err(error) if error.kind() == Kind::Interrupted => Status::Interrupted,
        Err(_) => Status::Failed,
    };
    let signature = info.signature.clone();
    let files = run.finish(info.end(status), result)?;
    outcome(&run.folder, files, signature, &run.rows)
}

/// The outcome of the run in `folder` if it is done: nothing is trained a second time.
fn finished(folder: &RunFolder, events: &mut dyn Events) -> Result<Option<Outcome>> {
    if !folder.file(RUN).is_file() || !folder.file(ROWS).is_file() {
        return Ok(None);
    }
    let info = folder.read_run()?;
    if info.status != Status::Finished {
        return Ok(None);
    }
    events.warn("the run in the folder is done already; its results follow");
    let rows = read_rows::<GradientAlignRow>(folder.file(ROWS))?.rows;
    let files = written(folder, &rows)?;
    // A kill may have come before the end of this.
    Checkpoint::remove_all(folder.path())?;
    outcome(folder, files, info.signature, &rows).map(Some)
}

/// Errors if a file that the run in `folder` began with holds something else now: its rows would be of two models or data sets.
fn refuse_other_files(folder: &RunFolder, now: &RunInfo) -> Result<()> {
    match now.changed_since(&folder.read_run()?) {
        None => Ok(()),
        Some(path) => Err(Error::input(format!("it has changed since the run in {} began", folder.path().display()))
            .at(path)
            .flag("--resume")
            .next("put back what it was, or start anew with --force or another --out")),
    }
}

fn outcome(folder: &RunFolder, files: Vec<PathBuf>, signature: String, rows: &[GradientAlignRow]) -> Result<Outcome> {
    Ok(Outcome {
        out: folder.path().to_path_buf(),
        files,
        signature,
        rows: rows.len(),
        table: summary::gradient_align(rows)?,
        summary: summarise(rows),
    })
}

/// Writes the table and the figures of `rows`; returns every file of the run.
fn written(folder: &RunFolder, rows: &[GradientAlignRow]) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = [SPEC, RUN, ROWS].map(|name| folder.file(name)).into();
    if !rows.is_empty() {
        files.push(folder.write_atomic(GRADIENT_ALIGN, &to_csv(rows)?)?);
        files.extend(draw(folder, rows)?);
    }
    Ok(files)
}

/// Says what [`run`] would do, without reading weights or writing anything.
///
/// # Errors
/// As [`run`], for everything that can be seen without the weights.
pub fn plan(spec: &GradientAlign) -> Result<Plan> {
    let data = Data::load(spec)?;
    let (params, model_warnings) = crate::model::inspect(&spec.model)?;
    let tokens = data.source_tokens(spec.training.batch_size);
    let losses = data.losses.count();
    let model = crate::report::run_info::ModelInfo { path: spec.model.clone(), files: Vec::new(), params };
    Ok(Plan {
        steps: spec.steps,
        probe_steps: spec.probe_steps(),
        train_examples: data.train.len(),
        params,
        losses,
        memory_mib: memory::estimate_mib(
            &data.config,
            params,
            tokens,
            spec.training.batch_size,
            losses,
            spec.training.optimizer,
        ),
        signature: signature(spec, &data, &model),
        warnings: data.warnings.into_iter().chain(model_warnings).collect(),
    })
}

/// The run folder, made and tried before any work; an existing one only as `existing` allows.
fn open_folder(spec: &GradientAlign, existing: Existing) -> Result<RunFolder> {
    let has_run = spec.out.join(SPEC).is_file();
    if existing == Existing::Resume && has_run {
        let folder = RunFolder::open(&spec.out)?;
        let before: GradientAlign = folder.read_spec()?;
        let differences = spec.differences(&before);
        if !differences.is_empty() {
            return Err(Error::input(format!("the run in it had another spec: {}", differences.join(", ")))
                .at(folder.file(SPEC))
                .flag("--resume")
                .next("give the same options, or another --out"));
        }
        return RunFolder::create(&spec.out, true);
    }
    RunFolder::create(&spec.out, existing == Existing::Overwrite)
}

/// A run under way.
struct Run<'a> {
    spec: &'a GradientAlign,
    folder: RunFolder,
    data: Data,
    loaded: Loaded,
    trainer: Trainer,
    rows: Vec<GradientAlignRow>,
}

impl Run<'_> {
    /// Trains and probes to the end.
    fn go(&mut self, events: &mut dyn Events) -> Result<()> {
        let spec = self.spec;
        let path = self.folder.file(ROWS);
        let mut file = RowsFile::open(&path)?;
        self.rows = read_rows(&path)?.rows;
        let probes = spec.probe_steps();
        let batches = self.data.probes.len() as u64;
        let units = |step: u64, probed: usize| step + probed as u64 * batches;
        let first = self.trainer.steps();
        let probed = |rows: &[GradientAlignRow], step: u64| rows.last().is_some_and(|row| row.step >= step);
        let mut done = units(first, probes.iter().filter(|&&step| probed(&self.rows, step)).count());
        events.begin(units(spec.steps, probes.len()), done);
        let mut order = Order::new(self.data.train.len(), spec.training.batch_size, Seeds::new(spec.seed))?;
        for step in first..=spec.steps {
            if probes.binary_search(&step).is_ok() && !probed(&self.rows, step) {
                let mut grams = Vec::new();
                for number in 0..self.data.probes.len() {
                    self.stop_if_asked(events, step)?;
                    grams.push(probe::measure(&self.loaded.model, &self.data, spec, number, step)?);
                    done += 1;
                    events.advance(done, &format!("probe at step {step}"));
                }
                let rows = probe::rows(&self.loaded.model, &self.data, spec, step, &grams)?;
                file.append(&rows)?;
                self.rows.extend(rows);
                self.folder.write_atomic(GRADIENT_ALIGN, &to_csv(&self.rows)?)?;
                if step > 0 && step < spec.steps {
                    Checkpoint::save(self.folder.path(), &self.loaded.model, &self.trainer)?;
                }
            }
            if step == spec.steps {
                break;
            }
            self.stop_if_asked(events, step)?;
            let whole = self.data.training(&order.batch(step));
            let batches = whole.cut(spec.training.micro_batch_tokens, self.loaded.model.config())?;
            let loss = self.trainer.step(&self.loaded.model, &batches)?;
            done += 1;
            events.advance(done, &format!("step {}/{}, loss {loss:.4}", step + 1, spec.steps));
        }
        Ok(())
    }

    /// On Ctrl-C, keeps what has been computed and returns the error that says so.
    fn stop_if_asked(&self, events: &dyn Events, step: u64) -> Result<()> {
        if !events.interrupted() {
            return Ok(());
        }
        if step > 0 {
            Checkpoint::save(self.folder.path(), &self.loaded.model, &self.trainer)?;
        }
        Err(Error::interrupted(format!("stopped at step {step}; rows and tables so far are complete"))
            .at(self.folder.path())
            .next("go on with --resume"))
    }

    /// Writes tables and figures of the rows there are; the error of the run itself comes first.
    fn finish(&self, info: RunInfo, result: Result<()>) -> Result<Vec<PathBuf>> {
        let finished = result.is_ok();
        let write = || -> Result<Vec<PathBuf>> {
            let files = written(&self.folder, &self.rows)?;
            // Last: a run that says it is finished has everything.
            self.folder.write_run(&info)?;
            if finished {
                Checkpoint::remove_all(self.folder.path())?;
            }
            Ok(files)
        };
        let written = write();
        result.and(written)
    }
}

/// `model_without_embeddings` at the first and the last probe.
fn summarise(rows: &[GradientAlignRow]) -> Vec<Summary> {
    let ends = [rows.first(), rows.last()].map(|row| row.map(|row| row.step));
    rows.iter()
        .filter(|row| row.scope == Scope::Model && row.name == WITHOUT_EMBEDDINGS && ends.contains(&Some(row.step)))
        .map(|row| Summary {
            step: row.step,
            estimator: row.estimator.clone(),
            cosine: row.cosine,
            cosine_lo: row.cosine_lo,
            cosine_hi: row.cosine_hi,
        })
        .collect()
}
