//! Several methods, or one with stages before its last: each method's last stage is a run of its own in a sub-folder, behind what the
//! stages before it have trained in [`EARLIER`]; a table and a figure have them beside each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::together::{outcome, rows, write};
use super::{Outcome, one};
use crate::error::{Error, Result};
use crate::experiment::compare::{Earlier, Part, prompt_file, prompt_signature};
use crate::experiment::fetch;
use crate::experiment::fine_tune;
use crate::experiment::setup::{self, Data, load_model};
use crate::experiment::{Events, Existing};
use crate::model::T5;
use crate::report::RunFolder;
use crate::report::files::{RUN, SPEC};
use crate::report::run_info::{DataInfo, ModelInfo, RunInfo, Status};
use crate::spec::align_methods::{self, EARLIER, Stages, trained};
use crate::spec::compare::StageTraining;
use crate::spec::method::{Attached, Budget, Method};
use crate::spec::{Estimand, GradientAlign, ProbeSplit, Seeds};
use crate::train::Checkpoint;

/// As [`super::run`], of every method in its sub-folder.
pub fn run(spec: &GradientAlign, existing: Existing, command: &[String], events: &mut dyn Events) -> Result<Outcome> {
    spec.validate()?;
    let folder = fine_tune::open_folder(&spec.out, spec, existing)?;
    if let Some(info) = fine_tune::finished(&folder, existing, events)? {
        write(&folder, &rows(spec)?)?;
        return outcome(spec, &folder, info.signature);
    }
    let prepared = match Prepared::load(spec) {
        Ok(prepared) => prepared,
        Err(error) => {
            folder.abandon();
            return Err(error);
        }
    };
    prepared.warnings.iter().for_each(|warning| events.warn(warning));
    let mut info = fine_tune::run_info(spec.seed, spec.threads, command);
    info.signature = prepared.signature.clone();
    info.model = Some(prepared.model.clone());
    info.adapters = fetch::adapters(&fetch::of_gradient_align(spec));
    info.data = prepared.data.clone();
    match existing == Existing::Resume && folder.file(RUN).is_file() {
        true => fine_tune::refuse_other_files(&folder, &info)?,
        false => clear(&folder)?,
    }
    folder.write_spec(spec)?;
    folder.write_run(&info)?;
    let result = everything(spec, &prepared, command, events);
    let info = info.end(fine_tune::status_of(&result));
    // Of what there is, also where it was stopped; the run's own error comes first.
    let written = rows(spec).and_then(|rows| write(&folder, &rows));
    let status = if written.is_ok() { info.status } else { Status::Failed };
    let finished = folder.write_run(&RunInfo { status, ..info });
    result.and(written).and(finished.map(drop))?;
    outcome(spec, &folder, prepared.signature)
}

/// What is found before anything is trained or written.
pub(super) struct Prepared {
    pub earlier: Option<Earlier>,
    model: ModelInfo,
    data: Vec<DataInfo>,
    pub signature: String,
    pub warnings: BTreeSet<String>,
}

impl Prepared {
    pub fn load(spec: &GradientAlign) -> Result<Self> {
        let plain = plain(spec);
        let data = Data::load(&plain)?;
        let earlier = spec.earlier()?.map(Earlier::load).transpose()?;
        let loaded = load_model(&spec.model, Some(&spec.training))?;
        let mut warnings: BTreeSet<String> = data.warnings.iter().chain(&loaded.warnings).cloned().collect();
        for method in &spec.method {
            attached(&spec.run_of(method, None), &loaded.model)?;
        }
        let mut infos = data.info();
        for info in earlier.iter().flat_map(Earlier::info) {
            if infos.iter().all(|known| known.path != info.path) {
                infos.push(info);
            }
        }
        warnings.extend(earlier.iter().flat_map(|earlier| earlier.warnings.iter().cloned()));
        let signature = signature(spec, &plain, &data, &loaded.info, &infos)?;
        let mut model = loaded.info;
        if let Some(stages) = &spec.stages {
            model.files.extend(prompt_file(&stages.prompt)?);
        }
        Ok(Self { earlier, model, data: infos, signature, warnings })
    }
}

/// Checks that the run of `spec` can be prepared: what cannot be attached is found here.
fn attached(spec: &GradientAlign, model: &T5) -> Result<()> {
    Data::load(spec)?.attach(model.bare()?, Seeds::new(spec.seed)).map(drop)
}

/// Standard fine-tuning with the options of `spec`, whatever its methods are.
fn plain(spec: &GradientAlign) -> GradientAlign {
    let dev = spec.dev.clone().filter(|_| spec.probe_split == ProbeSplit::Validation);
    GradientAlign { method: Vec::new(), stages: None, dev, ..spec.clone() }
}

