//! One method, or the last stage of one: the run whose rows all lie in its folder.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use super::methods::clear_parts;
use super::{Outcome, Plan, Summary};
use crate::error::Result;
use crate::experiment::checkpoints;
use crate::experiment::compare::{PlannedMethod, PlannedStage};
use crate::experiment::estimate::{self, LIMIT_S, Time, seconds_of};
use crate::experiment::fetch;
use crate::experiment::fine_tune::{self, FineTune, Probing};
use crate::experiment::probe;
use crate::experiment::redraw::draw;
use crate::experiment::setup::{Data, Loaded, load_model, signature};
use crate::experiment::{Events, Existing};
use crate::model::memory::{self, AtOnce};
use crate::model::{self, Inspection, T5};
use crate::model_folder;
use crate::report::csv::to_csv;
use crate::report::folder::{GRADIENT_ALIGN, ROWS, RUN, SPEC};
use crate::report::rows_file::{read_rows, truncate_after};
use crate::report::run_info::{ModelInfo, RunInfo};
use crate::report::view::WITHOUT_EMBEDDINGS;
use crate::report::{GradientAlignRow, RowsFile, RunFolder, Scope, summary};
use crate::spec::{GradientAlign, Seeds};
use crate::train::{Checkpoint, Trainer};

/// As [`super::run`], of one method.
pub fn run(spec: &GradientAlign, existing: Existing, command: &[String], events: &mut dyn Events) -> Result<Outcome> {
    let folder = fine_tune::open_folder(&spec.out, spec, existing)?;
    if let Some(info) = fine_tune::finished(&folder, existing, events)? {
        let rows = read_rows::<GradientAlignRow>(folder.file(ROWS))?.rows;
        let files = written(&folder, &rows)?;
        return outcome(spec, &folder, files, info.signature, &rows, None);
    }
    let prepared = Data::load(spec).and_then(|data| Ok((data, load_model(&spec.model, Some(&spec.training))?)));
    let attached = prepared.and_then(|(data, loaded)| {
        let model = data.attach(loaded.model, Seeds::new(spec.seed))?;
        let last = data.training(spec)?;
        Ok((data, Loaded { model, ..loaded }, last))
    });
    let (data, loaded, last) = match attached {
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
    model.files.extend(data.adapter_files.iter().cloned());
    info.model = Some(model);
    info.adapters = fetch::adapters(&fetch::of_gradient_align(spec));
    info.data = data.info();
    let seeds = Seeds::new(spec.seed);
    let mut batches = data.inputs(&last.training, seeds)?;
    let trainer = Trainer::new(&last.training, last.steps, seeds);
    let mut fine_tune = FineTune { folder: &folder, model: &loaded.model, trainer, batches: &mut batches };
    if let Some(step) = fine_tune.restore(existing, &info)? {
        truncate_after(folder.file(ROWS), step)?;
    }
    if existing == Existing::Overwrite {
        clear_parts(&folder)?;
    }
    folder.write_spec(spec)?;
    folder.write_run(&info)?;
    let mut probes = Probes::open(spec, &folder, &data)?;
    let result = fine_tune.go(last.steps, &spec.probe_steps()?, &mut probes, events);
    let signature = info.signature.clone();
    let files = finish(&folder, &probes.rows, info, result)?;
    outcome(spec, &folder, files, signature, &probes.rows, None)
}

/// The probes of a run under way.
pub(super) struct Probes<'a, D> {
    spec: &'a GradientAlign,
    folder: &'a RunFolder,
    pub data: D,
    file: RowsFile,
    pub rows: Vec<GradientAlignRow>,
}

impl<'a, D: Borrow<Data>> Probes<'a, D> {
    /// Goes on behind the rows that there are.
    pub fn open(spec: &'a GradientAlign, folder: &'a RunFolder, data: D) -> Result<Self> {
        let path = folder.file(ROWS);
        Ok(Self { spec, folder, data, file: RowsFile::open(&path)?, rows: read_rows(&path)?.rows })
    }
}

impl<D: Borrow<Data>> Probing for Probes<'_, D> {
    fn units(&self) -> u64 {
        self.data.borrow().probes.len() as u64
    }

    fn has(&self, step: u64) -> bool {
        self.rows.last().is_some_and(|row| row.step >= step)
    }

    fn probe(&mut self, model: &T5, step: u64, tick: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        let (data, mut grams) = (self.data.borrow(), Vec::new());
        for number in 0..data.probes.len() {
            tick(&format!("probe batch {} of {}", number + 1, data.probes.len()))?;
            grams.push(probe::measure(model, data, self.spec, number, step)?);
        }
        let rows = probe::rows(model, data, self.spec, step, &grams)?;
        self.file.append(&rows)?;
        self.rows.extend(rows);
        self.folder.write_atomic(GRADIENT_ALIGN, &to_csv(&self.rows)?).map(drop)
    }
}

