//! The paper's figure 7: cosines of the last decoder layer's parts over all probes.

use super::Figure;
use super::canvas::{Entry, figure};
use super::panel::BAND;
use super::parts::{SHARES, shown, side_by_side};
use super::series::{THIN, band_sample, line_sample, series, step_axis, thin_sample};
use super::theme::Look;
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
            entries.push((Box::new(|canvas, at| line_sample(canvas, at, part.look, 2.0)), part.label.into()));
        }
        let shown = shown(view, layer, view.steps());
        if shown.intervals {
            entries.push((Box::new(band_sample), "95 % interval".into()));
        }
        if shown.yardsticks {
            entries.push((Box::new(thin_sample), "yardstick: two shuffles".into()));
        }
        let top = canvas.legend(top, &entries)? + 32.0;

        let (range, ticks) = shown.axis;
        let (steps, step_ticks) = step_axis(view.steps());
        let panels = side_by_side(canvas, &[1.0; 3], (top, HEIGHT - 60.0), (range, &ticks), |_| steps);
        for (index, (panel, share)) in panels.iter().zip(&SHARES).enumerate() {
            panel.title(share.title)?;
            panel.y_axis(&ticks, index == 0)?;
            panel.x_axis(&step_ticks)?;
            panel.x_name("training step")?;
            let series = |group, read: fn(&GradientAlignRow) -> Option<f64>| {
                series(view.steps(), |step| view.group(layer, group, step).and_then(read))
            };
            // Bands below everything, markers above.
            for part in share.parts {
                panel.band(
                    &series(part.group, |row| row.cosine_lo),
                    &series(part.group, |row| row.cosine_hi),
                    part.look,
                    BAND,
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
