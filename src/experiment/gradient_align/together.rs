//! What the methods of a run have come to: rows in their sub-folders, and beside each other a table and a figure.

use std::path::PathBuf;

use super::one::summarise;
use super::{Outcome, Summary};
use crate::error::{Error, Result};
use crate::experiment::figures;
use crate::experiment::redraw::draw as draw_one;
use crate::model_folder;
use crate::plot;
use crate::report::csv::to_csv;
use crate::report::files::{self, GRADIENT_ALIGN_FILES, METHODS, METHODS_FILES, ROWS, RUN, SPEC};
use crate::report::rows_file::read_rows;
use crate::report::{GradientAlignRow, RunFolder, Scope, summary};
use crate::spec::GradientAlign;

/// The rows of every method that has any, in the order of the spec.
type Rows = Vec<Vec<GradientAlignRow>>;

/// What there is of each method.
pub fn rows(spec: &GradientAlign) -> Result<Rows> {
    let mut all = Vec::new();
    for method in &spec.method {
        let path = spec.folder_of(method).join(ROWS);
        if path.is_file() {
            all.push(read_rows::<GradientAlignRow>(path)?.rows);
        }
    }
    all.retain(|rows| !rows.is_empty());
    Ok(all)
}

/// Writes the table and the figure of what there is.
pub fn write(folder: &RunFolder, rows: &Rows) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let shown: Vec<GradientAlignRow> =
        rows.iter().flatten().filter(|row| matches!(row.scope, Scope::Model | Scope::Layer)).cloned().collect();
    folder.write_atomic(METHODS, &to_csv(&shown)?)?;
    draw(folder, rows).map(drop)
}

/// The sub-folder that `rows` are from.
fn folder_of(folder: &RunFolder, rows: &[GradientAlignRow]) -> Result<RunFolder> {
    RunFolder::open(folder.file(rows.first().map_or("", |row| &row.method)))
}

fn draw(folder: &RunFolder, rows: &Rows) -> Result<Vec<PathBuf>> {
    figures::write(folder, vec![plot::gradient_align_methods(rows)?])
}

/// As [`super::redraw`]: the figure of all methods, and those of each.
pub fn redraw(spec: &GradientAlign, folder: &RunFolder) -> Result<Vec<PathBuf>> {
    // The folder may have been moved.
    let spec = GradientAlign { out: folder.path().to_path_buf(), ..spec.clone() };
    let rows = rows(&spec)?;
    if rows.is_empty() {
        return Err(Error::input("no method in it has rows")
            .at(folder.path())
            .next("give the folder of a run that has probed"));
    }
    let mut files = draw(folder, &rows)?;
    for rows in &rows {
        files.extend(draw_one(&folder_of(folder, rows)?, rows)?);
    }
    Ok(files)
}

/// What the run in `folder` has come to.
pub fn outcome(spec: &GradientAlign, folder: &RunFolder, signature: String) -> Result<Outcome> {
    let rows = rows(spec)?;
    let in_folder = |folder: &RunFolder, names: &[&str], of: &files::Files| -> Vec<PathBuf> {
        let figures = of.figures.iter().flat_map(|name| files::figure(name));
        names
            .iter()
            .chain(of.tables)
            .map(|name| name.to_string())
            .chain(figures)
            .map(|name| folder.file(&name))
            .collect()
    };
    let mut files = in_folder(folder, &[SPEC, RUN], &METHODS_FILES);
    for run in rows.iter().map(|rows| folder_of(folder, rows)) {
        files.extend(in_folder(&run?, &[SPEC, RUN, ROWS], &GRADIENT_ALIGN_FILES));
    }
    files.retain(|file| file.is_file());
    let note = model_folder::note(&spec.model);
    let of = |rows: &Vec<GradientAlignRow>| {
        let method = rows.first().map(|row| row.method.clone());
        summarise(rows).into_iter().map(move |line| Summary { method: method.clone(), ..line })
    };
    Ok(Outcome {
        out: folder.path().to_path_buf(),
        files,
        signature,
        rows: rows.iter().map(Vec::len).sum(),
        table: summary::with_note(summary::gradient_align_methods(&rows)?, note),
        note,
        skipped: None,
        summary: rows.iter().flat_map(of).collect(),
    })
}
