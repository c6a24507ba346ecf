//! `fsa pretrain`: train a small T5 from nothing on a generated corpus, watch its loss and its answers on the way, and leave it
//! in Hugging Face layout.

mod card;
mod evaluate;
mod setup;
mod stream;
mod time;

use std::path::PathBuf;

use serde::Serialize;

use self::setup::{Setup, evaluations};
use self::stream::Stream;
use super::estimate::{self, Time};
use super::fine_tune::{self, FineTune, Probing};
use super::{Events, Existing};
use crate::data::Corpus;
use crate::error::Result;
use crate::model::load::shapes;
use crate::model::memory::{self, AtOnce};
use crate::model::{Initial, Param, T5};
use crate::report::csv::to_csv;
use crate::report::files::{MODEL, MODEL_FILES, PRETRAIN, ROWS, RUN, SCORE_ROWS, SCORES, SPEC};
use crate::report::rows_file::{read_rows, truncate_after};
use crate::report::run_info::RunInfo;
use crate::report::{PretrainRow, RowsFile, RunFolder, ScoreRow, summary};
use crate::spec::{Pretrain, Seeds};
use crate::train::{Checkpoint, Trainer};

/// What a run leaves behind.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The run folder.
    pub out: PathBuf,
    /// The model's folder in it.
    pub model: PathBuf,
    /// Every file written.
    pub files: Vec<PathBuf>,
    /// What decides the numbers, in one line.
    pub signature: String,
    /// Rows written.
    pub rows: usize,
    /// A short table, for people.
    #[serde(skip)]
    pub table: String,
}

/// What `--dry-run` prints.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// Probe steps.
    pub probe_steps: Vec<u64>,
    /// Documents that training sees.
    pub documents: u64,
    /// Evaluations, `task:shots` each.
    pub evaluations: Vec<String>,
    /// Tokens of the vocabulary.
    pub vocabulary: usize,
    /// Numbers in the model.
    pub params: u64,
    /// Estimated peak memory in MiB.
    pub memory_mib: u64,
    /// How long it will take, measured just now; none where the run does not fit into memory.
    pub time: Option<Time>,
    /// What decides the numbers, in one line.
    pub signature: String,
    /// Warnings that the run would give.
    pub warnings: Vec<String>,
}

/// Trains on `corpus`. `command` is recorded in `run.json`.
///
/// # Errors
/// Of [`crate::Kind::Input`] if it could not run, `Check` if a number is not finite, `Interrupted` if the user stopped it; in the
/// last two cases rows and tables so far are complete files.
pub fn run(
    spec: &Pretrain,
    corpus: &dyn Corpus,
    existing: Existing,
    command: &[String],
    events: &mut dyn Events,
) -> Result<Outcome> {
    let folder = fine_tune::open_folder(&spec.out, spec, existing)?;
    if let Some(info) = fine_tune::finished(&folder, existing, events)? {
        let rows = Rows::read(&folder)?;
        let mut files = written(&folder, &rows)?;
        files.extend(MODEL_FILES.map(|name| folder.file(name)));
        return Ok(outcome(&folder, files, info.signature, &rows));
    }
    let seeds = Seeds::new(spec.seed);
    let prepared = Setup::new(spec, corpus).and_then(|setup| {
        let model = T5::random_with(setup.config.clone(), initial(spec), seeds)?;
        spec.training.check_trainable(model.params().iter().map(Param::name))?;
        Ok((setup, model))
    });
    let (setup, model) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            folder.abandon();
            return Err(error);
        }
    };
    let mut info = fine_tune::run_info(spec.seed, spec.threads, command);
    info.signature = setup.signature(spec);
    info.data = vec![setup.info(spec)];
    let mut batches = Stream::new(corpus, &setup.tokenizer, &spec.training);
    let trainer = Trainer::new(&spec.training, spec.steps, seeds);
    let mut training = FineTune { folder: &folder, model: &model, trainer, batches: &mut batches };
    if let Some(step) = training.restore(existing, &info)? {
        truncate_after(folder.file(ROWS), step)?;
        truncate_after(folder.file(SCORE_ROWS), step)?;
    }
    folder.write_spec(spec)?;
    folder.write_run(&info)?;
    let mut probes = Probes::open(spec, &folder, &setup)?;
    let result = training.go(spec.steps, &spec.probe_steps(), &mut probes, events);
    let rows = probes.rows;
    let signature = info.signature.clone();
    let publish = || card::files(spec, &setup, &model, &rows.losses, &rows.scores, &signature);
    let files = finish(&folder, &rows, publish, info, result)?;
    Ok(outcome(&folder, files, signature, &rows))
}

/// What the weights begin with.
fn initial(spec: &Pretrain) -> Initial {
    let Pretrain { embedding_deviation, bias_slope, self_avoidance, likeness, .. } = *spec;
    Initial { embedding_deviation, bias_slope, self_avoidance, likeness }
}

