//! `fsa bench`: how fast this machine is, and what it needs for that.

use std::path::{Path, PathBuf};

use clap::Args;
use fsa::experiment::Existing;
use fsa::experiment::bench::growth::{self, Factor, Growth};
use fsa::experiment::bench::{self, Bench, Measured, Subject, Work};
use fsa::model::Shape;
use fsa::spec::MINI;
use fsa::{Error, Result, model_folder};
use serde::Serialize;

use super::term::Term;
use super::{again, choice, how, preset, table, term, threads};

/// What is measured where nothing is said: the shape that the project states its speed for.
const BATCH_SIZE: usize = 16;
const SOURCE_LEN: usize = 128;
const TARGET_LEN: usize = 4;
const SHUFFLES: usize = 1;
const REPEATS: usize = 5;
const WARM_UP: usize = 1;

/// Measure this machine: its rate of matrix products, and time and memory of alignment, training and decoding
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Folder of the model to measure with, or its name on the hub, or `mini` for the embedded one [default: mini]
    #[arg(long, value_name = "MODEL", conflicts_with = "shape", help_heading = "Input")]
    model: Option<PathBuf>,
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    #[arg(help = format!("Measure with random weights in the shape of a released model ({}), or of a config.json",
        Shape::ALL.map(Shape::name).join(", ")))]
    shape: Option<String>,
    /// Another number of blocks, in the encoder and in the decoder, than the shape has
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Input")]
    num_layers: Option<usize>,
    /// Another width than the shape has; heads and the feed-forward's numbers change with it
    #[arg(long, value_name = "H", value_parser = choice::count, help_heading = "Input")]
    d_model: Option<usize>,
    #[arg(long, value_name = "B", value_parser = choice::count, help_heading = "Input")]
    #[arg(help = format!("Examples that go through the model at once [default: {BATCH_SIZE}]"))]
    batch_size: Option<usize>,
    #[arg(long, value_name = "S", value_parser = choice::count, help_heading = "Input")]
    #[arg(help = format!("Tokens of each source [default: {SOURCE_LEN}]"))]
    source_len: Option<usize>,
    /// A file with the tokens of each source, a number a line, in the place of --source-len: ragged batches
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source_len", "grow"], help_heading = "Input")]
    lengths: Option<PathBuf>,
    #[arg(long, value_name = "T", value_parser = choice::count, help_heading = "Input")]
    #[arg(help = format!("Tokens of each target, in alignment and training [default: {TARGET_LEN}]"))]
    target_len: Option<usize>,
    #[arg(long, value_name = "R", value_parser = choice::count, help_heading = "Input")]
    #[arg(help = format!("Shuffles of an alignment step, beside the true labels [default: {SHUFFLES}]"))]
    shuffles: Option<usize>,
    /// Alignment and training as with the other commands' --low-memory
    #[arg(long, help_heading = "Measuring")]
    low_memory: bool,
    /// What to measure, with commas between [default: alignment,training,greedy,beam]
    #[arg(long, value_name = "WORK", value_delimiter = ',', value_parser = choice::one_of(&Work::ALL, Work::name))]
    #[arg(help_heading = "Measuring")]
    work: Option<Vec<Work>>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Measuring")]
    #[arg(help = format!("Times that each work is measured [default: {REPEATS}]"))]
    repeats: Option<usize>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Measuring")]
    #[arg(help = format!("Times before them that are not measured [default: {WARM_UP}]"))]
    warm_up: Option<usize>,
    /// Threads [default: one per physical core]
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Measuring")]
    threads: Option<usize>,
    /// Measure what alignment and training cost as each of these doubles and all else stays, with commas between, and leave rows,
    /// slopes and a figure in --out
    #[arg(long, value_name = "FACTORS", value_delimiter = ',', value_parser = choice::one_of(&Factor::ALL, Factor::name))]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "batch-size,source-len,shuffles,depth,width")]
    #[arg(help_heading = "Measuring")]
    grow: Option<Vec<Factor>>,
    /// The folder of --grow [default: reports/bench]
    #[arg(long, value_name = "DIR", requires = "grow", help_heading = "Output")]
    out: Option<PathBuf>,
    /// Measure what is not in --out yet
    #[arg(long, requires = "grow", conflicts_with = "force", help_heading = "Output")]
    resume: bool,
    /// Overwrite fsa's own files in --out
    #[arg(long, requires = "grow", help_heading = "Output")]
    force: bool,
    /// No progress on stderr; warnings and errors remain
    #[arg(long, help_heading = "Output")]
    quiet: bool,
    /// Print one JSON object on stdout instead of a table
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Measure this one work in this process: what fsa starts itself again with
    #[arg(long, value_name = "WORK", value_parser = choice::one_of(&Work::ALL, Work::name), hide = true)]
    here: Option<Work>,
}

