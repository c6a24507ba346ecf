//! The frame of the paper's figures 1 and 2: the target's score on the left axis and one line per off-task evaluation on the
//! right axis, over training. Knows lines and axes; not what they measure.

use super::Figure;
use super::canvas::{Canvas, Entry, HEADING, Point, figure, fit, legend_height};
use super::panel::{BAND, Panel, Sample, Tick};
use super::png::text_width;
use super::series::{THIN, band_sample, line_sample, step_axis, thin_sample};
use super::theme::{Dash, LABEL, Look, MARGIN, MUTED, TICK, WIDTH};
use crate::error::Result;

/// A vertical axis.
pub struct Axis {
    /// What it measures.
    pub name: String,
    /// What lies at its lower and upper end.
    pub range: (f64, f64),
    /// Six of them, at fifths: the rules of both axes then coincide.
    pub ticks: Vec<Tick>,
}

/// One line.
pub struct Line {
    /// Its name in the legend.
    pub label: String,
    /// How it is drawn.
    pub look: Look,
    /// Its width, in pixels.
    pub width: f64,
    /// A value per probe.
    pub values: Vec<Sample>,
    /// The lower ends of their intervals.
    pub low: Vec<Sample>,
    /// The upper ends.
    pub high: Vec<Sample>,
    /// A second value per probe, as a thin line; empty where the figure has none.
    pub thin: Vec<Sample>,
}

/// All that is drawn.
pub struct Chart<'a> {
    /// The figure's file name.
    pub name: &'static str,
    /// What it shows.
    pub title: String,
    /// The run it is of.
    pub signature: String,
    /// For readers who cannot see it.
    pub caption: String,
    /// The probes.
    pub steps: &'a [u64],
    /// The target's line and its axis, where it was scored.
    pub left: Option<(Line, Axis)>,
    /// The evaluations' lines.
    pub lines: Vec<Line>,
    /// Their axis.
    pub right: Axis,
    /// The name of the thin lines.
    pub thin: &'static str,
    /// A value of the right axis to mark, and its name.
    pub mark: Option<(f64, String)>,
}

impl Axis {
    /// From zero to where scores of 100 reach, and a little around it, so that lines along either end are seen.
    pub fn scores(name: String, values: impl Iterator<Item = f64>) -> Self {
        const FIFTHS: [f64; 12] = [0.2, 0.4, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0];
        let highest = values.fold(0.0, f64::max);
        let fifth = FIFTHS.into_iter().find(|fifth| 5.0 * fifth >= highest).unwrap_or(20.0);
        Self::fifths(name, fifth, usize::from(fifth < 1.0))
    }

    /// From 0 to 1.
    pub fn shares(name: String) -> Self {
        Self::fifths(name, 0.2, 1)
    }

    fn fifths(name: String, fifth: f64, places: usize) -> Self {
        let ticks = (0..=5).map(|index| fifth * f64::from(index));
        let ticks = ticks.map(|value| (value, format!("{value:.places$}"))).collect();
        Self { name, range: (-0.15 * fifth, 5.15 * fifth), ticks }
    }

    fn room(&self) -> f64 {
        let labels = self.ticks.iter().map(|(_, label)| text_width(label, TICK)).fold(0.0, f64::max);
        (MARGIN + LABEL + labels + 10.0).ceil()
    }
}

/// Height of the panel, in pixels: the figure grows with the legend, not at the cost of the lines.
const PANEL: f64 = 360.0;
/// Width of the target's line and of the others, in pixels.
pub const WIDTHS: (f64, f64) = (3.0, 2.0);
/// The dashes of a marked value.
const MARK: Dash = Some((12.0, 4.0));

