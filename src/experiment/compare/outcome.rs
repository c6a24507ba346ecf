//! The tables of a comparison, from the rows in its folders.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::data::Target;
use super::examples::examples;
use super::folders::{self, RUNS, apart, groups};
use super::pairs::pairs;
use crate::data::Task;
use crate::error::{Error, Result};
use crate::experiment::asking;
use crate::experiment::attachment::{Attachment, hashed};
use crate::experiment::compare_summary::{self, summary_rows};
use crate::experiment::figures;
use crate::model_folder;
use crate::plot;
use crate::report::compare_view::CompareView;
use crate::report::csv::to_csv;
use crate::report::files::{
    self, CHECKPOINTS, COMPARE, COMPARE_FILES, COMPARE_SUMMARY, OUTPUTS_MD, PAIRED, ROWS, RUN, SPEC, TABLE_MD,
    TABLE_TEX,
};
use crate::report::rows_file::read_rows;
use crate::report::run_info::{DataInfo, HashedFile, ModelInfo};
use crate::report::summary::{self, table_md, table_tex};
use crate::report::{CheckpointRow, CompareRow, CompareSummaryRow, RunFolder};
use crate::spec::Compare;
use crate::spec::compare::{AttachPrompt, SoftPrompt, StageTraining};

/// What a run leaves behind.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The run folder.
    pub out: PathBuf,
    /// Tables and figures.
    pub files: Vec<PathBuf>,
    /// What decides the numbers, in one line.
    pub signature: String,
    /// What has to be said beside every number of this model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// Rows of `compare.csv`.
    pub rows: usize,
    /// The paper's table, for people.
    #[serde(skip)]
    pub table: String,
}

/// One line that goes with every number of the run.
pub(super) fn signature(spec: &Compare, all: &[Vec<Target>], model: &ModelInfo) -> Result<String> {
    let first = all.first().map_or(&[][..], Vec::as_slice);
    let names: Vec<&str> = first.iter().map(|target| target.name.as_str()).collect();
    let stage = |name: &str, stage: &StageTraining| {
        format!("{name}:{}", stage.training.signature(&format!("{}/{}", stage.steps, stage.probe_every)))
    };
    let mut parts = vec![
        format!("fsa:{}", env!("CARGO_PKG_VERSION")),
        format!("model:{}", model.weights()),
        format!("target:{}:{}shot", names.join("+"), spec.target_shots),
        format!("chosen:validation|reported:{}", spec.report.name()),
        format!("attach-prompt:{}", spec.attach_prompt.name()),
        format!("decoding:{}", spec.decoding.signature()),
        format!("prompt-sentinel:{}", if spec.prompt_sentinel { "on" } else { "off" }),
        "target-sentinel:off".to_string(),
        format!("limit:{}", spec.limit.map_or_else(|| "none".to_string(), |limit| limit.to_string())),
        stage("model-stage", &spec.model_stage),
        stage("prompt-stage", &spec.prompt_stage),
        prompt_signature(&spec.prompt)?,
        stage("lora-stage", &spec.lora_stage),
        spec.lora.signature(),
        format!("mix:{}", spec.mix),
    ];
    for asked in first.iter().take(1).flat_map(|target| &target.evaluations) {
        let scores = asking::signatures(asked)?.join("+").replace('|', ",");
        parts.push(format!("{}:{}shot:n{}({scores})", asked.task.name(), asked.shots, asked.questions.len()));
    }
    let hashes: Vec<String> = data_info(all).iter().map(DataInfo::signature).collect();
    parts.push(format!("data:{}", hashes.join("+")));
    parts.push(format!("seeds:{}-{}", spec.seed, spec.seed.wrapping_add(spec.seeds - 1)));
    parts.push("dtype:f32".to_string());
    parts.push(format!("threads:{}", spec.threads));
    if let Some(attachment) = Attachment::read(spec.adapter.as_deref())? {
        parts.insert(2, format!("{}:merged", attachment.signature()));
    }
    Ok(parts.join("|"))
}

/// A new soft prompt, for signatures.
pub(in crate::experiment) fn prompt_signature(prompt: &SoftPrompt) -> Result<String> {
    let init = match (&prompt.text, prompt_file(prompt)?) {
        (Some(_), _) => "text".to_string(),
        (_, Some(file)) => format!("file:{}", file.sha256.chars().take(12).collect::<String>()),
        _ => prompt.init.name().to_string(),
    };
    Ok(format!("prompt:{}x{init}", prompt.length))
}

/// The weights of the soft prompt that new ones start from, where a file is given.
pub(in crate::experiment) fn prompt_file(prompt: &SoftPrompt) -> Result<Option<HashedFile>> {
    let Some(dir) = &prompt.file else { return Ok(None) };
    let mut files = hashed(dir).map_err(|error| error.flag("--prompt-file"))?;
    let none =
        || Error::input("there is no adapter").at(dir).flag("--prompt-file").next("give a folder in PEFT's layout");
    files.pop().map(Some).ok_or_else(none)
}

/// Every file that is read, once, for `run.json`.
pub(super) fn data_info(all: &[Vec<Target>]) -> Vec<DataInfo> {
    let mut seen = std::collections::BTreeSet::new();
    let mut infos: Vec<DataInfo> = all.iter().flatten().flat_map(Target::info).collect();
    infos.retain(|info| seen.insert(info.path.clone()));
    infos
}

