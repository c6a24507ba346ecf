//! What figures over training share: the axis of steps, a value per probe, and the samples that legends show of them.

use plotters::style::Color;

use super::canvas::{Canvas, Point};
use super::panel::{Sample, Tick};
use super::theme::{Dash, Look, MUTED, Marker};
use crate::error::Result;

/// The dashes of thin lines beside the main ones.
pub const THIN: Dash = Some((2.0, 2.0));

/// A number of a row, if it can be shown.
pub fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

/// A value per probe.
pub fn series(steps: &[u64], value: impl Fn(u64) -> Option<f64>) -> Vec<Sample> {
    steps.iter().map(|&step| (step as f64, finite(value(step)))).collect()
}

/// The range of an axis of steps, with room for markers at its ends, and a tick per probe.
pub fn step_axis(steps: &[u64]) -> ((f64, f64), Vec<Tick>) {
    let ends = (steps.first().copied().unwrap_or(0) as f64, steps.last().copied().unwrap_or(0) as f64);
    let room = ((ends.1 - ends.0) * 0.06).max(if ends.0 == ends.1 { 1.0 } else { 0.0 });
    ((ends.0 - room, ends.1 + room), steps.iter().map(|step| (*step as f64, step.to_string())).collect())
}

/// A line with its marker, for a legend.
pub fn line_sample(canvas: &Canvas, (x, y): Point, look: &Look, width: f64) -> Result<()> {
    canvas.line(&[(x - 20.0, y), (x + 20.0, y)], look.color, width, look.dash)?;
    let lift = if look.marker == Marker::Triangle { 0.5 } else { 0.0 };
    canvas.marker((x, y - lift), look.marker, look.color)
}

/// A band of no series in particular, for a legend.
pub fn band_sample(canvas: &Canvas, (x, y): Point) -> Result<()> {
    canvas.fill([(x - 20.0, y - 7.0), (x + 20.0, y + 7.0)], MUTED.mix(0.25))
}

/// A thin line of no series in particular, for a legend.
pub fn thin_sample(canvas: &Canvas, (x, y): Point) -> Result<()> {
    canvas.line(&[(x - 20.0, y), (x + 20.0, y)], MUTED, 1.0, THIN)
}
