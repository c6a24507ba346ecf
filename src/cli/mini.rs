//! `fsa mini`: the mini world, looked at and written out.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use fsa::Result;
use fsa::data::MiniSplit;
use fsa::experiment::mini::{self, Baseline, Documents, Export};
use fsa::experiment::tasks::Rendered;
use fsa::spec::MINI_SEED;
use serde::Serialize;

use super::choice::{self, one_of};
use super::{required, table, term};

/// Documents printed where nobody says how many; the corpus has no end.
const DOCUMENTS: u64 = 10;
/// Examples shown where nobody says how many.
const EXAMPLES: usize = 3;

/// Look at the mini world, generated text in the formats of all tasks, or write it out
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  fsa mini show rte\n  fsa mini export --out mini\n  \
                        fsa mini export-model --out mini-t5\n  \
                        fsa mini documents --limit 1000 --out documents.jsonl\n  fsa mini baselines\n\n\
                        Other commands take `mini` in the place of a data file: the split of seed 0 that the option is \
                        for; or `mini:TASK/SPLIT`, such as mini:rte/train.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Export(ExportArguments),
    ExportModel(ExportModel),
    Show(Show),
    Documents(DocumentsArguments),
    Baselines(Baselines),
    Report(Report),
}

/// Write every task's splits as JSON lines in the layouts of the hub's files, and a config that names them
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  fsa mini export --out mini\n  fsa label-ratio --config mini/files.toml --model path/to/model\n\n\
                        Files are DIR/TASK/train.jsonl, validation.jsonl and test.jsonl."
)]
struct ExportArguments {
    /// The folder to write into
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,
    /// Overwrite files that are there
    #[arg(long, help_heading = "Output")]
    force: bool,
    #[command(flatten)]
    world: WorldOptions,
    /// Print one JSON object on stdout instead of paths
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// Write the embedded model's folder, in Hugging Face layout
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fsa mini export-model --out mini-t5\n\n\
                        transformers loads it by T5ForConditionalGeneration.from_pretrained(\"mini-t5\").")]
struct ExportModel {
    /// The folder to write into
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,
    /// Overwrite files that are there
    #[arg(long, help_heading = "Output")]
    force: bool,
    /// Print one JSON object on stdout instead of paths
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// Which world.
#[derive(Debug, Args)]
struct WorldOptions {
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "World")]
    #[arg(help = format!("Seed of the world; `mini` in other commands stands for that of {MINI_SEED} [default: {MINI_SEED}]"))]
    seed: Option<u64>,
}

impl WorldOptions {
    fn seed(&self) -> u64 {
        self.seed.unwrap_or(MINI_SEED)
    }
}

/// Print a task's first examples
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fsa mini show wmt16_ende --split validation --limit 10")]
struct Show {
    /// The task's name
    #[arg(value_name = "TASK")]
    task: String,
    #[arg(long, value_name = "SPLIT", value_parser = one_of(&MiniSplit::ALL, MiniSplit::name), help_heading = "World")]
    #[arg(help = format!("Of which split [default: {}]", MiniSplit::Test.name()))]
    split: Option<MiniSplit>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "World")]
    #[arg(help = format!("How many, at most [default: {EXAMPLES}]"))]
    limit: Option<usize>,
    #[command(flatten)]
    world: WorldOptions,
    /// Print one JSON object on stdout instead of text
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// Print pretraining documents, or write them into a file: JSON lines with source, target and family
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fsa mini documents --limit 1000 --out documents.jsonl")]
struct DocumentsArguments {
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "World")]
    #[arg(help = format!("How many; the corpus has no end [default: {DOCUMENTS}]"))]
    limit: Option<u64>,
    #[command(flatten)]
    world: WorldOptions,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    out: Option<PathBuf>,
    /// Overwrite the file if it is there
    #[arg(long, help_heading = "Output", requires = "out")]
    force: bool,
}

