//! Checkpoints that another trainer left: fsa fine-tunes nothing, and probes each.

use std::path::Path;

use super::Outcome;
use super::methods::clear_parts;
use super::one::{Probes, finish, outcome, written};
use crate::error::Result;
use crate::experiment::checkpoints::{self, Base, Measuring};
use crate::experiment::fine_tune::{self, Probing};
use crate::experiment::setup::{Data, load_model, signature};
use crate::experiment::{Events, Existing, fetch};
use crate::model::T5;
use crate::report::folder::{ROWS, RUN};
use crate::report::rows_file::{read_rows, truncate_after};
use crate::report::{GradientAlignRow, RunFolder};
use crate::spec::GradientAlign;

/// As [`super::run`], of the checkpoints in `dir`.
pub fn run(
    spec: &GradientAlign,
    dir: &Path,
    existing: Existing,
    command: &[String],
    events: &mut dyn Events,
) -> Result<Outcome> {
    let folder = fine_tune::open_folder(&spec.out, spec, existing)?;
    if let Some(info) = fine_tune::finished(&folder, existing, events)? {
        let rows = read_rows::<GradientAlignRow>(folder.file(ROWS))?.rows;
        let files = written(&folder, &rows)?;
        // The folder may be gone by now.
        let left_out =
            checkpoints::list(dir, &spec.model).map_or(0, |found| found.left_out(|step| measured(&rows, step)));
        return outcome(spec, &folder, files, info.signature, &rows, Some(left_out));
    }
    let prepared = Data::load(spec).and_then(|data| {
        let (found, loaded) = (checkpoints::list(dir, &spec.model)?, load_model(&spec.model, None)?);
        let series = found.hashes()?;
        Ok((data, found, loaded, series))
    });
    let (data, found, loaded, series) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            folder.abandon();
            return Err(error);
        }
    };
    data.warnings.iter().chain(&loaded.warnings).chain(&found.warnings).for_each(|warning| events.warn(warning));
    let mut info = fine_tune::run_info(spec.seed, spec.threads, command);
    info.signature = signature(spec, &data, &loaded.info, &series)?;
    let mut model = loaded.info;
    model.files.extend(data.adapter_files.iter().chain(&series).cloned());
    info.model = Some(model);
    info.adapters = fetch::adapters(&fetch::of_gradient_align(spec));
    info.data = data.info();
    // Of a series of adapters the base is loaded again, once.
    drop(loaded.model);
    if existing == Existing::Resume && folder.file(RUN).is_file() {
        fine_tune::refuse_other_files(&folder, &info)?;
        drop_last_probe(&folder)?;
    } else {
        clear_parts(&folder)?;
        folder.clear()?;
    }
    folder.write_spec(spec)?;
    folder.write_run(&info)?;
    let attachment = data.attachment.clone();
    let mut base = Base::new(&spec.model, attachment.as_ref());
    let mut probes = Series(Probes::open(spec, &folder, data)?);
    let mut skipped = found.skipped;
    let result = checkpoints::measure(&found, &mut base, &mut probes, &mut skipped, events);
    let result = result.and_then(|()| checkpoints::refuse_skipped(dir, spec.strict, skipped));
    let (signature, rows) = (info.signature.clone(), probes.0.rows);
    let files = finish(&folder, &rows, info, result)?;
    outcome(spec, &folder, files, signature, &rows, Some(skipped))
}

fn measured(rows: &[GradientAlignRow], step: u64) -> bool {
    rows.iter().any(|row| row.step == step)
}

/// Drops the rows of the last probe, which a kill may have left incomplete: checkpoints may be of models with more layers or with
/// fewer, so that nothing says how many rows there should be.
fn drop_last_probe(folder: &RunFolder) -> Result<()> {
    if !folder.file(ROWS).is_file() {
        return Ok(());
    }
    let rows: Vec<GradientAlignRow> = read_rows(folder.file(ROWS))?.rows;
    let last = rows.last().map(|row| row.step);
    match rows.iter().map(|row| row.step).filter(|&step| Some(step) < last).max() {
        Some(step) => truncate_after(folder.file(ROWS), step).map(drop),
        None => folder.write_atomic(ROWS, b"").map(drop),
    }
}

/// The probes of a series. A soft prompt among the checkpoints stands before everything that is probed of it.
struct Series<'a>(Probes<'a, Data>);

impl Measuring for Series<'_> {
    fn measured(&self, step: u64) -> bool {
        measured(&self.0.rows, step)
    }

    fn fits(&self, model: &T5) -> Result<()> {
        self.0.data.fits(model)
    }
}

impl Probing for Series<'_> {
    fn units(&self) -> u64 {
        self.0.units()
    }

    fn has(&self, step: u64) -> bool {
        self.0.has(step)
    }

    fn probe(&mut self, model: &T5, step: u64, tick: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        self.0.data.stand_behind(model.prompt_ids());
        self.0.probe(model, step, tick)
    }
}
