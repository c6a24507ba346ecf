//! `fsa paper`: the paper's figures and tables at mini scale, from one fixed plan of runs of the other commands, each in a folder of
//! its own and each resumed where it stopped; and a page that holds what they show against what the paper shows.

mod find;
mod item;
mod items;
mod page;
mod plan;
mod quantity;
mod results;
mod shown;

use std::path::PathBuf;

use serde::Serialize;

pub use self::item::{Item, Scores, Show};
pub use self::items::ITEMS;
pub use self::page::State;
pub use self::plan::{Plan, Planned, PlannedItem, PlannedRun, planned};
pub use self::quantity::{Bound, Claim, Mean, Quantity, Verdict};

use super::compare::Jobs;
use super::{Events, Existing, compare, fine_tune, gradient_align, label_ratio, pretrain};
use crate::data::corpus;
use crate::error::{Error, Result};
use crate::model_folder;
use crate::report::RunFolder;
use crate::report::files::{RUN, SPEC};
use crate::report::run_info::{RunInfo, Status};
use crate::report::summary::with_note;
use crate::spec::paper::{SubRun, SubSpec};
use crate::spec::{MINI, Paper};

/// What a run leaves behind.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The folder of all runs.
    pub out: PathBuf,
    /// The page, tables and rows.
    pub files: Vec<PathBuf>,
    /// How far each item has come.
    pub items: Vec<State>,
    /// What has to be said beside every number of the embedded model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// The items, for people.
    #[serde(skip)]
    pub table: String,
}

/// Makes the runs that the chosen items need, one after the other, comparisons in `jobs` processes, and after each the page of
/// what there is. `command` is recorded.
///
/// # Errors
/// As the runs' own. What is done stays, and a resumed run goes on from there.
pub fn run(
    plan: &Plan,
    existing: Existing,
    jobs: &Jobs,
    command: &[String],
    events: &mut dyn Events,
) -> Result<Outcome> {
    plan.spec.validate()?;
    let folder = open(&plan.spec, existing)?;
    let info = fine_tune::run_info(plan.spec.seed, plan.spec.threads, command);
    folder.write_spec(&plan.spec)?;
    folder.write_run(&info)?;
    if existing == Existing::Overwrite {
        plan.chosen().try_for_each(unfinished)?;
    }
    let all = plan.chosen().count();
    let made = plan.chosen().enumerate().try_for_each(|(number, run)| {
        if results::is_done(run)? {
            return Ok(());
        }
        if events.interrupted() {
            return Err(Error::interrupted("stopped between two runs").at(&plan.spec.out).next("go on with --resume"));
        }
        let mut named = Named { events: &mut *events, name: format!("run {} of {all}, {}", number + 1, run.name) };
        make(run, existing, jobs, command, &mut named)?;
        page::write(plan, &folder).map(drop)
    });
    // Also where it was stopped; the run's own error comes first.
    let written = page::write(plan, &folder);
    let status = if written.is_ok() { fine_tune::status_of(&made) } else { Status::Failed };
    let ended = folder.write_run(&RunInfo { status, ..info.end(status) });
    made?;
    let (items, files) = written?;
    ended?;
    let note = model_folder::note(MINI.as_ref());
    let table = with_note(page::table(&items), note);
    Ok(Outcome { out: folder.path().to_path_buf(), files, items, note, table })
}

/// The folder of all runs. A run that is gone on with may have other seeds: those that are done stay.
fn open(spec: &Paper, existing: Existing) -> Result<RunFolder> {
    if existing == Existing::Resume && spec.out.join(SPEC).is_file() {
        let there: Paper = RunFolder::open(&spec.out)?.read_spec()?;
        let here = Paper { seeds: there.seeds, out: there.out.clone(), ..spec.clone() };
        if here == there {
            return RunFolder::create(&spec.out, true);
        }
    }
    fine_tune::open_folder(&spec.out, spec, existing)
}

/// Lets a run that is done be made anew.
fn unfinished(run: &SubRun) -> Result<()> {
    let path = run.spec.out().join(RUN);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", &path, error)),
        _ => Ok(()),
    }
}

/// One run, to its end.
fn make(run: &SubRun, existing: Existing, jobs: &Jobs, command: &[String], events: &mut dyn Events) -> Result<()> {
    // What is in the folder of all is its own.
    let existing = if existing == Existing::Overwrite { existing } else { Existing::Resume };
    match &run.spec {
        SubSpec::Pretrain(spec) => {
            let corpus = corpus::named(&spec.corpus)?;
            pretrain::run(spec, corpus.as_ref(), existing, command, events).map(drop)
        }
        SubSpec::LabelRatio(spec) => label_ratio::run(spec, existing, command, events).map(drop),
        SubSpec::GradientAlign(spec) => gradient_align::run(spec, existing, command, events).map(drop),
        SubSpec::Compare(spec) => compare::run(spec, existing, jobs, command, events).map(drop),
    }
}

/// Says which of the runs is meant.
struct Named<'a> {
    events: &'a mut dyn Events,
    name: String,
}

impl Events for Named<'_> {
    fn begin(&mut self, total: u64, done: u64) {
        self.events.begin(total, done);
    }

    fn found(&mut self, units: u64) {
        self.events.found(units);
    }

    fn advance(&mut self, done: u64, now: &str) {
        self.events.advance(done, &format!("{}: {now}", self.name));
    }

    fn warn(&mut self, text: &str) {
        self.events.warn(&format!("{}: {text}", self.name));
    }

    fn interrupted(&self) -> bool {
        self.events.interrupted()
    }
}