/// Print what inference tasks give away without being understood: accuracies (%) of the overlap of words, and of naive
/// Bayes on the hypothesis alone, with Wilson's 95 % intervals
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fsa mini baselines")]
struct Baselines {
    #[command(flatten)]
    world: WorldOptions,
    /// Print one JSON object on stdout instead of a table
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// Sum up the finished runs on the mini world in the sub-folders of a folder, several seeds of each kind, in a README.md there
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  for seed in 0 1 2; do\n    fsa gradient-align --seed $seed --out mini/gradient-align-seed$seed\n    \
                        fsa label-ratio --seed $seed --out mini/label-ratio-seed$seed\n  done\n  fsa mini report mini\n\n\
                        Runs of label-ratio with --steps 0 are taken for what the model can do before fine-tuning, those with \
                        --trainable for tuning of the norms only."
)]
struct Report {
    /// The folder that holds the runs' folders
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

impl Arguments {
    /// Shows or writes.
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::Export(arguments) => arguments.run(),
            Command::ExportModel(arguments) => arguments.run(),
            Command::Show(arguments) => arguments.run(),
            Command::Documents(arguments) => arguments.run(),
            Command::Baselines(arguments) => arguments.run(),
            Command::Report(arguments) => arguments.run(),
        }
    }
}

impl Report {
    fn run(self) -> Result<()> {
        let path = mini::report(&self.dir)?;
        term::print(format!("{}\n", path.display()).as_bytes())
    }
}

impl ExportArguments {
    fn run(self) -> Result<()> {
        let out = required(self.out, "--out", "the folder to write into", "path/to/mini")?;
        let exported = mini::export(&Export { out, seed: self.world.seed(), force: self.force })?;
        match self.json {
            true => term::print_json(&exported),
            false => term::print(term::paths(&exported.files).as_bytes()),
        }
    }
}

impl ExportModel {
    fn run(self) -> Result<()> {
        let out = required(self.out, "--out", "the folder to write into", "path/to/mini-t5")?;
        let exported = mini::export_model(&out, self.force)?;
        match self.json {
            true => term::print_json(&exported),
            false => term::print(term::paths(&exported.files).as_bytes()),
        }
    }
}

/// What `show --json` prints.
#[derive(Serialize)]
struct Shown {
    task: String,
    split: &'static str,
    seed: u64,
    examples: Vec<Rendered>,
}

impl Show {
    fn run(self) -> Result<()> {
        let (split, seed) = (self.split.unwrap_or(MiniSplit::Test), self.world.seed());
        let examples = mini::show(&self.task, split, self.limit.unwrap_or(EXAMPLES), seed)?;
        if self.json {
            return term::print_json(&Shown { task: self.task, split: split.name(), seed, examples });
        }
        let text = |example: &Rendered| {
            format!("[row {}]\n{}\n=> {}\n", example.row, example.prompt, example.references.join(" | "))
        };
        term::print(examples.iter().map(text).collect::<Vec<_>>().join("\n").as_bytes())
    }
}

impl DocumentsArguments {
    fn run(self) -> Result<()> {
        let documents = Documents { limit: self.limit.unwrap_or(DOCUMENTS), seed: self.world.seed() };
        match self.out {
            Some(path) => documents.write(&path, self.force),
            None => documents.lines().try_for_each(|line| term::print(line?.as_bytes())),
        }
    }
}

/// What `baselines --json` prints.
#[derive(Serialize)]
struct Measured {
    seed: u64,
    baselines: Vec<Baseline>,
}

impl Baselines {
    fn run(self) -> Result<()> {
        let seed = self.world.seed();
        let baselines = mini::baselines(seed)?;
        if self.json {
            return term::print_json(&Measured { seed, baselines });
        }
        let row = |of: &Baseline| {
            let interval = format!("{:.1}–{:.1}", of.low, of.high);
            [of.task.into(), of.baseline.into(), of.n.to_string(), format!("{:.1}", of.accuracy), interval]
        };
        let header = ["task", "baseline", "n", "accuracy", "interval"].map(String::from);
        term::print(table::columns(std::iter::once(header).chain(baselines.iter().map(row)).collect()).as_bytes())
    }
}