/// Says what [`run`] would do, without writing anything: how long it will take comes from doing some of it.
///
/// # Errors
/// As [`run`], for everything that can be seen before the first step.
pub fn plan(spec: &Pretrain, corpus: &dyn Corpus) -> Result<Plan> {
    let setup = Setup::new(spec, corpus)?;
    let shapes = shapes(&setup.config);
    spec.training.check_trainable(shapes.iter().map(|(name, _)| name.as_str()))?;
    let params = shapes.iter().map(|(_, shape)| shape.iter().product::<usize>() as u64).sum();
    let batch = spec.training.batch_size;
    let asked = setup.asked.iter().map(|asked| asked.most_at_once()).max_by_key(|&(_, tokens)| tokens);
    let (outputs, outputs_source_tokens) = asked.unwrap_or((0, 0));
    let at_once = AtOnce { source_tokens: setup.tokens, examples: batch, losses: 1, outputs, outputs_source_tokens };
    let memory_mib = memory::estimate_mib(&setup.config, params, at_once, &spec.training);
    let mut warnings = Vec::new();
    let time = estimate::if_it_fits(memory_mib, &mut warnings, || time::time(spec, corpus, &setup))?;
    Ok(Plan {
        probe_steps: spec.probe_steps(),
        documents: spec.steps * batch as u64,
        evaluations: evaluations(spec, corpus).iter().map(ToString::to_string).collect(),
        vocabulary: setup.tokenizer.vocab_size(),
        params,
        memory_mib,
        time,
        signature: setup.signature(spec),
        warnings,
    })
}

/// The rows of a run.
struct Rows {
    losses: Vec<PretrainRow>,
    scores: Vec<ScoreRow>,
}

impl Rows {
    fn read(folder: &RunFolder) -> Result<Self> {
        Ok(Self { losses: read_rows(folder.file(ROWS))?.rows, scores: read_rows(folder.file(SCORE_ROWS))?.rows })
    }
}

/// The probes of a run under way.
struct Probes<'a> {
    spec: &'a Pretrain,
    folder: &'a RunFolder,
    setup: &'a Setup,
    loss_file: RowsFile,
    score_file: RowsFile,
    rows: Rows,
    training_loss: Option<f64>,
}

impl<'a> Probes<'a> {
    fn open(spec: &'a Pretrain, folder: &'a RunFolder, setup: &'a Setup) -> Result<Self> {
        let loss_file = RowsFile::open(folder.file(ROWS))?;
        let score_file = RowsFile::open(folder.file(SCORE_ROWS))?;
        let rows = Rows::read(folder)?;
        Ok(Self { spec, folder, setup, loss_file, score_file, rows, training_loss: None })
    }
}

impl Probing for Probes<'_> {
    fn units(&self) -> u64 {
        1 + self.setup.asked.iter().map(evaluate::Asked::ticks).sum::<u64>()
    }

    fn has(&self, step: u64) -> bool {
        self.rows.losses.last().is_some_and(|row| row.step >= step)
    }

    fn trained(&mut self, mean_loss: Option<f64>) {
        self.training_loss = mean_loss;
    }

    fn probe(&mut self, model: &T5, step: u64, tick: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        tick("held-out loss")?;
        let losses = self.setup.held_out.rows(model, self.spec, step, self.training_loss)?;
        let mut scores = Vec::new();
        for asked in &self.setup.asked {
            scores.extend(asked.rows(model, &self.setup.tokenizer, self.spec, step, tick)?);
        }
        // The scores first: a probe counts as measured once its losses are there.
        self.score_file.append(&scores)?;
        self.loss_file.append(&losses)?;
        self.rows.scores.extend(scores);
        self.rows.losses.extend(losses);
        written(self.folder, &self.rows).map(drop)
    }
}

/// Writes tables and, of a run that came to its end, the model; the error of the run itself comes first.
fn finish(
    folder: &RunFolder,
    rows: &Rows,
    publish: impl FnOnce() -> Result<Vec<(&'static str, Vec<u8>)>>,
    info: RunInfo,
    result: Result<()>,
) -> Result<Vec<PathBuf>> {
    let info = info.end(fine_tune::status_of(&result));
    let write = || -> Result<Vec<PathBuf>> {
        let mut files = written(folder, rows)?;
        if result.is_ok() {
            for (name, bytes) in publish()? {
                files.push(folder.write_atomic(name, &bytes)?);
            }
        }
        // Last: a run that says it is finished has everything.
        folder.write_run(&info)?;
        if result.is_ok() {
            Checkpoint::remove_all(folder.path())?;
        }
        Ok(files)
    };
    let written = write();
    result.and(written)
}

/// Writes the tables of the rows there are; returns every file of the run but the model's.
fn written(folder: &RunFolder, rows: &Rows) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = [SPEC, RUN, ROWS, SCORE_ROWS].map(|name| folder.file(name)).into();
    if !rows.losses.is_empty() {
        files.push(folder.write_atomic(PRETRAIN, &to_csv(&rows.losses)?)?);
        files.push(folder.write_atomic(SCORES, &to_csv(&rows.scores)?)?);
    }
    Ok(files)
}

fn outcome(folder: &RunFolder, files: Vec<PathBuf>, signature: String, rows: &Rows) -> Outcome {
    Outcome {
        out: folder.path().to_path_buf(),
        model: folder.file(MODEL),
        files,
        signature,
        rows: rows.losses.len() + rows.scores.len(),
        table: summary::pretrain(&rows.losses, &rows.scores),
    }
}
