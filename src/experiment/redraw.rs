//! `fsa plot`: redraw a run folder's figures from its rows, with no model.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::plot;
use crate::report::files::{FIGURES, ROWS, TARGET_ROWS};
use crate::report::rows_file::read_rows;
use crate::report::{GradientAlignRow, RunFolder};

/// Draws the figures of the run in `dir` and returns their paths.
///
/// # Errors
/// If the folder has no rows, or they are damaged.
pub fn run(dir: &Path) -> Result<Vec<PathBuf>> {
    let folder = RunFolder::open(dir)?;
    if folder.file(TARGET_ROWS).is_file() {
        return super::label_ratio::redraw(&folder);
    }
    let rows = read_rows::<GradientAlignRow>(folder.file(ROWS))?.rows;
    if rows.is_empty() {
        return Err(Error::input("it has no rows")
            .at(folder.file(ROWS))
            .next("give the folder of a run that has probed"));
    }
    draw(&folder, &rows)
}

/// Draws the figures of `rows` into `folder`, as SVG and PNG.
pub(super) fn draw(folder: &RunFolder, rows: &[GradientAlignRow]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for figure in plot::gradient_align(rows)? {
        files.push(folder.write_atomic(&format!("{FIGURES}/{}.svg", figure.name), figure.svg.as_bytes())?);
        files.push(folder.write_atomic(&format!("{FIGURES}/{}.png", figure.name), &figure.png()?)?);
    }
    Ok(files)
}
