//! `fsa paper`: the paper's figures and tables at mini scale, from one command.

use std::path::{Path, PathBuf};

use clap::Args;
use fsa::Result;
use fsa::experiment::paper::{self, ITEMS, Plan, Planned, PlannedRun};
use fsa::spec::Paper;
use serde::Deserialize;

use super::how::{self, File, How};
use super::jobs::{self, JobsOption};
use super::options::{Layered, every_option, keys};
use super::training::SEED;
use super::{choice, lenient, table, term, threads};

/// Make the paper's figures and tables on the embedded model, and hold them against what the paper shows
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    jobs: JobsOption,
    #[command(flatten)]
    how: How,
}

const EXAMPLES: &str = "\
Examples:
  fsa paper --dry-run
  fsa paper --only figure1,figure2,table5.2-rte
  fsa paper --resume

A fixed plan of runs of the other commands, each in a folder of its own in --out; one that is
done is not made again, and --resume goes on after a kill. README.md there says figure by figure
and table by table what the paper shows, what the run shows and whether they agree; it is written
after every run.";

/// Every option that both a flag and a config key can set; `None` where nothing was said.
#[derive(Debug, Default, Clone, PartialEq, Args, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Options {
    #[arg(long, value_name = "NAME", value_delimiter = ',', help_heading = "Input")]
    #[arg(help = format!("Make these alone, with commas between: {} [default: all]",
        ITEMS.iter().map(|item| item.name).collect::<Vec<_>>().join(", ")))]
    #[serde(deserialize_with = "lenient::names")]
    only: Option<Vec<String>>,
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Input")]
    #[arg(help = format!("Root seed of the first runs [default: {SEED}]"))]
    seed: Option<u64>,
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Input")]
    #[arg(help = format!("How many root seeds; with one there are no intervals, and nothing can be told [default: {}]", Paper::SEEDS))]
    seeds: Option<u64>,
    /// Threads; sums depend on it in their last bits [default: one per physical core]
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Input")]
    threads: Option<usize>,
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    #[arg(help = format!("The folder of all runs [default: {}]", Paper::OUT))]
    out: Option<PathBuf>,
}

every_option! { Options { only seed seeds threads out } }

impl Arguments {
    /// Runs, or with `--dry-run` says what a run would do.
    pub fn run(self) -> Result<()> {
        let Self { options, jobs, how } = self;
        let count = jobs.count()?;
        let plan = resolve(options, how.config.as_deref())?;
        threads::set(plan.spec.threads)?;
        if how.dry_run {
            let planned = paper::planned(&plan)?;
            let spec = &plan.spec;
            return if how.json {
                term::print_json(&how::Planned { plan: planned, spec })
            } else {
                print_plan(&planned, spec)
            };
        }
        let outcome = {
            let mut term = how.term();
            paper::run(&plan, how.existing(), &jobs::jobs(count), &how::command_line(), &mut term)?
        };
        match how.json {
            true => term::print_json(&outcome),
            false => {
                let text = format!("{}\n\n{}", outcome.table.trim_end(), term::paths(&outcome.files));
                term::print(text.as_bytes())
            }
        }
    }
}

/// The plan that the flags come to, over a config file if there is one.
fn resolve(flags: Options, config: Option<&Path>) -> Result<Plan> {
    let Some(path) = config else { return flags.resolve() };
    let mut config = File::new(path, keys::<Options>()).read::<Options>()?;
    let typed = flags.given();
    let options = flags.or(std::mem::take(&mut config.values));
    options.resolve().map_err(|error| config.place(error, &typed))
}

impl Options {
    fn resolve(self) -> Result<Plan> {
        let spec = Paper {
            out: self.out.unwrap_or_else(|| Paper::OUT.into()),
            seed: self.seed.unwrap_or(SEED),
            seeds: self.seeds.unwrap_or(Paper::SEEDS),
            threads: self.threads.unwrap_or_else(threads::default),
        };
        Plan::new(spec, &self.only.unwrap_or_default())
    }
}

fn print_plan(planned: &Planned, spec: &Paper) -> Result<()> {
    let line = |run: &PlannedRun| {
        let steps = if run.done { "done".to_string() } else { run.steps.to_string() };
        [run.name.clone(), steps, run.command.to_string(), run.what.clone()]
    };
    let header = ["run", "steps", "command", "on"].map(String::from);
    let mut text = table::columns(std::iter::once(header).chain(planned.runs.iter().map(line)).collect());
    text.push_str(&format!("\n{} steps in all\n\n", planned.steps));
    for item in &planned.items {
        let runs = if item.runs.is_empty() { "no run".to_string() } else { item.runs.join(", ") };
        text.push_str(&format!("{:<13} {runs}\n", item.item));
    }
    term::print(format!("{text}{}", how::warnings_and_spec(&[], spec)?).as_bytes())
}

#[cfg(test)]
mod tests;
