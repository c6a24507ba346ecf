//! What a step costs as one thing grows and all else stays, so that a larger run can be predicted.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Bench, Measured, Work};
use crate::error::{Error, Result};
use crate::experiment::{Events, Existing, figures, fine_tune};
use crate::measure::log_slope;
use crate::plot;
use crate::report::csv::to_csv;
use crate::report::files::{GROWTH, GROWTH_MD, ROWS, RUN, SPEC};
use crate::report::rows_file::read_rows;
use crate::report::{GrowthRow, RowsFile};

/// What can grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Factor {
    /// Examples.
    BatchSize,
    /// Tokens of each source.
    SourceLen,
    /// Shuffles of an alignment step.
    Shuffles,
    /// Blocks of the encoder and of the decoder.
    Depth,
    /// Numbers in a hidden state, and with them heads and the feed-forward's.
    Width,
}

impl Factor {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 5] = [Self::BatchSize, Self::SourceLen, Self::Shuffles, Self::Depth, Self::Width];

    /// Its name on the command line and in rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::BatchSize => "batch-size",
            Self::SourceLen => "source-len",
            Self::Shuffles => "shuffles",
            Self::Depth => "depth",
            Self::Width => "width",
        }
    }

    /// Its values, each twice the one before: around what `bench` has.
    fn values(self, bench: &Bench) -> Result<Vec<usize>> {
        let shape = bench.config()?.shape;
        let half = |value: usize, times: &[usize]| times.iter().map(|times| (value / 2).max(1) * times).collect();
        Ok(match self {
            Self::BatchSize => half(bench.batch_size, &[1, 2, 4]),
            Self::SourceLen => half(bench.source_len, &[1, 2, 4]),
            Self::Shuffles => vec![1, 2, 4, 8],
            Self::Depth => half(shape.num_layers, &[1, 2, 4]),
            Self::Width => half(shape.d_model, &[1, 2, 4]),
        })
    }

    /// `bench` with it at `value`.
    fn at(self, bench: &Bench, value: usize) -> Bench {
        let mut bench = bench.clone();
        match self {
            Self::BatchSize => bench.batch_size = value,
            Self::SourceLen => bench.source_len = value,
            Self::Shuffles => bench.shuffles = value,
            Self::Depth => bench.num_layers = Some(value),
            Self::Width => bench.d_model = Some(value),
        }
        bench
    }

    /// Whether `work` depends on it.
    fn concerns(self, work: Work) -> bool {
        self != Self::Shuffles || work == Work::Alignment
    }
}

/// What is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    /// The run folder.
    pub out: PathBuf,
    /// What grows.
    pub factors: Vec<Factor>,
    /// What is done.
    pub works: Vec<Work>,
    /// Threads.
    pub threads: usize,
    /// What all else stays at.
    pub bench: Bench,
}

/// What it leaves.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The run folder.
    pub out: PathBuf,
    /// Every file written.
    pub files: Vec<PathBuf>,
    /// What decides the numbers, in one line.
    pub signature: String,
    /// The slopes, for people.
    #[serde(skip)]
    pub table: String,
}

/// Measures with `measure`, which does it in a process of its own; what an earlier run in the folder has measured stays.
///
/// # Errors
/// If something cannot be measured or written.
pub fn run(
    growth: &Growth,
    existing: Existing,
    command: &[String],
    measure: &dyn Fn(&Bench, Work) -> Result<Measured>,
    events: &mut dyn Events,
) -> Result<Outcome> {
    growth.bench.validate()?;
    let all = points(growth)?;
    let folder = fine_tune::open_folder(&growth.out, growth, existing)?;
    if existing == Existing::Overwrite {
        folder.clear()?;
    }
    let mut info = fine_tune::run_info(0, growth.threads, command);
    info.signature = signature(growth);
    folder.write_spec(growth)?;
    folder.write_run(&info)?;
    let mut file = RowsFile::open(folder.file(ROWS))?;
    let mut rows: Vec<GrowthRow> = read_rows(folder.file(ROWS))?.rows;
    let is_there = |rows: &[GrowthRow], (factor, work, value): (Factor, Work, usize)| {
        rows.iter().any(|row| {
            (row.factor.as_str(), row.work.as_str(), row.value) == (factor.name(), work.name(), value as u64)
        })
    };
    let left: Vec<_> = all.iter().copied().filter(|point| !is_there(&rows, *point)).collect();
    events.begin(all.len() as u64, (all.len() - left.len()) as u64);
    let measured = left.into_iter().enumerate().try_for_each(|(number, point)| {
        let (factor, work, value) = point;
        if events.interrupted() {
            return Err(Error::interrupted("stopped between two measurements")
                .at(&growth.out)
                .next("go on with --resume"));
        }
        events.advance(rows.len() as u64, &format!("{} with {} {value}", work.name(), factor.name()));
        let Measured { median_s, min_s, max_s, peak_rss_mib, gflops } =
            measure(&factor.at(&growth.bench, value), work)?;
        let row = GrowthRow {
            model: growth.bench.subject.name(),
            work: work.name().into(),
            factor: factor.name().into(),
            value: value as u64,
            repeats: growth.bench.repeats as u64,
            threads: growth.threads as u64,
            median_s,
            min_s,
            max_s,
            peak_rss_mib,
            gflops,
        };
        file.append(std::slice::from_ref(&row))?;
        rows.push(row);
        events.advance(rows.len() as u64, &format!("{} of {}", number + 1, all.len()));
        Ok(())
    });
    let mut files: Vec<PathBuf> = [SPEC, RUN, ROWS].map(|name| folder.file(name)).into();
    let table = table(&rows);
    if !rows.is_empty() {
        files.push(folder.write_atomic(GROWTH, &to_csv(&rows)?)?);
        files.push(folder.write_atomic(GROWTH_MD, page(&table, &info.signature).as_bytes())?);
        files.extend(figures::write(&folder, vec![plot::growth(&rows, &info.signature)?])?);
    }
    let signature = info.signature.clone();
    folder.write_run(&info.end(fine_tune::status_of(&measured)))?;
    measured?;
    Ok(Outcome { out: growth.out.clone(), files, signature, table })
}

