//! `fsa plot`: redraw a run folder's figures from its rows, with no model.

use std::path::{Path, PathBuf};

use super::{compare, figures};
use crate::error::{Error, Result};
use crate::plot;
use crate::report::files::{ROWS, TARGET_ROWS};
use crate::report::rows_file::read_rows;
use crate::report::{GradientAlignRow, RunFolder};

/// Draws the figures of the run in `dir` and returns their paths; with `paper`, what the paper printed stands beside a comparison.
///
/// # Errors
/// If the folder has no rows, or they are damaged, or there is nothing of the paper's for them.
pub fn run(dir: &Path, paper: bool) -> Result<Vec<PathBuf>> {
    let folder = RunFolder::open(dir)?;
    if compare::is_run(&folder) {
        return compare::redraw(&folder, paper);
    }
    if paper {
        return Err(Error::input("is for runs of fsa compare").flag("--paper").next("leave it out"));
    }
    if folder.file(TARGET_ROWS).is_file() {
        return super::label_ratio::redraw(&folder);
    }
    if let Some(drawn) = super::gradient_align::redraw(&folder)? {
        return Ok(drawn);
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
    figures::write(folder, plot::gradient_align(rows)?)
}