/// What there is of a run: the rows of every method, in the order of the table, and of their checkpoints.
struct Rows {
    scores: Vec<CompareRow>,
    checkpoints: Vec<CheckpointRow>,
}

impl Rows {
    /// Those in the folders of the run.
    fn read(spec: &Compare) -> Result<Self> {
        let mut rows = Self { scores: Vec::new(), checkpoints: Vec::new() };
        let tasks = spec.target.iter().map(|name| Task::resolve(name)).collect::<Result<Vec<_>>>()?;
        let names: Vec<&str> = tasks.iter().map(Task::name).collect();
        for seed in spec.root_seeds() {
            for method in super::methods(spec)? {
                for group in groups(&method, &names) {
                    rows.scores.extend(there(&folders::evaluated(&spec.out, &group, seed, &method))?);
                    for (number, stage) in method.stages().iter().enumerate() {
                        for group in apart(stage, &group) {
                            let of_stage = there(&folders::stage(&spec.out, &group, seed, &method, number))?;
                            let named = |row| CheckpointRow { method: method.name(), ..row };
                            rows.checkpoints.extend(of_stage.into_iter().map(named));
                        }
                    }
                }
            }
        }
        Ok(rows)
    }

    fn view(&self, spec: &Compare) -> Result<CompareView<'_>> {
        CompareView::new(&self.scores, spec.attach_prompt == AttachPrompt::Matched)
    }
}

/// The rows in the folder `dir`; none if it has not come to that.
fn there<R: DeserializeOwned>(dir: &Path) -> Result<Vec<R>> {
    let path = dir.join(ROWS);
    if path.is_file() { read_rows(path).map(|rows| rows.rows) } else { Ok(Vec::new()) }
}

/// Writes the tables of what there is.
pub(super) fn write(spec: &Compare, folder: &RunFolder, signature: &str) -> Result<()> {
    let rows = Rows::read(spec)?;
    if rows.scores.is_empty() {
        return Ok(());
    }
    folder.write_atomic(COMPARE, &to_csv(&rows.scores)?)?;
    folder.write_atomic(CHECKPOINTS, &to_csv(&rows.checkpoints)?)?;
    let view = rows.view(spec)?;
    let summaries = summary_rows(&view, view.seeds());
    let by_seed = compare_summary::by_seed(&view);
    folder.write_atomic(COMPARE_SUMMARY, &to_csv(&summaries)?)?;
    folder.write_atomic(PAIRED, &to_csv(&pairs(spec, &view)?)?)?;
    folder.write_atomic(TABLE_MD, table_md(&view, &summaries, &by_seed, signature).as_bytes())?;
    folder.write_atomic(TABLE_TEX, table_tex(&view, &summaries, signature).as_bytes())?;
    folder.write_atomic(OUTPUTS_MD, examples(spec, &view)?.as_bytes())?;
    draw(folder, &rows, &view, &summaries, false).map(drop)
}

fn draw(
    folder: &RunFolder,
    rows: &Rows,
    view: &CompareView,
    summaries: &[CompareSummaryRow],
    paper: bool,
) -> Result<Vec<PathBuf>> {
    figures::write(folder, plot::compare(view, summaries, &rows.checkpoints, paper)?)
}

/// Whether the run in `folder` is a comparison.
pub(in crate::experiment) fn is_run(folder: &RunFolder) -> bool {
    folder.file(RUNS).is_dir()
}

/// Draws the figures of the comparison in `folder` from its rows.
pub(in crate::experiment) fn redraw(folder: &RunFolder, paper: bool) -> Result<Vec<PathBuf>> {
    // The folder may have been moved.
    let spec = Compare { out: folder.path().to_path_buf(), ..folder.read_spec()? };
    let rows = Rows::read(&spec)?;
    let view = rows.view(&spec)?;
    draw(folder, &rows, &view, &summary_rows(&view, view.seeds()), paper)
}

/// What there is of a run: the scores of methods, and of all checkpoints.
pub(in crate::experiment) fn rows(spec: &Compare) -> Result<(Vec<CompareRow>, Vec<CheckpointRow>)> {
    Rows::read(spec).map(|rows| (rows.scores, rows.checkpoints))
}

/// What the run in `folder` has come to.
pub(super) fn of(spec: &Compare, folder: &RunFolder, signature: String) -> Result<Outcome> {
    let rows = Rows::read(spec)?;
    let view = rows.view(spec)?;
    let drawn: Vec<String> = COMPARE_FILES.figures.iter().flat_map(|name| files::figure(name)).collect();
    let names = [SPEC, RUN].into_iter().chain(COMPARE_FILES.tables.iter().copied());
    let files = names.chain(drawn.iter().map(String::as_str)).map(|name| folder.file(name));
    let files = files.filter(|file| file.is_file()).collect();
    let note = model_folder::note(&spec.model);
    let table = summary::with_note(summary::compare(&view, &summary_rows(&view, view.seeds())), note);
    Ok(Outcome { out: folder.path().to_path_buf(), files, signature, note, rows: rows.scores.len(), table })
}