/// Every measurement.
fn points(growth: &Growth) -> Result<Vec<(Factor, Work, usize)>> {
    let mut all = Vec::new();
    for &factor in &growth.factors {
        for value in factor.values(&growth.bench)? {
            factor.at(&growth.bench, value).config()?;
            let works = growth.works.iter().filter(|work| factor.concerns(**work));
            all.extend(works.map(|&work| (factor, work, value)));
        }
    }
    Ok(all)
}

fn signature(growth: &Growth) -> String {
    let Bench { batch_size, source_len, target_len, shuffles, repeats, num_layers, d_model, low_memory, .. } =
        growth.bench;
    let mut parts = vec![
        format!("fsa:{}", env!("CARGO_PKG_VERSION")),
        format!("model:{}", growth.bench.subject.name()),
        format!("batch:{batch_size}"),
        format!("source:{source_len}"),
        format!("target:{target_len}"),
        format!("shuffles:{shuffles}"),
        format!("repeats:{repeats}"),
        format!("threads:{}", growth.threads),
    ];
    parts.extend(num_layers.map(|layers| format!("num-layers:{layers}")));
    parts.extend(d_model.map(|width| format!("d-model:{width}")));
    parts.extend(low_memory.then(|| "low-memory".to_string()));
    parts.join("|")
}

/// A line for each factor and work: the range, seconds and memory at its ends, and both slopes.
fn table(rows: &[GrowthRow]) -> String {
    let mut text = String::from(
        "| grows | work | from | to | seconds | slope | MiB | slope |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for factor in Factor::ALL {
        for work in Work::ALL {
            let is_of = |row: &&GrowthRow| (row.factor.as_str(), row.work.as_str()) == (factor.name(), work.name());
            let mut of: Vec<&GrowthRow> = rows.iter().filter(is_of).collect();
            of.sort_by_key(|row| row.value);
            let (Some(first), Some(last)) = (of.first(), of.last()) else { continue };
            let slope = |read: &dyn Fn(&GrowthRow) -> Option<f64>| {
                let points: Option<Vec<_>> = of.iter().map(|row| Some((row.value as f64, read(row)?))).collect();
                points.and_then(|points| log_slope(&points)).map_or_else(String::new, |slope| format!("{slope:.2}"))
            };
            let mib = |row: &GrowthRow| row.peak_rss_mib.map_or_else(String::new, |mib| format!("{mib:.0}"));
            text.push_str(&format!(
                "| {} | {} | {} | {} | {:.3} to {:.3} | {} | {} to {} | {} |\n",
                factor.name(),
                work.name(),
                first.value,
                last.value,
                first.median_s,
                last.median_s,
                slope(&|row| Some(row.median_s)),
                mib(first),
                mib(last),
                slope(&|row| row.peak_rss_mib),
            ));
        }
    }
    text
}

fn page(table: &str, signature: &str) -> String {
    format!(
        "# What a step costs as one thing grows\n\nOne thing is doubled again and again, and all else stays: medians. A slope is \
         that of the straight line through the logarithms: with a slope of 1, twice the value takes twice as long; with less, the \
         part that does not grow with it shows. `width` takes heads and the feed-forward with it. Memory is the peak of a process \
         that does nothing else, the program's own 40 MiB and the weights included.\n\n`{signature}`\n\n{table}\n\
         ![What a step costs as one thing grows](figures/growth.png)\n"
    )
}
