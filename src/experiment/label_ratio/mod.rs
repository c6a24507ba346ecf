//! `fsa label-ratio`: while a model is fine-tuned on one task, ask it others, and watch how often its answers fall into the
//! fine-tuned task's label set and how far its scores drop. The checkpoints are fsa's own, or a folder that another trainer
//! wrote.

mod plan;
mod signature;
mod target;
mod tasks;
mod time;

use std::path::PathBuf;

use serde::Serialize;

pub use self::plan::{Plan, plan};
use self::signature::signature;
use self::tasks::Data;
use super::asking::{self, Asked, Place};
use super::attachment::{self, attached, behind};
use super::checkpoints::{self, Base, Measuring};
use super::figures;
use super::fine_tune::{self, Epochs, FineTune, Probing};
use super::setup::{Loaded, load_model};
use super::{Events, Existing};
use crate::error::{Error, Result};
use crate::experiment::fetch;
use crate::model::{Param, T5};
use crate::model_folder;
use crate::plot;
use crate::report::csv::to_csv;
use crate::report::files::{self, LABEL_RATIO, ROWS, RUN, SPEC, TARGET, TARGET_ROWS};
use crate::report::label_view::LabelView;
use crate::report::rows_file::{json_lines, read_rows, truncate_after};
use crate::report::run_info::RunInfo;
use crate::report::{LabelRatioRow, RowsFile, RunFolder, TargetRow, onset, summary};
use crate::spec::label_ratio::{Source, probe_steps};
use crate::spec::{LabelRatio, Seeds, Training};
use crate::train::{Checkpoint, Trainer};

/// What a run leaves behind.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The run folder.
    pub out: PathBuf,
    /// Every file written, but for the outputs of each probe.
    pub files: Vec<PathBuf>,
    /// What decides the numbers, in one line.
    pub signature: String,
    /// What has to be said beside every number of this model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// Rows written.
    pub rows: usize,
    /// A short table, for people.
    #[serde(skip)]
    pub table: String,
    /// When each evaluation's outputs became labels and its score was lost.
    pub onsets: Vec<Onset>,
    /// Entries of the checkpoints' folder that were not measured.
    pub skipped: usize,
}

/// When one evaluation broke.
#[derive(Debug, Serialize)]
pub struct Onset {
    /// The evaluated task.
    pub task: String,
    /// Examples in the prompt.
    pub shots: u64,
    /// First probe whose label ratio exceeds the threshold, with its interval's lower end.
    pub label: Option<u64>,
    /// First probe whose score is half of the first one's or less.
    pub halved: Option<u64>,
}

