//! The paper's figure 3: cosines of the last decoder layer's parts, the first probe against the last.

use plotters::style::RGBColor;

use super::Figure;
use super::canvas::{Align, Canvas, Entry, Point, figure};
use super::panel::Panel;
use super::parts::{SHARES, shown, side_by_side};
use super::series::finite;
use super::theme::{BLACK, BLUE, INK, LABEL, MUTED, ORANGE, TICK};
use crate::error::Result;
use crate::report::GradientAlignRow;
use crate::report::view::View;

const HEIGHT: f64 = 470.0;
/// Dark and light, so that they differ in grayscale.
const COLORS: [RGBColor; 2] = [BLUE, ORANGE];
/// Width of a bar, where the bars of a part have width 1 together with their space.
const BAR: f64 = 0.3;

/// Draws it for one layer.
pub fn draw(view: &View, layer: &str) -> Result<Figure> {
    let ends = view.ends();
    let signature = view.signature();
    let caption = format!(
        "Cosine between the full gradient and the format gradient on the parts of {layer}, at training step {}. \
         Whiskers are 95 % intervals; a dashed line is the yardstick, the cosine between two shuffles' format gradients. {signature}.",
        ends.iter().map(u64::to_string).collect::<Vec<_>>().join(" and ")
    );
    let svg = figure(HEIGHT, &caption, |canvas| {
        let which = if ends.len() > 1 { "first and last probe" } else { "the only probe" };
        let top = canvas.heading(&format!("Full and format gradient in {layer}: {which}"), &signature)?;
        let mut entries: Vec<Entry> = Vec::new();
        for (step, color) in ends.iter().zip(COLORS) {
            let sample =
                move |canvas: &Canvas, (x, y): Point| canvas.fill([(x - 12.0, y - 7.0), (x + 12.0, y + 7.0)], color);
            entries.push((Box::new(sample), format!("training step {step}")));
        }
        let shown = shown(view, layer, &ends);
        if shown.intervals {
            entries
                .push((Box::new(|canvas, at| whisker(canvas, at.0, at.1 - 9.0, at.1 + 9.0)), "95 % interval".into()));
        }
        if shown.yardsticks {
            entries.push((Box::new(|canvas, at| yardstick(canvas, at, 14.0)), "yardstick: two shuffles".into()));
        }
        let top = canvas.legend(top, &entries)? + 32.0;

        let (range, ticks) = shown.axis;
        let weights = SHARES.map(|share| share.parts.len() as f64);
        // One unit of the horizontal axis per part, and part `i` in the middle of its unit.
        let panels =
            side_by_side(canvas, &weights, (top, HEIGHT - 44.0), (range, &ticks), |index| (-0.5, weights[index] - 0.5));
        for (index, (panel, share)) in panels.iter().zip(&SHARES).enumerate() {
            panel.title(share.title)?;
            panel.y_axis(&ticks, index == 0)?;
            panel.canvas.line(&[panel.at(panel.x.0, 0.0), panel.at(panel.x.1, 0.0)], INK, 1.0, None)?;
            for (place, part) in share.parts.iter().enumerate() {
                let place = place as f64;
                for (end, (step, color)) in ends.iter().zip(COLORS).enumerate() {
                    let middle = place + (end as f64 - (ends.len() as f64 - 1.0) / 2.0) * (BAR + 0.04);
                    bar(panel, middle, view.group(layer, part.group, *step), color)?;
                }
                let (x, y) = (panel.at(place, 0.0).0, panel.down.1 + 20.0);
                canvas.text((x, y), part.label, LABEL, Align::Center, INK)?;
            }
            panel.frame()?;
        }
        panels.first().map_or(Ok(()), |panel| panel.y_name("cosine(g, g_format)"))
    })?;
    Ok(Figure { name: "figure3", svg, caption })
}

fn bar(panel: &Panel, middle: f64, row: Option<&GradientAlignRow>, color: RGBColor) -> Result<()> {
    let canvas = panel.canvas;
    let Some((row, cosine)) = row.and_then(|row| Some((row, finite(row.cosine)?))) else {
        // Upwards from the zero line, where the bar would stand.
        let (x, zero) = panel.at(middle, 0.0);
        return canvas.text((x, zero - 40.0), "no value", TICK, Align::Upwards, MUTED);
    };
    canvas
        .fill([panel.at(middle - BAR / 2.0, cosine.max(0.0)), panel.at(middle + BAR / 2.0, cosine.min(0.0))], color)?;
    if let Some(value) = finite(row.yardstick) {
        let (left, y) = panel.at(middle - BAR / 2.0, value);
        let (right, _) = panel.at(middle + BAR / 2.0, value);
        yardstick(canvas, (f64::midpoint(left, right), y), (right - left) / 2.0)?;
    }
    if let (Some(low), Some(high)) = (finite(row.cosine_lo), finite(row.cosine_hi)) {
        whisker(canvas, panel.at(middle, 0.0).0, panel.at(middle, high).1, panel.at(middle, low).1)?;
    }
    Ok(())
}

fn whisker(canvas: &Canvas, x: f64, top: f64, bottom: f64) -> Result<()> {
    canvas.line(&[(x, top), (x, bottom)], INK, 1.5, None)?;
    canvas.line(&[(x - 4.0, top), (x + 4.0, top)], INK, 1.5, None)?;
    canvas.line(&[(x - 4.0, bottom), (x + 4.0, bottom)], INK, 1.5, None)
}

/// A dashed line as wide as a bar.
fn yardstick(canvas: &Canvas, (x, y): Point, half: f64) -> Result<()> {
    canvas.line(&[(x - half, y), (x + half, y)], BLACK, 2.5, Some((5.0, 2.0)))
}
