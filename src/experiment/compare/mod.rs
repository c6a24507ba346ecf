//! `fsa compare`: train methods on a target task, keep each one's best checkpoint, and ask it the target and other tasks.
//!
//! Everything has a folder of its own in the run's: a stage in `runs/TARGET-seedN/stages/…`, where methods that begin alike share
//! it, and what a method has come to in `runs/TARGET-seedN/evaluated/METHOD`. What is done is never done again.

mod attach;
mod data;
mod evaluation;
mod examples;
mod folders;
mod inputs;
mod kept;
mod means;
mod outcome;
mod pairs;
mod part;
mod plan;
mod stage;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use self::data::{Base, Target};
use self::evaluation::Evaluation;
use self::folders::{EVALUATED, RUNS, STAGES, apart, groups};
use self::means::Means;
use self::part::Part;
use self::stage::Chain;
use super::fine_tune;
use super::setup::load_model;
use super::{Events, Existing};
use crate::error::{Error, Result};
use crate::model::{self, T5, prompt};
use crate::report::files::{RUN, SPEC};
use crate::report::run_info::{RunInfo, Status};
use crate::report::{CompareRow, RunFolder};
use crate::spec::method::{Attached, Method};
use crate::spec::{Compare, Seeds};

pub(super) use self::examples::side_by_side;
pub use self::outcome::Outcome;
pub(super) use self::outcome::{is_run, redraw, rows};
pub(super) use self::plan::budget;
pub use self::plan::{Plan, PlannedMethod, PlannedStage, plan};

