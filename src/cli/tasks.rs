//! `fsa tasks`: the tasks that there are, and the check of a user's own.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use fsa::Result;
use fsa::data::Layout;
use fsa::experiment::tasks::{self, Described, Validate, Validated};
use serde::Serialize;

use super::preset::SAMPLE_HELP;
use super::term::Downloads;
use super::{choice, table, term};

/// List the tasks, show one, or check a task of your own
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  fsa tasks list\n  fsa tasks show rte > mine.toml\n  \
                        fsa tasks validate mine.toml --data mine.jsonl --shots 1\n  \
                        fsa tasks validate rte --data hub")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    Show(Show),
    Validate(ValidateArguments),
}

/// List the tasks that come with fsa
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fsa tasks list")]
struct List {
    /// Print one JSON object on stdout instead of a table
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// Print a task's description in TOML: a start for one of your own
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fsa tasks show rte > mine.toml")]
struct Show {
    /// The task's name, or the path of a description ending in .toml
    #[arg(value_name = "NAME")]
    name: String,
    /// Print one JSON object on stdout instead of TOML
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// Check a task's description and files, and print its first prompts
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fsa tasks validate mine.toml --data mine.jsonl --shots 1")]
struct ValidateArguments {
    /// The description, a file ending in .toml; or the name of a task that comes with fsa
    #[arg(value_name = "FILE")]
    file: String,
    /// The file whose examples are printed: a file, a folder of its files, `mini` for the mini world's test split, `hub` or
    /// hub:SPLIT for the task's data set on the hub [default: the description's test, validation or training split]
    #[arg(long, value_name = "FILE", help_heading = "Prompts")]
    data: Option<PathBuf>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Prompts", help = SAMPLE_HELP)]
    sample: Option<usize>,
    /// Shots per prompt, from the description's training split, else from --data [default: 0]
    #[arg(long, value_name = "K", value_parser = choice::count, help_heading = "Prompts")]
    shots: Option<usize>,
    /// Prompts to print, at most [default: 3]
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Prompts")]
    n: Option<usize>,
    /// Root seed of the shots and of --sample [default: 0]
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Prompts")]
    seed: Option<u64>,
    /// Whether prompts end in <extra_id_0> [default: on]
    #[arg(long, value_name = "on|off", value_parser = choice::switch(), help_heading = "Prompts")]
    prompt_sentinel: Option<bool>,
    /// Print one JSON object on stdout instead of text
    #[arg(long, help_heading = "Output")]
    json: bool,
}

impl Arguments {
    /// Lists, shows or validates.
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::List(arguments) => arguments.run(),
            Command::Show(arguments) => arguments.run(),
            Command::Validate(arguments) => arguments.run(),
        }
    }
}

/// What `list --json` prints.
#[derive(Serialize)]
struct Listed {
    tasks: Vec<Described>,
}

impl List {
    fn run(self) -> Result<()> {
        let tasks = tasks::list()?;
        if self.json {
            return term::print_json(&Listed { tasks });
        }
        let rows = tasks.iter().map(|task| {
            let metric = task.metric.unwrap_or_default().to_string();
            let answers = task.labels.as_ref().map_or_else(|| "free text".into(), |words| words.join(", "));
            let hub = task.hub.as_ref().map(|hub| match &hub.config {
                Some(config) => format!("{} {config}", hub.id),
                None => hub.id.clone(),
            });
            [task.name.clone(), metric, answers, hub.unwrap_or_default(), task.template.clone()]
        });
        let header = ["task", "metric", "answers", "hub data set", "template"].map(String::from);
        term::print(table::columns(std::iter::once(header).chain(rows).collect()).as_bytes())
    }
}

impl Show {
    fn run(self) -> Result<()> {
        let shown = tasks::show(&self.name)?;
        match self.json {
            true => term::print_json(&shown),
            false => term::print(shown.toml.as_bytes()),
        }
    }
}

impl ValidateArguments {
    fn run(self) -> Result<()> {
        let layout = Layout::default();
        let spec = Validate {
            task: self.file,
            data: self.data,
            sample: self.sample,
            shots: self.shots.unwrap_or(0),
            n: self.n.unwrap_or(3),
            seed: self.seed.unwrap_or(0),
            layout: Layout { sentinel: self.prompt_sentinel.unwrap_or(layout.sentinel), ..layout },
        };
        // Files may have to be fetched.
        let validated = tasks::validate(&spec, &mut Downloads::new(self.json))?;
        match self.json {
            true => term::print_json(&validated),
            false => term::print(text(&validated).as_bytes()),
        }
    }
}

/// The description in a line, the files in one each, and the prompts.
fn text(validated: &Validated) -> String {
    let task = &validated.task;
    let mut text = format!("{}: sound", task.name);
    let metric = task.metric.map_or_else(|| "no metric".to_string(), |name| format!("metric {name}"));
    let labels = task.labels.as_ref().map_or_else(|| "free text".to_string(), |words| words.join(", "));
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(text, "; {metric}, answers: {labels}");
    for file in &validated.files {
        let path = file.path.display();
        let rows = if file.is_sample() { format!(" of {} rows", file.rows) } else { String::new() };
        let from = file.origin.as_ref().map(|origin| format!("; {} at commit {}", origin.repo, origin.commit));
        let (split, examples, dropped) = (file.split, file.examples, file.dropped);
        let _ =
            writeln!(text, "{split}: {path}, {examples} examples{rows}, {dropped} dropped{}", from.unwrap_or_default());
    }
    if let Some(limit) = task.max_source_tokens {
        let _ = writeln!(text, "articles are shown whole; a run cuts each source to {limit} tokens");
    }
    if validated.files.is_empty() {
        text.push_str("no examples were read: give --data FILE to see prompts\n");
    }
    for prompt in &validated.prompts {
        let shots = match &prompt.shots[..] {
            [] => String::new(),
            rows => format!(", shots: rows {}", rows.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
        };
        let _ = writeln!(text, "\n[row {}{shots}]\n{}", prompt.row, prompt.prompt);
        let _ = writeln!(text, "=> {}", prompt.references.join(" | "));
    }
    text
}
