//! The paper's figure 7: cosines of the last decoder layer's parts over all probes.

use plotters::style::Color;

use super::Figure;
use super::canvas::{Canvas, Entry, Point, figure};
use super::panel::{Sample, Tick};
use super::parts::{SHARES, finite, shown, side_by_side};
use super::theme::{Look, MUTED, Marker};
use crate::error::Result;
use crate::report::GradientAlignRow;
use crate::report::view::View;

const HEIGHT: f64 = 500.0;

/// Draws it for one layer.
pub fn draw(view: &View, layer: &str) -> Result<Figure> {
    let signature = view.signature();
    let caption = format!(
        "Cosine between the full gradient and the format gradient on the parts of {layer} over training. Bands are 95 % \
         intervals; thin lines are the yardstick, the cosine between two shuffles' format gradients. {signature}."
    );
    let svg = figure(HEIGHT, &caption, |canvas| {
        let top = canvas.heading(&format!("Full and format gradient in {layer} over training"), &signature)?;
        let mut entries: Vec<Entry> = Vec::new();
        for part in SHARES[0].parts.iter().chain(SHARES[1].parts) {
            entries.push((Box::new(|canvas, at| sample(canvas, at, part.look)), part.label.into()));
        }
        let shown = shown(view, layer, view.steps());
        if shown.intervals {
            let band = |canvas: &Canvas, (x, y): Point| {
                canvas.fill([(x - 20.0, y - 7.0), (x + 20.0, y + 7.0)], MUTED.mix(0.25))
            };
            entries.push((Box::new(band), "95 % interval".into()));
        }
        if shown.yardsticks {
            let thin = |canvas: &Canvas, (x, y): Point| canvas.line(&[(x - 20.0, y), (x + 20.0, y)], MUTED, 1.0, THIN);
            entries.push((Box::new(thin), "yardstick: two shuffles".into()));
        }
        let top = canvas.legend(top, &entries)? + 32.0;

        let (range, ticks) = shown.axis;
        let (steps, step_ticks) = step_axis(view);
        let panels = side_by_side(canvas, &[1.0; 3], (top, HEIGHT - 60.0), (range, &ticks), |_| steps);
        for (index, (panel, share)) in panels.iter().zip(&SHARES).enumerate() {
            panel.title(share.title)?;
            panel.y_axis(&ticks, index == 0)?;
            panel.x_axis(&step_ticks)?;
            panel.x_name("training step")?;
            let series = |group, read: fn(&GradientAlignRow) -> Option<f64>| {
                series(view, |step| view.group(layer, group, step).and_then(read))
            };
            // Bands below everything, markers above.
            for part in share.parts {
                panel.band(
                    &series(part.group, |row| row.cosine_lo),
                    &series(part.group, |row| row.cosine_hi),
                    part.look,
                )?;
            }
            for part in share.parts {
                panel.line(&series(part.group, |row| row.yardstick), &Look { dash: THIN, ..*part.look }, 1.0)?;
            }
            let mut any = false;
            for part in share.parts {
                let cosines = series(part.group, |row| row.cosine);
                panel.line(&cosines, part.look, 2.0)?;
                panel.markers(&cosines, part.look)?;
                any |= cosines.iter().any(|(_, value)| value.is_some());
            }
            if !any {
                panel.empty()?;
            }
            panel.frame()?;
        }
        panels.first().map_or(Ok(()), |panel| panel.y_name("cosine(g, g_format)"))
    })?;
    Ok(Figure { name: "figure7", svg, caption })
}

/// The dashes of yardsticks.
const THIN: super::theme::Dash = Some((2.0, 2.0));

/// A line with its marker, for a legend.
pub fn sample(canvas: &Canvas, (x, y): Point, look: &Look) -> Result<()> {
    canvas.line(&[(x - 20.0, y), (x + 20.0, y)], look.color, 2.0, look.dash)?;
    let lift = if look.marker == Marker::Triangle { 0.5 } else { 0.0 };
    canvas.marker((x, y - lift), look.marker, look.color)
}

/// The range of an axis of steps, with room for markers at its ends, and a tick per probe.
pub fn step_axis(view: &View) -> ((f64, f64), Vec<Tick>) {
    let steps = view.steps();
    let ends = (steps.first().copied().unwrap_or(0) as f64, steps.last().copied().unwrap_or(0) as f64);
    let room = ((ends.1 - ends.0) * 0.06).max(if ends.0 == ends.1 { 1.0 } else { 0.0 });
    ((ends.0 - room, ends.1 + room), steps.iter().map(|step| (*step as f64, step.to_string())).collect())
}

/// A value per probe.
pub fn series(view: &View, value: impl Fn(u64) -> Option<f64>) -> Vec<Sample> {
    view.steps().iter().map(|&step| (step as f64, finite(value(step)))).collect()
}