/// One line that goes with every number of the run: that of standard fine-tuning, the methods, and what their stages take.
fn signature(
    spec: &GradientAlign,
    plain: &GradientAlign,
    data: &Data,
    model: &ModelInfo,
    infos: &[DataInfo],
) -> Result<String> {
    let names: Vec<String> = spec.method.iter().map(Method::name).collect();
    let mut parts = vec![setup::signature(plain, data, model, &[])?, format!("methods:{}", names.join("+"))];
    let any = |wanted: &dyn Fn(Attached, Budget) -> bool| {
        let stages = spec.method.iter().flat_map(|method| trained(method, false));
        stages.into_iter().any(|(stage, _)| wanted(stage.attached, stage.budget))
    };
    let Some(Stages { prompt, lora, choose, prompt_stage, lora_stage }) = &spec.stages else {
        return Ok(parts.join("|"));
    };
    let stage = |name: &str, stage: &StageTraining| {
        format!("{name}:{}", stage.training.signature(&format!("{}/{}", stage.steps, stage.probe_every)))
    };
    if any(&|attached, _| matches!(attached, Attached::Prompt | Attached::RandomPrompt)) {
        parts.push(prompt_signature(prompt)?);
    }
    if any(&|_, budget| matches!(budget, Budget::Prompt | Budget::Long)) {
        parts.push(stage("prompt-stage", prompt_stage));
    }
    if any(&|attached, _| attached == Attached::Lora) {
        parts.push(lora.signature());
        parts.push(stage("lora-stage", lora_stage));
    }
    if spec.method.iter().any(|method| spec.has_earlier(method)) {
        let dev = infos.iter().find(|info| Some(&info.path) == spec.dev.as_ref()).or(infos.last());
        let hash: String = dev.iter().map(|info| info.signature()).collect();
        let limit = choose.limit.map_or_else(|| "none".to_string(), |limit| limit.to_string());
        parts.push(format!("chosen:validation:{hash}:limit:{limit}:{}", choose.decoding.signature()));
    }
    Ok(parts.join("|"))
}

/// Trains and probes all methods that are not done, in order.
fn everything(spec: &GradientAlign, prepared: &Prepared, command: &[String], events: &mut dyn Events) -> Result<()> {
    let units = spec.method.iter().map(|method| Units::of(spec, prepared, method)).collect::<Result<Vec<_>>>()?;
    let is_done = |units: &Units| if units.run_is_done { units.all() } else { units.earlier_done };
    events.begin(units.iter().map(Units::all).sum(), units.iter().map(is_done).sum());
    let mut before = 0;
    for (method, units) in spec.method.iter().zip(&units) {
        let adapter = adapter(spec, prepared, method, before, events)?;
        let run = spec.run_of(method, adapter.as_deref());
        if fine_tune::done(&run.out, &run)?.is_none() {
            let mut part = Part::new(events, before + units.earlier, method.name());
            let mut said = Said { events: &mut part, warnings: &prepared.warnings };
            one::run(&run, Existing::Resume, command, &mut said)?;
        }
        before += units.all();
    }
    Ok(())
}

/// Where what the stages before the last one of `method` have trained lies, after training what is not done of it.
fn adapter(
    spec: &GradientAlign,
    prepared: &Prepared,
    method: &Method,
    before: u64,
    events: &mut dyn Events,
) -> Result<Option<PathBuf>> {
    match &prepared.earlier {
        Some(earlier) if spec.has_earlier(method) => earlier.run(method, before, events).map(Some),
        _ => Ok(None),
    }
}

/// Units of progress of a method.
struct Units {
    earlier: u64,
    earlier_done: u64,
    run: u64,
    run_is_done: bool,
}

impl Units {
    fn of(spec: &GradientAlign, prepared: &Prepared, method: &Method) -> Result<Self> {
        let earlier = prepared.earlier.as_ref().filter(|_| spec.has_earlier(method));
        let (earlier, earlier_done) = earlier.map_or(Ok((0, 0)), |earlier| earlier.units(method))?;
        let run = spec.run_of(method, None);
        let batches = if run.estimand == Estimand::Summed { 1 } else { run.probe_batches as u64 };
        let of_run = run.last_stage()?.steps + run.probe_steps()?.len() as u64 * batches;
        // Its spec is looked at when it is its turn.
        let run_is_done =
            run.out.join(RUN).is_file() && RunFolder::open(&run.out)?.read_run()?.status == Status::Finished;
        Ok(Self { earlier, earlier_done, run: of_run, run_is_done })
    }

    fn all(&self) -> u64 {
        self.earlier + self.run
    }
}

/// Events of a part of the run, without warnings that were given for all of it.
struct Said<'a> {
    events: &'a mut dyn Events,
    warnings: &'a BTreeSet<String>,
}

impl Events for Said<'_> {
    fn begin(&mut self, total: u64, done: u64) {
        self.events.begin(total, done);
    }

    fn found(&mut self, units: u64) {
        self.events.found(units);
    }

    fn advance(&mut self, done: u64, now: &str) {
        self.events.advance(done, now);
    }

    fn warn(&mut self, text: &str) {
        if !self.warnings.contains(text) {
            self.events.warn(text);
        }
    }

    fn interrupted(&self) -> bool {
        self.events.interrupted()
    }
}

/// Removes what earlier runs of any methods left, and nothing else.
fn clear(folder: &RunFolder) -> Result<()> {
    Checkpoint::remove_all(folder.path())?;
    clear_parts(folder)?;
    folder.clear()
}

/// Removes what they left in sub-folders.
pub(super) fn clear_parts(folder: &RunFolder) -> Result<()> {
    Earlier::clear(&folder.file(EARLIER))?;
    for name in align_methods::all() {
        let path = folder.file(&name);
        // A folder of that name without a spec is somebody's own.
        if !path.join(SPEC).is_file() {
            continue;
        }
        let run = RunFolder::open(&path)?;
        Checkpoint::remove_all(&path)?;
        run.clear()?;
        fs::remove_file(run.file(SPEC)).map_err(|error| Error::io("remove", run.file(SPEC), error).flag("--force"))?;
        // Succeeds only on an empty folder.
        let _ = fs::remove_dir(&path);
    }
    Ok(())
}