const EXAMPLES: &str = "\
Examples:
  fsa bench
  fsa bench --shape t5-v1_1-small --batch-size 16 --source-len 128 --shuffles 4 --work alignment,training
  fsa bench --model path/to/model --threads 2 --json
  fsa bench --shape t5-v1_1-small --grow --out reports/bench
  fsa bench --shape path/to/config.json --grow=depth,width --low-memory

alignment is one probe of gradient-align (true labels and R shuffles, dot products of every
parameter), training one step of Adafactor with dropout 0.1, greedy and beam (4 beams) decode
exactly 16 new tokens. Each is measured in a process of its own, so that its peak memory is its own.";

/// The result.
#[derive(Serialize)]
struct Outcome {
    model: String,
    threads: usize,
    batch_size: usize,
    source_len: usize,
    /// Of all sources together.
    source_tokens: usize,
    target_len: usize,
    shuffles: usize,
    repeats: usize,
    warm_up: usize,
    low_memory: bool,
    sgemm_gflops: f64,
    #[serde(flatten)]
    works: Works,
}

/// A field for each work that was measured.
#[derive(Default, Serialize)]
struct Works {
    #[serde(skip_serializing_if = "Option::is_none")]
    alignment: Option<Measured>,
    #[serde(skip_serializing_if = "Option::is_none")]
    training: Option<Measured>,
    #[serde(skip_serializing_if = "Option::is_none")]
    greedy: Option<Measured>,
    #[serde(skip_serializing_if = "Option::is_none")]
    beam: Option<Measured>,
}

impl Works {
    fn of(&mut self, work: Work) -> &mut Option<Measured> {
        match work {
            Work::Alignment => &mut self.alignment,
            Work::Training => &mut self.training,
            Work::Greedy => &mut self.greedy,
            Work::Beam => &mut self.beam,
        }
    }
}

impl Arguments {
    /// Measures, and prints what came.
    pub fn run(self) -> Result<()> {
        let bench = self.resolve()?;
        bench.validate()?;
        let threads = self.threads.unwrap_or_else(threads::default);
        threads::set(threads)?;
        if let Subject::Folder(model) = &bench.subject {
            preset::fetch(model, self.quiet)?;
        }
        if let Some(work) = self.here {
            return term::print_json(&bench.measure(work)?);
        }
        bench.config()?;
        if let Some(factors) = &self.grow {
            return self.growth(bench, factors.clone(), threads);
        }
        let mut works = Works::default();
        for work in self.work.as_deref().unwrap_or(&Work::ALL) {
            *works.of(*work) = Some(elsewhere(&bench, self.lengths.as_deref(), *work, threads)?);
        }
        let source_tokens = bench.lengths().iter().sum();
        let Bench { batch_size, source_len, target_len, shuffles, repeats, warm_up, low_memory, .. } = bench;
        let outcome = Outcome {
            model: bench.subject.name(),
            threads,
            batch_size,
            source_len,
            source_tokens,
            target_len,
            shuffles,
            repeats,
            warm_up,
            low_memory,
            sgemm_gflops: bench::sgemm_gflops()?,
            works,
        };
        if self.json { term::print_json(&outcome) } else { print_table(outcome) }
    }

    /// Measures as things grow.
    fn growth(&self, bench: Bench, factors: Vec<Factor>, threads: usize) -> Result<()> {
        let works = self.work.clone().unwrap_or_else(|| vec![Work::Alignment, Work::Training]);
        let out = self.out.clone().unwrap_or_else(|| "reports/bench".into());
        let growth = Growth { out, factors, works, threads, bench };
        let existing = match (self.resume, self.force) {
            (true, _) => Existing::Resume,
            (false, true) => Existing::Overwrite,
            (false, false) => Existing::Refuse,
        };
        let measure = |bench: &Bench, work| elsewhere(bench, self.lengths.as_deref(), work, threads);
        let outcome = {
            let mut term = Term::new(self.quiet);
            term.catch_interrupt();
            growth::run(&growth, existing, &how::command_line(), &measure, &mut term)?
        };
        match self.json {
            true => term::print_json(&outcome),
            false => how::print_outcome(&outcome.table, &outcome.signature, &outcome.files),
        }
    }

