//! What every command that makes a run folder has in common besides its options: nothing here changes a number.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use fsa::experiment::compare::{PlannedMethod, PlannedStage};
use fsa::experiment::estimate::Time;
use fsa::experiment::{Existing, fetch, fetch_data};
use fsa::spec::config::{self, Config, Keys};
use fsa::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::options::keys;
use super::table;
use super::term::{self, Downloads, Term};

/// What to do with the options now.
#[derive(Debug, Default, Args)]
pub struct How {
    /// Take options from a TOML file; flags win over it
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub config: Option<PathBuf>,
    /// Go on where the run in the folder stopped
    #[arg(long, conflicts_with = "force", help_heading = "Output")]
    pub resume: bool,
    /// Overwrite fsa's own files in a run folder that is not empty
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Print what the run would do and need, and the full spec, and stop
    #[arg(long, help_heading = "Output")]
    pub dry_run: bool,
    /// Print one JSON object on stdout instead of a table
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// No progress on stderr; warnings and errors remain
    #[arg(long, help_heading = "Output")]
    pub quiet: bool,
}

impl How {
    /// What to do with a run folder that is not empty.
    pub fn existing(&self) -> Existing {
        match (self.resume, self.force) {
            (true, _) => Existing::Resume,
            (false, true) => Existing::Overwrite,
            (false, false) => Existing::Refuse,
        }
    }

    /// Fetches the model and the adapters of the run in `out`, where they are names on the hub.
    pub fn fetch(&self, given: &[fetch::Given], out: &Path) -> Result<()> {
        fetch::for_run(given, out, self.existing(), &mut Downloads::new(self.quiet))
    }

    /// As [`fetch`](Self::fetch), the data that it names on the hub.
    pub fn fetch_data(&self, splits: &[fetch_data::Named], out: &Path) -> Result<()> {
        fetch_data::for_run(splits, out, self.existing(), &mut Downloads::new(self.quiet))
    }

    /// The run's line to the terminal; from here on Ctrl-C asks the run to stop.
    pub fn term(&self) -> Term {
        let term = Term::new(self.quiet);
        term.catch_interrupt();
        term
    }
}

/// A config file, from which every group of options is read on its own: serde's `flatten` would lose the lines of mistakes.
pub struct File<'a> {
    path: &'a Path,
    known: Vec<String>,
    flags_only: Vec<String>,
}

impl<'a> File<'a> {
    /// The file at `path`, which may hold the keys `known`.
    pub fn new(path: &'a Path, known: Vec<String>) -> Self {
        Self { path, known, flags_only: keys::<How>() }
    }

    /// The options of `T` in it.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Config<T>> {
        config::read(self.path, Keys { known: &self.known, flags_only: &self.flags_only })
    }
}

/// The command as typed, for the run's provenance; where the program lies is nobody's business.
pub fn command_line() -> Vec<String> {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once("fsa".to_owned()).chain(arguments).collect()
}

/// The run folder where none is named: the same command finds the same folder again, so that --resume works.
pub fn default_out(command: &str, task: &str, seed: u64) -> PathBuf {
    // A task file's name stands for its path.
    let task = Path::new(task).file_stem().map_or(task.into(), |stem| stem.to_string_lossy());
    Path::new("reports").join(format!("{command}-{task}-seed{seed}"))
}

/// What `--dry-run --json` prints: the plan's fields, and the spec.
#[derive(Serialize)]
pub struct Planned<P, S> {
    /// What the run would do.
    #[serde(flatten)]
    pub plan: P,
    /// What would make it.
    pub spec: S,
}

/// `table` with a line on the entries of a series that were skipped, if any were.
pub fn with_skipped(table: &str, skipped: usize) -> String {
    match skipped {
        0 => table.to_owned(),
        1 => format!("{}\n\n1 entry of the checkpoints' folder was skipped", table.trim_end()),
        more => format!("{}\n\n{more} entries of the checkpoints' folder were skipped", table.trim_end()),
    }
}

/// The end of what `--dry-run` prints: warnings, and the spec as the config file that it could be.
pub fn warnings_and_spec(warnings: &[String], spec: &impl Serialize) -> Result<String> {
    let spec = toml::to_string(spec)
        .map_err(|source| Error::input(format!("cannot write this spec as TOML: {source}")).caused_by(source))?;
    let warnings: String = warnings.iter().map(|warning| format!("warning     {warning}\n")).collect();
    Ok(format!("{warnings}\n{spec}"))
}

/// What a plan says of methods: a line for each, and an empty one after them; nothing where there are none.
pub fn methods(methods: &[PlannedMethod]) -> String {
    let mut text = String::new();
    for method in methods {
        let stage = |planned: &PlannedStage| {
            format!("{} {} steps, {} examples", planned.stage, planned.steps, planned.examples)
        };
        let stages: Vec<String> = method.stages.iter().map(stage).collect();
        let total: u64 = method.stages.iter().map(|stage| stage.steps).sum();
        let budget = if stages.is_empty() { "nothing trained".to_string() } else { stages.join("; then ") };
        text.push_str(&format!("{:<22} {total:>6} steps  {budget}\n", method.method));
    }
    if text.is_empty() { text } else { text + "\n" }
}

/// What a plan says of time: all of it, and its parts.
pub fn time(time: Option<&Time>) -> String {
    let Some(time) = time else { return "time        not measured\n".to_owned() };
    let length = |seconds: f64| match seconds < 10.0 {
        true => format!("{seconds:.1}s"),
        false => term::clock(Duration::from_secs_f64(seconds)),
    };
    let parts =
        time.parts.iter().map(|part| [format!("  {}", part.what), part.count.to_string(), length(part.total_s)]);
    let total = length(time.total_s);
    format!("time        about {total}, from work done just now\n{}", table::columns(parts.collect()))
}

/// The first few and the last.
pub fn shortened(steps: &[u64]) -> String {
    let steps: Vec<String> = steps.iter().map(u64::to_string).collect();
    match &steps[..] {
        [first, second, third, _, .., last] if steps.len() > 12 => format!("{first}, {second}, {third}, …, {last}"),
        _ => steps.join(", "),
    }
}

/// Prints a finished run for people.
pub fn print_outcome(table: &str, signature: &str, files: &[PathBuf]) -> Result<()> {
    term::print(format!("{}\n\n{signature}\n\n{}", table.trim_end(), term::paths(files)).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_of_steps_are_shortened() {
        let steps: Vec<u64> = (0..20).collect();
        assert_eq!(shortened(&steps[..3]), "0, 1, 2");
        assert_eq!(shortened(&steps), "0, 1, 2, …, 19");
    }

    #[test]
    fn the_default_folder_is_named_after_the_task_file() {
        assert_eq!(default_out("x", "rte", 0), Path::new("reports/x-rte-seed0"));
        assert_eq!(default_out("x", "tasks/own.toml", 2), Path::new("reports/x-own-seed2"));
    }
}