/// Writes tables and figures of the rows there are; the error of the run itself comes first.
pub(super) fn finish(
    folder: &RunFolder,
    rows: &[GradientAlignRow],
    info: RunInfo,
    result: Result<()>,
) -> Result<Vec<PathBuf>> {
    let info = info.end(fine_tune::status_of(&result));
    let write = || -> Result<Vec<PathBuf>> {
        let files = written(folder, rows)?;
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

pub(super) fn outcome(
    spec: &GradientAlign,
    folder: &RunFolder,
    files: Vec<PathBuf>,
    signature: String,
    rows: &[GradientAlignRow],
    skipped: Option<usize>,
) -> Result<Outcome> {
    let note = model_folder::note(&spec.model);
    Ok(Outcome {
        out: folder.path().to_path_buf(),
        files,
        signature,
        rows: rows.len(),
        table: summary::with_note(summary::gradient_align(rows)?, note),
        note,
        skipped,
        summary: summarise(rows),
    })
}

/// Writes the table and the figures of `rows`; returns every file of the run.
pub(super) fn written(folder: &RunFolder, rows: &[GradientAlignRow]) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = [SPEC, RUN, ROWS].map(|name| folder.file(name)).into();
    if !rows.is_empty() {
        files.push(folder.write_atomic(GRADIENT_ALIGN, &to_csv(rows)?)?);
        files.extend(draw(folder, rows)?);
    }
    Ok(files)
}

/// As [`super::plan`], of one method.
pub fn plan(spec: &GradientAlign) -> Result<Plan> {
    plan_within(spec, LIMIT_S)
}

/// As [`plan`], with this many seconds for each measurement, about.
pub fn plan_within(spec: &GradientAlign, limit_s: f64) -> Result<Plan> {
    let data = Data::load(spec)?;
    let Inspection { names, params, warnings } = model::inspect(&spec.model)?;
    spec.training.check_trainable(names.iter().map(String::as_str))?;
    let last = data.training(spec)?;
    let batch = last.training.batch_size;
    let tokens = data.source_tokens(batch);
    let losses = data.losses.count();
    let model = ModelInfo { path: spec.model.clone(), files: Vec::new(), params, note: None, commit: None };
    let at_once = AtOnce { source_tokens: tokens, examples: batch, losses, ..AtOnce::default() };
    let memory_mib = memory::estimate_mib(&data.config, params, at_once, &last.training);
    let mut warnings: Vec<String> = data.warnings.iter().cloned().chain(warnings).collect();
    let found = spec.checkpoints.as_deref().map(|dir| checkpoints::list(dir, &spec.model)).transpose()?;
    warnings.extend(found.iter().flat_map(|found| found.warnings.iter().cloned()));
    let probe_steps = found.map_or_else(|| spec.probe_steps(), |found| Ok(found.steps()))?;
    let probes = probe_steps.len() as u64;
    let time = estimate::if_it_fits(memory_mib, &mut warnings, || time(spec, &data, probes, limit_s))?;
    let stage = |method: &crate::spec::Method| {
        let stage = method.stages().last().map(|stage| PlannedStage {
            stage: stage.name,
            steps: last.steps,
            examples: last.steps.saturating_mul(batch as u64),
        });
        PlannedMethod { method: method.name(), stages: stage.into_iter().collect() }
    };
    Ok(Plan {
        methods: spec.method.iter().map(stage).collect(),
        steps: last.steps,
        probe_steps,
        train_examples: data.train.len(),
        params,
        losses,
        memory_mib,
        time,
        signature: signature(spec, &data, &model, &[])?,
        warnings,
    })
}

/// How long the run with so many `probes` will take.
fn time(spec: &GradientAlign, data: &Data, probes: u64, limit_s: f64) -> Result<Time> {
    let seeds = Seeds::new(spec.seed);
    let model = data.attach(model::load(&spec.model)?.0, seeds)?;
    let mut grams = BTreeMap::new();
    let batch = seconds_of(data.probes.first().map_or(0, Vec::len), 1, limit_s, |size| {
        let whole = data.part_of_probe(0, size)?;
        let begun = Instant::now();
        grams = probe::measure_whole(&model, &whole, spec, 0)?;
        Ok(begun.elapsed().as_secs_f64())
    })?;
    let batches = data.probes.len();
    let begun = Instant::now();
    probe::rows(&model, data, spec, 0, &vec![grams; batches])?;
    let rows = begun.elapsed().as_secs_f64();
    let of_probes = ("probes".to_string(), probes, batch * batches as f64 + rows);
    if spec.checkpoints.is_some() {
        return Ok(Time::of([of_probes]));
    }
    let last = data.training(spec)?;
    let step =
        estimate::step_s(&model, &last.training, 1, limit_s, |training| Ok(Box::new(data.inputs(training, seeds)?)))?;
    Ok(Time::of([("training steps".to_string(), last.steps, step), of_probes]))
}

/// `model_without_embeddings` at the first and the last probe.
pub fn summarise(rows: &[GradientAlignRow]) -> Vec<Summary> {
    let ends = [rows.first(), rows.last()].map(|row| row.map(|row| row.step));
    rows.iter()
        .filter(|row| row.scope == Scope::Model && row.name == WITHOUT_EMBEDDINGS && ends.contains(&Some(row.step)))
        .map(|row| Summary {
            method: None,
            step: row.step,
            estimator: row.estimator.clone(),
            cosine: row.cosine,
            cosine_lo: row.cosine_lo,
            cosine_hi: row.cosine_hi,
        })
        .collect()
}
