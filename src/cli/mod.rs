//! The binary's own: the only user of clap and the only place that prints.
//!
//! One file per subcommand, each the same walk: arguments as typed → a resolved spec → one library call → what a person or
//! a program reads. It must not compute anything.

mod again;
mod bench;
mod cache;
mod choice;
mod compare;
mod completions;
mod decoding;
mod dump;
mod evaluation;
mod fetch;
mod files;
mod generate;
mod gradient_align;
mod how;
mod inspect;
mod jobs;
mod label_ratio;
mod lenient;
mod man;
mod mini;
mod options;
mod paper;
mod plot;
mod preset;
mod pretrain;
mod score;
mod stages;
mod table;
mod tasks;
mod term;
mod threads;
mod tokenize;
mod training;
mod usage;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use fsa::{Error, Kind, Result};

/// Format-specialization analysis: how fine-tuning a language model on one task's output format costs it the others.
#[derive(Debug, Parser)]
#[command(name = "fsa", version, arg_required_else_help = false, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 ran and failed a check; 2 could not run; 130 interrupted.";

#[derive(Debug, Subcommand)]
enum Command {
    GradientAlign(Box<gradient_align::Arguments>),
    LabelRatio(Box<label_ratio::Arguments>),
    Compare(Box<compare::Arguments>),
    Paper(paper::Arguments),
    Pretrain(Box<pretrain::Arguments>),
    Plot(plot::Arguments),
    Generate(generate::Arguments),
    Dump(dump::Arguments),
    Inspect(inspect::Arguments),
    Tokenize(tokenize::Arguments),
    Score(score::Arguments),
    Tasks(tasks::Arguments),
    Mini(mini::Arguments),
    Bench(bench::Arguments),
    Fetch(fetch::Arguments),
    Cache(cache::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// The command line as typed. `--help` and `--version` print and end the process here.
pub fn parse() -> Result<Cli> {
    command()
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map_err(|error| if error.use_stderr() { usage::one_line(&error) } else { error.exit() })
}

/// Runs the subcommand.
pub fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::GradientAlign(arguments) => arguments.run(),
        Command::LabelRatio(arguments) => arguments.run(),
        Command::Compare(arguments) => arguments.run(),
        Command::Paper(arguments) => arguments.run(),
        Command::Pretrain(arguments) => arguments.run(),
        Command::Plot(arguments) => arguments.run(),
        Command::Generate(arguments) => arguments.run(),
        Command::Dump(arguments) => arguments.run(),
        Command::Inspect(arguments) => arguments.run(),
        Command::Tokenize(arguments) => arguments.run(),
        Command::Score(arguments) => arguments.run(),
        Command::Tasks(arguments) => arguments.run(),
        Command::Mini(arguments) => arguments.run(),
        Command::Bench(arguments) => arguments.run(),
        Command::Fetch(arguments) => arguments.run(),
        Command::Cache(arguments) => arguments.run(),
        Command::Completions(arguments) => arguments.run(),
        Command::Man(arguments) => arguments.run(),
    }
}

/// Reports an error, if there is one, on one line of stderr; the process's exit code.
pub fn exit_code(result: Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    term::complain("error", &error);
    match error.kind() {
        Kind::Check => ExitCode::from(1),
        Kind::Input => ExitCode::from(2),
        Kind::Interrupted => ExitCode::from(term::INTERRUPTED),
    }
}

/// The whole command line, as parsing, completions and the manual see it.
fn command() -> clap::Command {
    Cli::command().mut_subcommands(negative_values)
}

/// `--lr -1` should be told that it must be positive, not that `-1` is an unknown flag; in subcommands of subcommands too.
fn negative_values(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| match arg.get_action().takes_values() {
        true => arg.allow_negative_numbers(true),
        false => arg,
    });
    command.mut_subcommands(negative_values)
}

/// The value of a flag without which there is nothing to do; `what` says what it is and `example` how it may look.
fn required<T>(value: Option<T>, flag: &str, what: &str, example: &str) -> Result<T> {
    value.ok_or_else(|| Error::input(format!("missing: {what}")).flag(flag).next(format!("give {flag} {example}")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
