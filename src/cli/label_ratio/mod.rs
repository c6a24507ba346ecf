//! `fsa label-ratio`: fine-tune a model, or take somebody's checkpoints, and watch its outputs on other tasks turn into the
//! fine-tuned task's label words.

mod options;
#[cfg(test)]
mod tests;

use clap::Args;
use fsa::Result;
use fsa::experiment::label_ratio::{self, Plan};
use fsa::experiment::{fetch, fetch_data};
use fsa::spec::LabelRatio;
use options::{Options, Tables, fine_tuning};

use super::how::{self, File, How, Planned};
use super::options::Layered;
use super::{term, threads};

/// Fine-tune, and at each probe count how often outputs on other tasks are the fine-tuned task's labels
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, mut_args(fine_tuning))]
pub struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    how: How,
}

const EXAMPLES: &str = "\
Examples:
  fsa label-ratio
  fsa label-ratio --model path/to/model --train path/to/train.tsv --dev path/to/dev.tsv \\
    --eval trivia_qa:1 --file trivia_qa.train=path/to/train.jsonl \\
    --file trivia_qa.validation=path/to/validation.jsonl
  fsa label-ratio --model path/to/model --checkpoints path/to/output --config path/to/files.toml

A config holds these flags without their dashes, a `key = value` each, and the data files in a
[files] table; a run's own spec.toml is one. Flags win over it. Its paths are relative to the
current directory.

With no model and no data, the embedded model is fine-tuned on the mini world's RTE and asked its
other tasks.";

impl Arguments {
    /// Runs, or with `--dry-run` says what a run would do.
    pub fn run(self) -> Result<()> {
        let Self { options, how } = self;
        let spec = resolve(options, &how)?;
        threads::set(spec.threads)?;
        how.fetch(&fetch::of_label_ratio(&spec), &spec.out)?;
        how.fetch_data(&fetch_data::of_label_ratio(&spec), &spec.out)?;
        if how.dry_run {
            let plan = label_ratio::plan(&spec)?;
            return if how.json { term::print_json(&Planned { plan, spec }) } else { print_plan(&plan, &spec) };
        }
        let outcome = {
            let mut term = how.term();
            label_ratio::run(&spec, how.existing(), &how::command_line(), &mut term)?
        };
        match how.json {
            true => term::print_json(&outcome),
            false => {
                let table = how::with_skipped(&outcome.table, outcome.skipped);
                how::print_outcome(&table, &outcome.signature, &outcome.files)
            }
        }
    }
}

/// The validated spec that the flags come to, over a config file if there is one.
fn resolve(flags: Options, how: &How) -> Result<LabelRatio> {
    let valid = |spec: LabelRatio| spec.validate().map(|()| spec);
    let Some(path) = &how.config else {
        return flags.resolve(Options::default(), Tables::default(), how.quiet).and_then(valid);
    };
    let (mut config, tables) = Options::read(&File::new(path, Options::config_keys()))?;
    let typed = flags.given();
    let below = std::mem::take(&mut config.values);
    flags.resolve(below, tables, how.quiet).and_then(valid).map_err(|error| config.place(error, &typed))
}

fn print_plan(plan: &Plan, spec: &LabelRatio) -> Result<()> {
    let text = format!(
        "probes      {}, at steps {}\nevaluated   {}\nexamples    {}\nparameters  {}\n\
         memory      about {} MiB\n{}signature   {}\n{}",
        plan.steps.len(),
        how::shortened(&plan.steps),
        plan.evaluations.join(", "),
        plan.examples,
        plan.params,
        plan.memory_mib,
        how::time(plan.time.as_ref()),
        plan.signature,
        how::warnings_and_spec(&plan.warnings, spec)?,
    );
    term::print(text.as_bytes())
}