/// Fine-tunes (or takes checkpoints) and asks. `command` is recorded in `run.json`.
///
/// # Errors
/// Of [`crate::Kind::Input`] if it could not run, `Check` if a number is not finite or `strict` skipped something, `Interrupted`
/// if the user stopped it; in the last two cases rows and tables so far are complete files.
pub fn run(spec: &LabelRatio, existing: Existing, command: &[String], events: &mut dyn Events) -> Result<Outcome> {
    let folder = fine_tune::open_folder(&spec.out, spec, existing)?;
    if let Some(info) = fine_tune::finished(&folder, existing, events)? {
        let probes = Rows::read(&folder)?;
        let files = written(&folder, &probes, spec.onset)?;
        let skipped = match &spec.source {
            Source::Train { .. } => 0,
            // The folder may be gone by now.
            Source::Checkpoints { dir, .. } => {
                checkpoints::list(dir, &spec.model).map_or(0, |found| found.left_out(|step| probes.measured(step)))
            }
        };
        return outcome(spec, &folder, files, info.signature, &probes, skipped);
    }
    let prepared = Data::load(spec).and_then(|data| {
        let loaded = load_model(&spec.model, None)?;
        let model = attached(loaded.model, data.attachment.as_ref())?;
        let check = |training: &Training| training.check_trainable(model.params().iter().map(Param::name));
        spec.training().map_or(Ok(()), check)?;
        Ok((data, Loaded { model, ..loaded }))
    });
    let (data, loaded) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            folder.abandon();
            return Err(error);
        }
    };
    data.warnings.iter().chain(&loaded.warnings).for_each(|warning| events.warn(warning));
    let mut info = fine_tune::run_info(spec.seed, spec.threads, command);
    info.signature = signature(spec, &data, &loaded.info, &[])?;
    let mut model = loaded.info.clone();
    model.files.extend(data.attachment.iter().flat_map(|attachment| attachment.files.iter().cloned()));
    info.model = Some(model);
    info.adapters = fetch::adapters(&fetch::of_label_ratio(spec));
    info.data = data.info();
    let (rows, result, skipped) = match &spec.source {
        Source::Train { steps, probe_every, training } => {
            // invariant: data of a run that trains has a training split
            let tokens = data.train.as_ref().map_or(&[][..], |(_, tokens)| tokens);
            let tokens = behind(&loaded.model.prompt_ids(), tokens);
            let (seeds, training) = (Seeds::new(spec.seed), attachment::frozen(training, data.attachment.as_ref()));
            let mut batches = Epochs::new(&tokens, &training, seeds)?;
            let trainer = Trainer::new(&training, *steps, seeds);
            let mut fine_tune = FineTune { folder: &folder, model: &loaded.model, trainer, batches: &mut batches };
            if let Some(step) = fine_tune.restore(existing, &info)? {
                truncate_after(folder.file(ROWS), step)?;
                truncate_after(folder.file(TARGET_ROWS), step)?;
            }
            folder.write_spec(spec)?;
            folder.write_run(&info)?;
            let mut probes = Probes::open(spec, &folder, &data, "standard")?;
            let result = fine_tune.go(*steps, &probe_steps(*steps, *probe_every), &mut probes, events);
            (probes.rows, result, 0)
        }
        Source::Checkpoints { dir, strict } => {
            let found = match checkpoints::list(dir, &spec.model) {
                Ok(found) => found,
                Err(error) => {
                    folder.abandon();
                    return Err(error);
                }
            };
            found.warnings.iter().for_each(|warning| events.warn(warning));
            let series = found.hashes()?;
            info.signature = signature(spec, &data, &loaded.info, &series)?;
            info.model.iter_mut().for_each(|model| model.files.extend(series.iter().cloned()));
            if existing == Existing::Resume && folder.file(RUN).is_file() {
                fine_tune::refuse_other_files(&folder, &info)?;
                drop_torn_probe(&folder, data.evaluations.iter().chain([&data.target]))?;
            } else {
                folder.clear()?;
            }
            folder.write_spec(spec)?;
            folder.write_run(&info)?;
            drop(loaded);
            let mut probes = Probes::open(spec, &folder, &data, "checkpoints")?;
            let mut skipped = found.skipped;
            let mut base = Base::new(&spec.model, data.attachment.as_ref());
            let result = checkpoints::measure(&found, &mut base, &mut probes, &mut skipped, events);
            let result = result.and_then(|()| checkpoints::refuse_skipped(dir, *strict, skipped));
            (probes.rows, result, skipped)
        }
    };
    let signature = info.signature.clone();
    let files = finish(&folder, &rows, spec.onset, info, result)?;
    outcome(spec, &folder, files, signature, &rows, skipped)
}

/// The rows of a run.
struct Rows {
    labels: Vec<LabelRatioRow>,
    targets: Vec<TargetRow>,
}

impl Rows {
    fn read(folder: &RunFolder) -> Result<Self> {
        Ok(Self { labels: read_rows(folder.file(ROWS))?.rows, targets: read_rows(folder.file(TARGET_ROWS))?.rows })
    }

    /// Whether there are rows of exactly this step.
    fn measured(&self, step: u64) -> bool {
        self.labels.iter().any(|row| row.step == step)
    }
}

/// The probes of a run under way.
struct Probes<'a> {
    spec: &'a LabelRatio,
    folder: &'a RunFolder,
    data: &'a Data,
    method: &'static str,
    label_file: RowsFile,
    target_file: RowsFile,
    rows: Rows,
}

impl<'a> Probes<'a> {
    fn open(spec: &'a LabelRatio, folder: &'a RunFolder, data: &'a Data, method: &'static str) -> Result<Self> {
        let label_file = RowsFile::open(folder.file(ROWS))?;
        let target_file = RowsFile::open(folder.file(TARGET_ROWS))?;
        Ok(Self { spec, folder, data, method, label_file, target_file, rows: Rows::read(folder)? })
    }
}

impl Measuring for Probes<'_> {
    fn measured(&self, step: u64) -> bool {
        self.rows.measured(step)
    }

    fn fits(&self, model: &T5) -> Result<()> {
        self.data.tokenizer.check_vocab(model.config().shape.vocab_size)
    }
}

impl Probing for Probes<'_> {
    fn units(&self) -> u64 {
        self.data.evaluations.iter().chain([&self.data.target]).map(asking::ticks).sum()
    }

    fn has(&self, step: u64) -> bool {
        self.rows.labels.last().is_some_and(|row| row.step >= step)
    }

    fn probe(&mut self, model: &T5, step: u64, tick: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        let place = Place {
            target: self.data.target.task.name().to_string(),
            method: self.method.to_string(),
            seed: self.spec.seed,
            step,
        };
        let (target, mut rows) = target::target(model, self.data, self.spec, &place, tick)?;
        if !target.loss.is_finite() {
            return Err(Error::check(format!("the target's loss at step {step} is {}", target.loss))
                .next("look at the weights; the rows so far are complete"));
        }
        let prefix = model.prompt_ids();
        for asked in &self.data.evaluations {
            let (more, answers) = target::examiner(self.data, self.spec, &prefix).ask(model, asked, &place, tick)?;
            rows.extend(more);
            self.folder
                .write_atomic(&files::output(step, asked.task.name(), asked.shots as u64), &json_lines(answers)?)?;
        }
        // The target's row first: a probe counts as measured once its label rows are there.
        let targets = [target];
        self.target_file.append(&targets)?;
        self.label_file.append(&rows)?;
        self.rows.targets.extend(targets);
        self.rows.labels.extend(rows);
        self.folder.write_atomic(LABEL_RATIO, &to_csv(&self.rows.labels)?)?;
        self.folder.write_atomic(TARGET, &to_csv(&self.rows.targets)?).map(drop)
    }
}

