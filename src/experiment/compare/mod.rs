//! `fsa compare`: train methods on a target task, keep each one's best checkpoint, and ask it the target and other tasks.
//!
//! Everything has a folder of its own in the run's: a stage in `runs/TARGET-seedN/stages/…`, where methods that begin alike share
//! it, and what a method has come to in `runs/TARGET-seedN/evaluated/METHOD`. What is done is never done again.

mod attach;
mod data;
mod earlier;
mod evaluation;
mod examples;
mod folders;
mod inputs;
mod jobs;
mod kept;
mod means;
mod outcome;
mod pairs;
mod part;
mod plan;
mod stage;
mod time;
mod work;
mod worker;

use std::path::Path;

use self::data::{Base, Target};
use self::folders::{EVALUATED, RUNS, STAGES};
use self::work::Work;
use super::fine_tune;
use super::setup::{Loaded, load_model};
use super::{Events, Existing};
use crate::error::{Error, Result};
use crate::experiment::fetch;
use crate::model::given::other_bases;
use crate::report::RunFolder;
use crate::report::files::{RUN, SPEC};
use crate::report::run_info::{RunInfo, Status};
use crate::spec::method::Method;
use crate::spec::{Compare, Seeds};

pub(super) use self::attach::{New, attach};
pub(super) use self::earlier::Earlier;
pub(super) use self::examples::side_by_side;
pub(super) use self::inputs::{Examples, Inputs, behind_shot};
pub use self::jobs::Jobs;
pub use self::outcome::Outcome;
pub(super) use self::outcome::{is_run, prompt_file, prompt_signature, redraw, rows};
pub(super) use self::part::Part;
pub(super) use self::plan::budget;
pub use self::plan::{Plan, PlannedMethod, PlannedStage, plan};
pub use self::worker::{Order, Said, spec_in, work_on};

/// Trains and asks, in `jobs` processes. `command` is recorded in `run.json`.
///
/// # Errors
/// Of [`crate::Kind::Input`] if it could not run, `Check` if a number is not finite, `Interrupted` if the user stopped it: what is
/// done then stays, and a resumed run goes on from there.
pub fn run(
    spec: &Compare,
    existing: Existing,
    jobs: &Jobs,
    command: &[String],
    events: &mut dyn Events,
) -> Result<Outcome> {
    spec.validate()?;
    let extended = existing == Existing::Resume && extend(spec)?;
    let folder = fine_tune::open_folder(&spec.out, spec, existing)?;
    if !extended && let Some(info) = fine_tune::finished(&folder, existing, events)? {
        return outcome::of(spec, &folder, info.signature);
    }
    let mut warnings = other_bases(spec.adapter.as_deref(), &spec.model);
    let prepared = Base::load(spec).and_then(|base| {
        let targets = load_targets(spec, &base, &mut warnings)?;
        let loaded = load_model(&spec.model, None)?;
        let loaded = Loaded { model: base.merged(loaded.model)?, ..loaded };
        // What cannot be attached is found before anything is trained or written.
        for stage in spec.methods.iter().filter_map(|method| method.stages().first()) {
            for target in targets.iter().flatten() {
                let new = target.attachments(spec, &base);
                attach::attach(&loaded.model, stage.attached, new, Seeds::new(target.seed))?;
            }
        }
        Ok((targets, loaded, base))
    });
    let (targets, loaded, base) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            folder.abandon();
            return Err(error);
        }
    };
    warnings.iter().chain(&loaded.warnings).for_each(|warning| events.warn(warning));
    let mut info = fine_tune::run_info(spec.seed, spec.threads, command);
    info.signature = outcome::signature(spec, &targets, &loaded.info)?;
    let mut files = loaded.info.clone();
    files.files.extend(base.attachment.iter().flat_map(|attachment| attachment.files.iter().cloned()));
    files.files.extend(prompt_file(&spec.prompt)?);
    info.model = Some(files);
    info.adapters = fetch::adapters(&fetch::of_compare(spec));
    info.data = outcome::data_info(&targets);
    let memory_mib = plan::memory_mib(spec, &base, &targets, info.model.as_ref().map_or(0, |model| model.params));
    drop(loaded);
    match existing == Existing::Resume && folder.file(RUN).is_file() {
        true => fine_tune::refuse_other_files(&folder, &info)?,
        false => clear(&folder)?,
    }
    folder.write_spec(spec)?;
    folder.write_run(&info)?;
    let result = Work::new(spec, &base, &targets).and_then(|work| {
        events.begin(work.units(), work.units_done());
        match jobs.at_once(memory_mib, work.left(), events) {
            1 => work.everything(events),
            several => jobs::everything(&work, several, jobs, events),
        }
    });
    let signature = info.signature.clone();
    let info = info.end(fine_tune::status_of(&result));
    // Tables of what there is, also where it was stopped; the run's own error comes first.
    let written = outcome::write(spec, &folder, &signature);
    let status = if written.is_ok() { info.status } else { Status::Failed };
    let finished = folder.write_run(&RunInfo { status, ..info });
    result.and(written).and(finished.map(drop))?;
    outcome::of(spec, &folder, signature)
}

/// Whether the run in the folder differs from `spec` in its methods and in how many seeds it has alone: nothing that is there changes
/// by that, so that it becomes this run.
fn extend(spec: &Compare) -> Result<bool> {
    if !spec.out.join(SPEC).is_file() {
        return Ok(false);
    }
    let folder = RunFolder::open(&spec.out)?;
    let there: Compare = folder.read_spec()?;
    let here = Compare { methods: there.methods.clone(), seeds: there.seeds, out: there.out.clone(), ..spec.clone() };
    let extended = here == there && (there.methods != spec.methods || there.seeds != spec.seeds);
    if extended {
        folder.write_spec(spec)?;
    }
    Ok(extended)
}

/// Removes what an earlier run left, and nothing else.
fn clear(folder: &RunFolder) -> Result<()> {
    let within = |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let runs = folder.file(RUNS);
    for run in within(&runs) {
        for ours in [STAGES, EVALUATED].map(|name| run.join(name)).into_iter().filter(|ours| ours.is_dir()) {
            std::fs::remove_dir_all(&ours).map_err(|error| Error::io("remove", &ours, error).flag("--force"))?;
        }
        // Succeeds only on an empty folder.
        let _ = std::fs::remove_dir(run);
    }
    let _ = std::fs::remove_dir(runs);
    folder.clear()
}

/// Every target under every seed: targets of one seed are adjacent.
fn load_targets(spec: &Compare, base: &Base, warnings: &mut Vec<String>) -> Result<Vec<Vec<Target>>> {
    let seeds: Vec<u64> = spec.root_seeds().collect();
    let of_seed = |seed: &u64| {
        let target = |name: &String| Target::load(spec, base, name, *seed, warnings);
        spec.target.iter().map(target).collect::<Result<Vec<_>>>()
    };
    let mut all = seeds.iter().map(of_seed).collect::<Result<Vec<_>>>()?;
    warnings.dedup();
    for targets in &mut all {
        for i in 1..targets.len() {
            if targets[..i].iter().any(|other| other.name == targets[i].name) {
                return Err(Error::input(format!("two targets have the name `{}`", targets[i].name))
                    .flag("--target")
                    .next("give each task a name of its own"));
            }
        }
    }
    Ok(all)
}

/// Every method to be run: the pretrained model is always asked, since tables compare with it.
fn methods(spec: &Compare) -> Result<Vec<Method>> {
    let pretrained = Method::named("pretrained")?;
    let mut all = vec![pretrained];
    all.extend(spec.methods.iter().filter(|method| **method != pretrained));
    Ok(all)
}
