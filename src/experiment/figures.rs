//! Figures into run folders, as SVG and PNG.

use std::path::PathBuf;

use crate::error::Result;
use crate::plot::Figure;
use crate::report::RunFolder;
use crate::report::files::FIGURES;

/// Writes `figures` into `folder`; their paths.
pub(super) fn write(folder: &RunFolder, figures: Vec<Figure>) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for figure in figures {
        files.push(folder.write_atomic(&format!("{FIGURES}/{}.svg", figure.name), figure.svg.as_bytes())?);
        files.push(folder.write_atomic(&format!("{FIGURES}/{}.png", figure.name), &figure.png()?)?);
    }
    Ok(files)
}