/// Drops the rows of a last probe that a kill left incomplete.
fn drop_torn_probe<'a>(folder: &RunFolder, all: impl Iterator<Item = &'a Asked>) -> Result<()> {
    if !folder.file(ROWS).is_file() {
        return Ok(());
    }
    let expected: usize = all.map(|asked| asked.metrics.len()).sum();
    let rows: Vec<LabelRatioRow> = read_rows(folder.file(ROWS))?.rows;
    let whole = |step: u64| rows.iter().filter(|row| row.step == step).count() == expected;
    let last = rows.iter().map(|row| row.step).filter(|&step| whole(step)).max();
    for name in [ROWS, TARGET_ROWS] {
        match last {
            Some(step) => drop(truncate_after(folder.file(name), step)?),
            None => drop(folder.write_atomic(name, b"")?),
        }
    }
    Ok(())
}

/// Writes tables and figures of the rows there are; the error of the run itself comes first.
fn finish(folder: &RunFolder, rows: &Rows, onset: f64, info: RunInfo, result: Result<()>) -> Result<Vec<PathBuf>> {
    let info = info.end(fine_tune::status_of(&result));
    let write = || -> Result<Vec<PathBuf>> {
        let files = written(folder, rows, onset)?;
        // Last: a run that says it is finished has everything.
        folder.write_run(&info)?;
        if result.is_ok() {
            Checkpoint::remove_all(folder.path())?;
        }
        Ok(files)
    };
    let written = write();
    result.and(written)
}

/// Writes tables and figures; returns every file of the run.
fn written(folder: &RunFolder, rows: &Rows, onset: f64) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = [SPEC, RUN, ROWS, TARGET_ROWS].map(|name| folder.file(name)).into();
    if !rows.labels.is_empty() {
        files.push(folder.write_atomic(LABEL_RATIO, &to_csv(&rows.labels)?)?);
        files.push(folder.write_atomic(TARGET, &to_csv(&rows.targets)?)?);
        files.extend(draw(folder, &rows.labels, &rows.targets, Some(onset))?);
    }
    Ok(files)
}

/// Draws the figures into `folder`, as SVG and PNG. The target's own rows are the other axis, not a line.
fn draw(folder: &RunFolder, rows: &[LabelRatioRow], targets: &[TargetRow], onset: Option<f64>) -> Result<Vec<PathBuf>> {
    let off_task: Vec<LabelRatioRow> = rows.iter().filter(|row| is_off_task(row)).cloned().collect();
    figures::write(folder, plot::label_ratio(&off_task, targets, onset)?)
}

fn is_off_task(row: &LabelRatioRow) -> bool {
    row.task != row.target || row.shots > 0
}

/// Draws the figures of the run in `folder` from its rows.
pub(super) fn redraw(folder: &RunFolder) -> Result<Vec<PathBuf>> {
    let rows = Rows::read(folder)?;
    let onset = folder.read_spec::<LabelRatio>().ok().map(|spec| spec.onset);
    draw(folder, &rows.labels, &rows.targets, onset)
}

fn outcome(
    spec: &LabelRatio,
    folder: &RunFolder,
    files: Vec<PathBuf>,
    signature: String,
    rows: &Rows,
    skipped: usize,
) -> Result<Outcome> {
    let off_task: Vec<LabelRatioRow> = rows.labels.iter().filter(|row| is_off_task(row)).cloned().collect();
    let (table, onsets) = match off_task.is_empty() {
        true => (String::new(), Vec::new()),
        false => {
            let view = LabelView::new(&off_task, &rows.targets)?;
            let onsets = view
                .evaluations()
                .iter()
                .map(|evaluation| {
                    let found = onset::onset(view.probes(evaluation), spec.onset);
                    Onset {
                        task: evaluation.task.to_string(),
                        shots: evaluation.shots,
                        label: found.label,
                        halved: found.halved,
                    }
                })
                .collect();
            (summary::label_ratio(&off_task, &rows.targets, spec.onset)?, onsets)
        }
    };
    let out = folder.path().to_path_buf();
    let note = model_folder::note(&spec.model);
    let table = summary::with_note(table, note);
    Ok(Outcome { out, files, signature, note, rows: rows.labels.len(), table, onsets, skipped })
}
