//! `fsa mini report`: runs on the mini world, several seeds of each kind, summed up in one page beside them.

use std::path::{Path, PathBuf};

use super::baselines;
use crate::error::{Error, Result};
use crate::report::files::{ROWS, SPEC, TARGET_ROWS};
use crate::report::folder::write_atomic;
use crate::report::rows_file::read_rows;
use crate::report::run_info::Status;
use crate::report::summary::{self, MiniRows};
use crate::report::{LabelRatioRow, RunFolder};
use crate::spec::label_ratio::Source;
use crate::spec::{LabelRatio, MINI_SEED};

/// The page's file.
const REPORT: &str = "README.md";

const TEMPLATE: &str = include_str!("report.md");

/// Sums up the finished runs in the sub-folders of `dir` and writes `README.md` beside them; returns its path.
///
/// # Errors
/// If there is no run, or one that has not finished.
pub fn report(dir: &Path) -> Result<PathBuf> {
    let mut rows = MiniRows::default();
    let mut signatures = String::new();
    let folders = runs(dir)?;
    for folder in &folders {
        let info = folder.read_run()?;
        if info.status != Status::Finished {
            return Err(Error::input("the run in it has not finished")
                .at(folder.path())
                .next("finish it with --resume, or remove the folder"));
        }
        let name = folder.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let command = info.command.clone().unwrap_or_default().join(" ");
        signatures += &format!("- [`{name}`]({name}): `{command}`  \n  `{}`\n", info.signature);
        add(folder, &mut rows)?;
    }
    let words: Vec<String> = baselines(MINI_SEED)?
        .iter()
        .filter(|baseline| baseline.task == "rte")
        .map(|it| format!("{} {:.1} [{:.1}, {:.1}]", it.baseline, it.accuracy, it.low, it.high))
        .collect();
    let page = TEMPLATE
        .replace("{baselines}", &words.join(", "))
        .replace("{summary}", &summary::mini(&rows))
        .replace("{runs}", &signatures);
    let path = dir.join(REPORT);
    write_atomic(&path, page.as_bytes())?;
    Ok(path)
}

/// The run folders in `dir`, by name.
fn runs(dir: &Path) -> Result<Vec<RunFolder>> {
    let entries = std::fs::read_dir(dir).map_err(|error| Error::io("read", dir, error))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.join(SPEC).is_file());
    paths.sort();
    match paths.is_empty() {
        true => Err(Error::input("there are no run folders in it")
            .at(dir)
            .next("give the folder that runs of gradient-align and label-ratio have as their --out's parent")),
        false => paths.into_iter().map(RunFolder::open).collect(),
    }
}

/// The rows of one run, with those of its kind.
fn add(folder: &RunFolder, rows: &mut MiniRows) -> Result<()> {
    if !folder.file(TARGET_ROWS).is_file() {
        rows.gradients.extend(read_rows(folder.file(ROWS))?.rows);
        return Ok(());
    }
    let spec = folder.read_spec::<LabelRatio>()?;
    let targets = read_rows(folder.file(TARGET_ROWS))?.rows;
    let answers: Vec<LabelRatioRow> = read_rows(folder.file(ROWS))?.rows;
    // The target's own rows are in `targets`; before fine-tuning it is a task like any other.
    let asked = answers.iter().filter(|row| row.task != row.target).cloned();
    match &spec.source {
        Source::Train { steps: 0, .. } => rows.pretrained.extend(answers),
        Source::Train { training, .. } if !training.trains_everything() => rows.norms_only.extend(targets),
        _ => {
            rows.answers.extend(asked);
            rows.target.extend(targets);
        }
    }
    Ok(())
}