/// Draws it.
pub fn draw(chart: &Chart) -> Result<Figure> {
    let entries = chart.entries();
    let top = HEADING + legend_height(&entries) + 16.0;
    let svg = figure(top + PANEL + 60.0, &chart.caption, |canvas| {
        let below = canvas.heading(&chart.title, &chart.signature)?;
        canvas.legend(below, &entries)?;
        let left = chart.left.as_ref().map(|(_, axis)| axis);
        let across = (left.map_or(2.0 * MARGIN, Axis::room), WIDTH - chart.right.room());
        let (x, step_ticks) = step_axis(chart.steps);
        let panel = |y| Panel { canvas, across, down: (top, top + PANEL), x, y };
        let right = panel(chart.right.range);
        right.y_axis(&chart.right.ticks, false)?;
        right.right_axis(&chart.right.ticks)?;
        right.right_name(&fit(&chart.right.name, LABEL, PANEL))?;
        right.x_axis(&step_ticks)?;
        right.x_name("training step")?;
        let mut placed: Vec<(&Panel, &Line)> = chart.lines.iter().map(|line| (&right, line)).collect();
        let left = left.map(|axis| (panel(axis.range), axis));
        if let Some((left, axis)) = &left {
            left.y_axis(&axis.ticks, true)?;
            left.y_name(&fit(&axis.name, LABEL, PANEL))?;
            // Over the others: it is what they are held against.
            placed.extend(chart.left.iter().map(|(line, _)| (left, line)));
        }
        if let Some((value, _)) = chart.mark {
            canvas.line(&[right.at(x.0, value), right.at(x.1, value)], MUTED, 1.0, MARK)?;
        }
        draw_lines(&placed, chart.steps)?;
        if !chart.any(|line| &line.values) && !chart.any(|line| &line.thin) {
            right.empty()?;
        }
        right.frame()
    })?;
    Ok(Figure { name: chart.name, svg, caption: chart.caption.clone() })
}

impl Chart<'_> {
    /// All lines, the target's first.
    fn every(&self) -> impl Iterator<Item = &Line> {
        self.left.iter().map(|(line, _)| line).chain(&self.lines)
    }

    /// Whether any line has any of these.
    fn any(&self, read: fn(&Line) -> &[Sample]) -> bool {
        self.every().any(|line| read(line).iter().any(|(_, value)| value.is_some()))
    }

    fn entries(&self) -> Vec<Entry<'_>> {
        let mut entries: Vec<Entry> = Vec::new();
        for Line { label, look, width, .. } in self.every() {
            entries.push((Box::new(move |canvas, at| line_sample(canvas, at, look, *width)), label.clone()));
        }
        if self.any(|line| &line.low) {
            entries.push((Box::new(band_sample), "95 % interval".into()));
        }
        if self.any(|line| &line.thin) {
            entries.push((Box::new(thin_sample), self.thin.into()));
        }
        if let Some((_, label)) = &self.mark {
            let rule = |canvas: &Canvas, (x, y): Point| canvas.line(&[(x - 20.0, y), (x + 20.0, y)], MUTED, 1.0, MARK);
            entries.push((Box::new(rule), label.clone()));
        }
        entries
    }
}

/// Bands below everything, markers above.
fn draw_lines(placed: &[(&Panel, &Line)], steps: &[u64]) -> Result<()> {
    // Lines of a single probe would all stand on one place: they stand side by side instead.
    let aside = |samples: &[Sample], index: usize| -> Vec<Sample> {
        let shift = ((index as f64 + 0.5) / placed.len() as f64 - 0.5) * 1.6;
        samples.iter().map(|(x, value)| (if steps.len() == 1 { x + shift } else { *x }, *value)).collect()
    };
    // Many bands lie on each other and must stay lighter than lines.
    let strength = if placed.len() > 5 { 0.09 } else { BAND };
    for (index, (panel, line)) in placed.iter().enumerate() {
        panel.band(&aside(&line.low, index), &aside(&line.high, index), &line.look, strength)?;
    }
    for (index, (panel, line)) in placed.iter().enumerate() {
        panel.line(&aside(&line.thin, index), &Look { dash: THIN, ..line.look }, 1.0)?;
    }
    for (index, (panel, line)) in placed.iter().enumerate() {
        let values = aside(&line.values, index);
        panel.line(&values, &line.look, line.width)?;
        panel.markers(&values, &line.look)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_reach_up_to_the_data_in_fifths() {
        for (highest, ticks) in [
            (0.0, "0.0 0.2 0.4 0.6 0.8 1.0"),
            (3.0, "0 1 2 3 4 5"),
            (17.6, "0 4 8 12 16 20"),
            (25.0, "0 5 10 15 20 25"),
            (26.5, "0 6 12 18 24 30"),
            (51.0, "0 15 30 45 60 75"),
            (100.0, "0 20 40 60 80 100"),
        ] {
            let axis = Axis::scores("score".into(), [1e-3, highest].into_iter());
            let labels: Vec<&str> = axis.ticks.iter().map(|(_, label)| label.as_str()).collect();
            assert_eq!(labels.join(" "), ticks);
            assert!(axis.range.0 < 0.0 && axis.range.1 > highest);
        }
    }
}