/// Trains and asks. `command` is recorded in `run.json`.
///
/// # Errors
/// Of [`crate::Kind::Input`] if it could not run, `Check` if a number is not finite, `Interrupted` if the user stopped it: what is
/// done then stays, and a resumed run goes on from there.
pub fn run(spec: &Compare, existing: Existing, command: &[String], events: &mut dyn Events) -> Result<Outcome> {
    spec.validate()?;
    let extended = existing == Existing::Resume && extend(spec)?;
    let folder = fine_tune::open_folder(&spec.out, spec, existing)?;
    if !extended && let Some(info) = fine_tune::finished(&folder, existing, events)? {
        return outcome::of(spec, &folder, info.signature);
    }
    let mut warnings = Vec::new();
    let prepared = Base::load(&spec.model).and_then(|base| {
        let targets = load_targets(spec, &base, &mut warnings)?;
        let loaded = load_model(&spec.model, None)?;
        // What cannot be attached is found before anything is trained or written.
        for stage in spec.methods.iter().filter_map(|method| method.stages().first()) {
            for target in targets.iter().flatten() {
                attach::attach(&loaded.model, stage.attached, spec, target, &base, Seeds::new(target.seed))?;
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
    files.files.extend(outcome::prompt_file(spec)?);
    info.model = Some(files);
    info.data = outcome::data_info(&targets);
    drop(loaded);
    match existing == Existing::Resume && folder.file(RUN).is_file() {
        true => fine_tune::refuse_other_files(&folder, &info)?,
        false => clear(&folder)?,
    }
    folder.write_spec(spec)?;
    folder.write_run(&info)?;
    let mut work = Work { spec, base: &base, done: 0, counted: BTreeSet::new() };
    events.begin(work.units(&targets)?, 0);
    let result = work.everything(&targets, events);
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

/// The run under way.
struct Work<'a> {
    spec: &'a Compare,
    base: &'a Base,
    /// Units of progress so far.
    done: u64,
    /// Folders of the stages that are counted among them: methods share stages.
    counted: BTreeSet<PathBuf>,
}

impl<'a> Work<'a> {
    /// The chain of `method` up to stage `number` on `targets`.
    fn chain(&self, method: Method, number: usize, targets: &[&'a Target], untouched: Vec<Means>) -> Chain<'a> {
        let attached = method.stages()[number].attached;
        let targets = self.prefixed(attached, targets);
        Chain { spec: self.spec, base: self.base, targets, method, number, untouched }
    }

    fn evaluation(&self, method: Method, targets: &[&'a Target]) -> Evaluation<'a> {
        let targets = self.prefixed(method.attached(), targets);
        Evaluation { spec: self.spec, base: self.base, method, targets }
    }

    /// `targets`, each with the ids of its soft prompt, where there is one.
    fn prefixed(&self, attached: Attached, targets: &[&'a Target]) -> Vec<(&'a Target, Vec<u32>)> {
        let length = self.spec.prompt.length;
        let is_prompt = matches!(attached, Attached::Prompt | Attached::RandomPrompt);
        let ids = |number: usize| match is_prompt {
            true => prompt::virtual_tokens(number * length, length).collect(),
            false => Vec::new(),
        };
        targets.iter().enumerate().map(|(number, target)| (*target, ids(number))).collect()
    }

    /// Units of progress of everything, each stage counted once.
    fn units(&self, all: &'a [Vec<Target>]) -> Result<u64> {
        let mut seen = BTreeSet::new();
        let mut total = 0;
        for targets in all {
            for method in methods(self.spec)? {
                for group in groups(&method, &targets.iter().collect::<Vec<_>>()) {
                    for number in 0..method.stages().len() {
                        for chain in self.chains(method, number, &group, &[]) {
                            if seen.insert(chain.dir()) {
                                total += chain.units();
                            }
                        }
                    }
                    total += self.evaluation(method, &group).units();
                }
            }
        }
        Ok(total)
    }

    /// The chains that stage `number` is made of: several where each target has a soft prompt of its own to be trained.
    fn chains(&self, method: Method, number: usize, group: &[&'a Target], untouched: &[Means]) -> Vec<Chain<'a>> {
        // Means of the model as it came go with their targets.
        let place = |target: &Target| group.iter().position(|other| other.name == target.name);
        let mean = |target: &Target| place(target).and_then(|place| untouched.get(place)).cloned().unwrap_or_default();
        let chain = |group: Vec<&'a Target>| {
            self.chain(method, number, &group, group.iter().map(|target| mean(target)).collect())
        };
        apart(&method.stages()[number], group).into_iter().map(chain).collect()
    }

    fn everything(&mut self, all: &'a [Vec<Target>], events: &mut dyn Events) -> Result<()> {
        for targets in all {
            let mut untouched: Vec<Means> = Vec::new();
            for method in methods(self.spec)? {
                for group in groups(&method, &targets.iter().collect::<Vec<_>>()) {
                    let of_group: Vec<Means> = group
                        .iter()
                        .filter_map(|target| targets.iter().position(|other| other.name == target.name))
                        .filter_map(|place| untouched.get(place).cloned())
                        .collect();
                    let rows = self.method(method, &group, &of_group, events)?;
                    if method.stages().is_empty() {
                        untouched.push(Means::of_rows(&rows, group[0], self.spec));
                    }
                }
            }
        }
        Ok(())
    }

    /// Trains and asks one method on one group of targets.
    fn method(
        &mut self,
        method: Method,
        group: &[&'a Target],
        untouched: &[Means],
        events: &mut dyn Events,
    ) -> Result<Vec<CompareRow>> {
        let evaluation = self.evaluation(method, group);
        let about = |what: &str| {
            let names: Vec<&str> = group.iter().map(|target| target.name.as_str()).collect();
            format!("{} seed {}, {}, {what}", names.join("+"), group[0].seed, method.name())
        };
        if let Some(rows) = evaluation.rows()? {
            for number in 0..method.stages().len() {
                self.chains(method, number, group, &[]).iter().for_each(|chain| self.count(chain));
            }
            self.done += evaluation.units();
            events.advance(self.done, &about("done"));
            return Ok(rows);
        }
        let seeds = Seeds::new(group[0].seed);
        // None: as the model came.
        let mut kept: Vec<kept::Kept> = Vec::new();
        for (number, stage) in method.stages().iter().enumerate() {
            let mut next = Vec::new();
            for chain in self.chains(method, number, group, untouched) {
                if let Some(done) = chain.done()? {
                    next.push(done);
                } else {
                    let begun = match number {
                        0 => attach::attach(&self.load(&[])?, stage.attached, self.spec, group[0], self.base, seeds)?,
                        _ => self.load(&kept)?,
                    };
                    let name = about(&format!("stage {} ({})", number + 1, stage.name));
                    let mut part = Part::new(events, self.done, name);
                    next.push(chain.run(&begun, &mut part)?);
                }
                self.count(&chain);
            }
            kept = next;
        }
        let model = self.load(&kept)?;
        let step = kept.first().map(|kept| kept.step);
        let mut part = Part::new(events, self.done, about("evaluation"));
        let mut ticks = 0;
        let rows = evaluation.run(&model, step, &mut |what| {
            part.advance(ticks, what);
            ticks += 1;
            match part.interrupted() {
                true => Err(Error::interrupted("stopped in an evaluation; all stages so far are complete")
                    .at(&self.spec.out)
                    .next("go on with --resume")),
                false => Ok(()),
            }
        })?;
        self.done += evaluation.units();
        Ok(rows)
    }

    /// Counts a stage that is done.
    fn count(&mut self, chain: &Chain) {
        if self.counted.insert(chain.dir()) {
            self.done += chain.units();
        }
    }

    /// The model of the kept checkpoints `kept`, a soft prompt below the other where each target has one; as it came if there are
    /// none.
    fn load(&self, kept: &[kept::Kept]) -> Result<T5> {
        let Some((first, others)) = kept.split_first() else { return Ok(model::load(&self.spec.model)?.0) };
        let model = first.load(&self.spec.model)?;
        if others.is_empty() {
            return Ok(model);
        }
        let mut rows = Vec::new();
        for kept in kept {
            let model = kept.load(&self.spec.model)?;
            let prompt = model.prompt().ok_or_else(|| Error::check("internal: no soft prompt").at(&kept.path))?;
            rows.extend_from_slice(&model::read(prompt.value())?);
        }
        model.with_prompt(prompt::of_rows(rows, self.base.config.shape.d_model)?)
    }
}
