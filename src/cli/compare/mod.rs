//! `fsa compare`: train methods side by side on a target task, and ask each the target and other tasks.

mod options;
#[cfg(test)]
mod tests;
mod worker;

use std::path::PathBuf;

use clap::Args;
use fsa::Result;
use fsa::experiment::compare::{self, Outcome, Plan};
use fsa::experiment::{fetch, fetch_data};
use fsa::spec::Compare;
use options::{Options, Tables, stages};

use super::how::{self, File, How, Planned};
use super::jobs::{self, JobsOption};
use super::options::Layered;
use super::{term, threads};

/// Train methods side by side on a task, and ask each one that task and others in context
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, mut_args(stages))]
pub struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    jobs: JobsOption,
    #[command(flatten)]
    how: How,
    /// Do what another process of the run in this folder says: what fsa starts itself again with
    #[arg(long, value_name = "DIR", hide = true)]
    worker: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  fsa compare
  fsa compare --target rte --methods pretrained,standard,prompt-tuning,promot --eval all --shots 1,4 --seeds 3
  fsa compare --target rte,wmt14_enfr --methods multitask,multitask-promot --dry-run

Every stage of a method is trained in a folder of its own in the run's; the checkpoint that does best
on the target's validation split is kept, a folder that transformers loads, with a soft prompt or LoRA
beside it in PEFT's layout. What is done is never done again: --resume goes on after a kill.

A config holds these flags without their dashes, a `key = value` each, and the data files in a
[files] table; a run's own spec.toml is one. Flags win over it.";

impl Arguments {
    /// Runs, or with `--dry-run` says what a run would do.
    pub fn run(self) -> Result<()> {
        let Self { options, jobs, how, worker } = self;
        if let Some(out) = worker {
            return worker::run(&out);
        }
        let count = jobs.count()?;
        let spec = resolve(options, &how, count)?;
        threads::set(spec.threads)?;
        how.fetch(&fetch::of_compare(&spec), &spec.out)?;
        how.fetch_data(&fetch_data::of_compare(&spec), &spec.out)?;
        if how.dry_run {
            let plan = compare::plan(&spec)?;
            return if how.json { term::print_json(&Planned { plan, spec }) } else { print_plan(&plan, &spec) };
        }
        let outcome = {
            let mut term = how.term();
            compare::run(&spec, how.existing(), &jobs::jobs(count), &how::command_line(), &mut term)?
        };
        if how.json { term::print_json(&outcome) } else { print_outcome(&outcome) }
    }
}

/// The validated spec that the flags come to, over a config file if there is one; `jobs` share the threads that nobody has counted.
fn resolve(flags: Options, how: &How, jobs: usize) -> Result<Compare> {
    let valid = |spec: Compare| spec.validate().map(|()| spec);
    let Some(path) = &how.config else { return flags.resolve(Tables::default(), jobs, how.quiet).and_then(valid) };
    let (mut config, tables) = Options::read(&File::new(path, Options::config_keys()))?;
    let typed = flags.given();
    let options = flags.or(std::mem::take(&mut config.values));
    options.resolve(tables, jobs, how.quiet).and_then(valid).map_err(|error| config.place(error, &typed))
}

fn print_plan(plan: &Plan, spec: &Compare) -> Result<()> {
    let methods = how::methods(&plan.methods);
    let text = format!(
        "{methods}methods run {}, over targets and seeds\nstages      {}, {} steps in all (shared ones counted once)\n\
         evaluation  {} prompts\nparameters  {}\nmemory      about {} MiB\n{}signature   {}\n{}",
        plan.runs,
        plan.stages,
        plan.steps,
        plan.prompts,
        plan.params,
        plan.memory_mib,
        how::time(plan.time.as_ref()),
        plan.signature,
        how::warnings_and_spec(&plan.warnings, spec)?,
    );
    term::print(text.as_bytes())
}

fn print_outcome(outcome: &Outcome) -> Result<()> {
    how::print_outcome(&outcome.table, &outcome.signature, &outcome.files)
}
