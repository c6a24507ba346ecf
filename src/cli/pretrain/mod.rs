//! `fsa pretrain`: train a small model from nothing on a generated corpus.

mod options;
#[cfg(test)]
mod tests;

use std::path::Path;

use clap::Args;
use fsa::Result;
use fsa::data::corpus;
use fsa::experiment::pretrain::{self, Plan};
use fsa::spec::Pretrain;
use options::{Options, pretraining};

use super::how::{self, File, How, Planned};
use super::options::{Layered, keys};
use super::{term, threads};

/// Train a small T5 from nothing on a generated corpus, and leave it in Hugging Face layout
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, mut_args(pretraining))]
pub struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    how: How,
}

const EXAMPLES: &str = "\
Examples:
  fsa pretrain --out path/to/run
  fsa pretrain --out path/to/run --steps 2000 --probe-every 200 --d-model 64 --d-kv 16

The model is path/to/run/model when the run is done. A config holds these flags without their
dashes, a `key = value` each; a run's own spec.toml is one. Flags win over it.";

impl Arguments {
    /// Runs, or with `--dry-run` says what a run would do.
    pub fn run(self) -> Result<()> {
        let Self { options, how } = self;
        let spec = resolve(options, how.config.as_deref())?;
        let corpus = corpus::named(&spec.corpus)?;
        threads::set(spec.threads)?;
        if how.dry_run {
            let plan = pretrain::plan(&spec, corpus.as_ref())?;
            return if how.json { term::print_json(&Planned { plan, spec }) } else { print_plan(&plan, &spec) };
        }
        let outcome = {
            let mut term = how.term();
            pretrain::run(&spec, corpus.as_ref(), how.existing(), &how::command_line(), &mut term)?
        };
        match how.json {
            true => term::print_json(&outcome),
            false => how::print_outcome(&outcome.table, &outcome.signature, &outcome.files),
        }
    }
}

/// The validated spec that the flags come to, over a config file if there is one.
fn resolve(flags: Options, config: Option<&Path>) -> Result<Pretrain> {
    let Some(path) = config else {
        let spec = flags.resolve()?;
        return spec.validate().map(|()| spec);
    };
    let mut config = Options::read(&File::new(path, keys::<Options>()))?;
    let typed = flags.given();
    let spec = flags.or(std::mem::take(&mut config.values)).resolve()?;
    spec.validate().map_err(|error| config.place(error, &typed))?;
    Ok(spec)
}

fn print_plan(plan: &Plan, spec: &Pretrain) -> Result<()> {
    let text = format!(
        "probes      {}, at steps {}\ndocuments   {}\nevaluated   {}\nvocabulary  {}\nparameters  {}\n\
         memory      about {} MiB\n{}signature   {}\n{}",
        plan.probe_steps.len(),
        how::shortened(&plan.probe_steps),
        plan.documents,
        plan.evaluations.join(", "),
        plan.vocabulary,
        plan.params,
        plan.memory_mib,
        how::time(plan.time.as_ref()),
        plan.signature,
        how::warnings_and_spec(&plan.warnings, spec)?,
    );
    term::print(text.as_bytes())
}
