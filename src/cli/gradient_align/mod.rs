//! `fsa gradient-align`: fine-tune a model, or take somebody's checkpoints, and compare the full gradient with the format gradient on
//! the way.

mod options;
#[cfg(test)]
mod tests;
mod unused;

use clap::Args;
use fsa::Result;
use fsa::experiment::gradient_align::{self, Plan};
use fsa::experiment::{fetch, fetch_data};
use fsa::spec::GradientAlign;
use options::{Options, Tables};

use super::how::{self, File, How, Planned};
use super::options::Layered;
use super::{term, threads};

/// Fine-tune, and at each probe compare the gradient with the format gradient, layer by layer
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    how: How,
}

const EXAMPLES: &str = "\
Examples:
  fsa gradient-align
  fsa gradient-align --model path/to/model --train path/to/train.tsv --steps 400
  fsa gradient-align --method standard,promot
  fsa gradient-align --model path/to/model --train path/to/train.tsv --checkpoints path/to/output
  fsa gradient-align --config path/to/spec.toml --seed 1 --out reports/seed1

A config holds these flags without their dashes, a `key = value` each; a run's own spec.toml is
one. Flags win over it. Its paths are relative to the current directory.

Of several methods each has a sub-folder, a run of its own; stages before the last lie in earlier/.

With no model and no data, the embedded model is fine-tuned on the mini world's RTE.";

impl Arguments {
    /// Runs, or with `--dry-run` says what a run would do.
    pub fn run(self) -> Result<()> {
        let Self { options, how } = self;
        let spec = resolve(options, &how)?;
        threads::set(spec.threads)?;
        how.fetch(&fetch::of_gradient_align(&spec), &spec.out)?;
        how.fetch_data(&fetch_data::of_gradient_align(&spec), &spec.out)?;
        if how.dry_run {
            let plan = gradient_align::plan(&spec)?;
            return if how.json { term::print_json(&Planned { plan, spec }) } else { print_plan(&plan, &spec) };
        }
        let outcome = {
            let mut term = how.term();
            gradient_align::run(&spec, how.existing(), &how::command_line(), &mut term)?
        };
        match how.json {
            true => term::print_json(&outcome),
            false => {
                let table = how::with_skipped(&outcome.table, outcome.skipped.unwrap_or(0));
                how::print_outcome(&table, &outcome.signature, &outcome.files)
            }
        }
    }
}

/// The validated spec that the flags come to, over a config file if there is one.
fn resolve(flags: Options, how: &How) -> Result<GradientAlign> {
    let valid = |spec: GradientAlign| spec.validate().map(|()| spec);
    let Some(path) = &how.config else { return flags.resolve(Tables::default(), how.quiet).and_then(valid) };
    let (mut config, tables) = Options::read(&File::new(path, Options::config_keys()))?;
    let typed = flags.given();
    let options = flags.or(std::mem::take(&mut config.values));
    options.resolve(tables, how.quiet).and_then(valid).map_err(|error| config.place(error, &typed))
}

fn print_plan(plan: &Plan, spec: &GradientAlign) -> Result<()> {
    let methods = how::methods(&plan.methods);
    let text = format!(
        "{methods}steps       {}\nprobes      {}, at steps {}\nexamples    {} in the training split\nparameters  {}\n\
         losses      {} per probe batch\nmemory      about {} MiB\n{}signature   {}\n{}",
        plan.steps,
        plan.probe_steps.len(),
        how::shortened(&plan.probe_steps),
        plan.train_examples,
        plan.params,
        plan.losses,
        plan.memory_mib,
        how::time(plan.time.as_ref()),
        plan.signature,
        how::warnings_and_spec(&plan.warnings, spec)?,
    );
    term::print(text.as_bytes())
}
