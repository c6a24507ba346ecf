//! `fsa gradient-align`: fine-tune a model and compare the full gradient with the format gradient on the way.

mod lenient;
mod options;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::Args;
use fsa::experiment::Existing;
use fsa::experiment::gradient_align::{self, Outcome, Plan};
use fsa::spec::GradientAlign;
use fsa::spec::config::{self, Keys};
use fsa::{Error, Result};
use options::Options;
use serde::Serialize;

use super::term::{self, Term};
use super::threads;

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
  fsa gradient-align --model path/to/model --train path/to/train.tsv --steps 400
  fsa gradient-align --config path/to/spec.toml --seed 1 --out reports/seed1

A config holds these flags without their dashes, a `key = value` each; a run's own spec.toml is
one. Flags win over it. Its paths are relative to the current directory.";

/// What to do with the options now: nothing here changes a number.
#[derive(Debug, Default, Args)]
struct How {
    /// Take options from a TOML file; flags win over it
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    config: Option<PathBuf>,
    /// Go on where the run in the folder stopped
    #[arg(long, conflicts_with = "force", help_heading = "Output")]
    resume: bool,
    /// Overwrite fsa's own files in a run folder that is not empty
    #[arg(long, help_heading = "Output")]
    force: bool,
    /// Print what the run would do and need, and the full spec, and stop
    #[arg(long, help_heading = "Output")]
    dry_run: bool,
    /// Print one JSON object on stdout instead of a table
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// No progress on stderr; warnings and errors remain
    #[arg(long, help_heading = "Output")]
    quiet: bool,
}

impl Arguments {
    /// Runs, or with `--dry-run` says what a run would do.
    pub fn run(self) -> Result<()> {
        let Self { options, how } = self;
        let spec = resolve(options, how.config.as_deref())?;
        threads::set(spec.threads)?;
        if how.dry_run {
            let plan = gradient_align::plan(&spec)?;
            return if how.json { term::print_json(&Planned { plan, spec }) } else { print_plan(&plan, &spec) };
        }
        let outcome = {
            let mut term = Term::new(how.quiet);
            term.catch_interrupt();
            gradient_align::run(&spec, how.existing(), &command_line(), &mut term)?
        };
        if how.json { term::print_json(&outcome) } else { print_outcome(&outcome) }
    }
}

impl How {
    fn existing(&self) -> Existing {
        match (self.resume, self.force) {
            (true, _) => Existing::Resume,
            (false, true) => Existing::Overwrite,
            (false, false) => Existing::Refuse,
        }
    }
}

/// The validated spec that the flags come to, over a config file if there is one.
fn resolve(flags: Options, config: Option<&std::path::Path>) -> Result<GradientAlign> {
    let Some(path) = config else {
        let spec = flags.resolve()?;
        return spec.validate().map(|()| spec);
    };
    let (known, flags_only) = (keys::<Options>(), keys::<How>());
    let mut config = config::read::<Options>(path, Keys { known: &known, flags_only: &flags_only })?;
    let typed = flags.given();
    let spec = flags.or(std::mem::take(&mut config.values)).resolve()?;
    spec.validate().map_err(|error| config.place(error, &typed))?;
    Ok(spec)
}

/// The flags of `T`, without their dashes.
fn keys<T: Args>() -> Vec<String> {
    let command = T::augment_args(clap::Command::new("keys"));
    command.get_arguments().filter_map(|arg| arg.get_long()).map(String::from).collect()
}

/// The command as typed, for the run's provenance; where the program lies is nobody's business.
fn command_line() -> Vec<String> {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once("fsa".to_owned()).chain(arguments).collect()
}

/// What `--dry-run --json` prints: the plan's fields, and the spec.
#[derive(Serialize)]
struct Planned {
    #[serde(flatten)]
    plan: Plan,
    spec: GradientAlign,
}

fn print_plan(plan: &Plan, spec: &GradientAlign) -> Result<()> {
    let spec = toml::to_string(spec)
        .map_err(|source| Error::input(format!("cannot write this spec as TOML: {source}")).caused_by(source))?;
    let warnings: String = plan.warnings.iter().map(|warning| format!("warning     {warning}\n")).collect();
    let probes: Vec<String> = plan.probe_steps.iter().map(u64::to_string).collect();
    let text = format!(
        "steps       {}\nprobes      {}, at steps {}\nexamples    {} in the training split\nparameters  {}\n\
         losses      {} per probe batch\nmemory      about {} MiB\nsignature   {}\n{warnings}\n{spec}",
        plan.steps,
        probes.len(),
        shortened(&probes),
        plan.train_examples,
        plan.params,
        plan.losses,
        plan.memory_mib,
        plan.signature,
    );
    term::print(text.as_bytes())
}

/// The first few and the last.
fn shortened(steps: &[String]) -> String {
    match steps {
        [first, second, third, _, .., last] if steps.len() > 12 => format!("{first}, {second}, {third}, …, {last}"),
        _ => steps.join(", "),
    }
}

fn print_outcome(outcome: &Outcome) -> Result<()> {
    let text = format!("{}\n\n{}\n\n{}", outcome.table.trim_end(), outcome.signature, term::paths(&outcome.files));
    term::print(text.as_bytes())
}