    fn resolve(&self) -> Result<Bench> {
        let subject = match (&self.model, &self.shape) {
            (_, Some(name)) => shape(name)?,
            (Some(model), None) => Subject::Folder(model.clone()),
            (None, None) => Subject::Folder(MINI.into()),
        };
        Ok(Bench {
            subject,
            lengths: self.lengths.as_deref().map(lengths).transpose()?,
            batch_size: self.batch_size.unwrap_or(BATCH_SIZE),
            source_len: self.source_len.unwrap_or(SOURCE_LEN),
            target_len: self.target_len.unwrap_or(TARGET_LEN),
            shuffles: self.shuffles.unwrap_or(SHUFFLES),
            repeats: self.repeats.unwrap_or(REPEATS),
            warm_up: self.warm_up.unwrap_or(WARM_UP),
            low_memory: self.low_memory,
            num_layers: self.num_layers,
            d_model: self.d_model,
        })
    }
}

/// What `--shape` names.
fn shape(name: &str) -> Result<Subject> {
    if let Some(shape) = Shape::ALL.into_iter().find(|shape| shape.name() == name) {
        return Ok(Subject::Shape(shape));
    }
    let path = PathBuf::from(name);
    if path.extension().is_some_and(|extension| extension == "json") {
        return Ok(Subject::Config(path));
    }
    Err(Error::input(format!("there is no shape `{name}`"))
        .flag("--shape")
        .next(format!("give {}, or the path of a config.json", Shape::ALL.map(Shape::name).join(", "))))
}

/// A number a line.
fn lengths(path: &Path) -> Result<Vec<usize>> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io("read", path, error).flag("--lengths"))?;
    let parse = |(number, line): (usize, &str)| {
        line.trim().parse().map_err(|_| {
            Error::input(format!("`{line}` is not a number of tokens"))
                .at(path)
                .line(number + 1)
                .flag("--lengths")
                .next("give a whole number on each line")
        })
    };
    text.lines().enumerate().map(parse).collect()
}

/// Measures `work` in a process of its own.
fn elsewhere(bench: &Bench, lengths: Option<&Path>, work: Work, threads: usize) -> Result<Measured> {
    let mut command = again::command("bench")?;
    match &bench.subject {
        Subject::Folder(path) => command.arg("--model").arg(model_folder::pinned(path)),
        Subject::Shape(_) | Subject::Config(_) => command.arg("--shape").arg(bench.subject.name()),
    };
    for (flag, value) in [
        ("--batch-size", bench.batch_size),
        ("--target-len", bench.target_len),
        ("--shuffles", bench.shuffles),
        ("--repeats", bench.repeats),
        ("--warm-up", bench.warm_up),
        ("--threads", threads),
    ] {
        command.arg(flag).arg(value.to_string());
    }
    for (flag, value) in [("--num-layers", bench.num_layers), ("--d-model", bench.d_model)] {
        if let Some(value) = value {
            command.arg(flag).arg(value.to_string());
        }
    }
    match lengths {
        Some(path) => command.arg("--lengths").arg(path),
        None => command.arg("--source-len").arg(bench.source_len.to_string()),
    };
    if bench.low_memory {
        command.arg("--low-memory");
    }
    let what = format!("the measurement of {}", work.name());
    let output = again::output(command.args(["--here", work.name()]), &what)?;
    serde_json::from_slice(&output)
        .map_err(|source| Error::check(format!("internal: {what} said something else: {source}")).caused_by(source))
}

fn print_table(outcome: Outcome) -> Result<()> {
    let Outcome { batch_size, source_tokens, target_len, shuffles, sgemm_gflops, .. } = outcome;
    let mut rows = vec![["work", "median s", "min s", "max s", "peak MiB", "GFLOP/s", "of sgemm"].map(String::from)];
    let mut works = outcome.works;
    for work in Work::ALL {
        let Some(Measured { median_s, min_s, max_s, peak_rss_mib, gflops }) = *works.of(work) else { continue };
        let peak = peak_rss_mib.map_or_else(|| "unknown".to_string(), |mib| format!("{mib:.0}"));
        let [median, min, max] = [median_s, min_s, max_s].map(|seconds| format!("{seconds:.3}"));
        let rate = gflops.map_or_else(String::new, |gflops| format!("{gflops:.0}"));
        let share = gflops.map_or_else(String::new, |gflops| format!("{:.0} %", 100.0 * gflops / sgemm_gflops));
        rows.push([work.name().to_string(), median, min, max, peak, rate, share]);
    }
    let text = format!(
        "model    {}\nbatch    {batch_size} examples, {source_tokens} source tokens in all, {target_len} target tokens each, \
         {shuffles} shuffle{}\nthreads  {}{}\nsgemm    {sgemm_gflops:.0} GFLOP/s\n\n{}",
        outcome.model,
        if shuffles == 1 { "" } else { "s" },
        outcome.threads,
        if outcome.low_memory { ", low memory" } else { "" },
        table::columns(rows)
    );
    term::print(text.as_bytes())
}
