//! Level bars in groups, blocks of panels below each other. Knows bars and axes; not what they measure.

use crate::error::Result;
use crate::plot::Figure;
use crate::plot::canvas::{Align, Canvas, Entry, HEADING, Point, figure, fit, legend_height};
use crate::plot::panel::Panel;
use crate::plot::png::text_width;
use crate::plot::theme::{BLACK, Fill, INK, LABEL, MARGIN, Marker, WIDTH};
use crate::plot::two_axes::Axis;

/// One bar.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bar {
    /// Its length; without one there is no bar. One of zero is a line.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
    /// Another value to mark on it.
    pub mark: Option<f64>,
}

/// Panels side by side that share the groups' names.
pub struct Block {
    /// Above its panels; may be empty.
    pub title: String,
    /// The panels' own titles.
    pub columns: Vec<String>,
    /// The groups' names.
    pub groups: Vec<String>,
    /// The bars by column, group and series.
    pub bars: Vec<Vec<Vec<Bar>>>,
    /// The axis that all panels have.
    pub axis: Axis,
}

/// All that is drawn.
pub struct Chart {
    /// The figure's file name.
    pub name: &'static str,
    /// What it shows.
    pub title: String,
    /// The run it is of.
    pub signature: String,
    /// For readers who cannot see it.
    pub caption: String,
    /// The series, from top to bottom in each group.
    pub series: Vec<(String, Fill)>,
    /// From top to bottom; at least one.
    pub blocks: Vec<Block>,
    /// What an interval is, in the legend.
    pub interval: &'static str,
    /// What a mark is, in the legend.
    pub mark: &'static str,
}

/// Height of a bar, with the space below it, and of the space between groups, in pixels.
const BAR: (f64, f64, f64) = (11.0, 3.0, 12.0);
/// What stands above and below a block's panels; above without its own title.
const AROUND: (f64, f64, f64) = (56.0, 62.0, 34.0);
/// The widest name of a group.
const NAMES: f64 = 220.0;

impl Block {
    fn every(&self) -> impl Iterator<Item = &Bar> {
        self.bars.iter().flatten().flatten()
    }

    fn group_height(&self, series: usize) -> f64 {
        (series as f64 * (BAR.0 + BAR.1) + BAR.2).max(LABEL * 1.5)
    }

    fn above(&self) -> f64 {
        if self.title.is_empty() { AROUND.2 } else { AROUND.0 }
    }

    fn height(&self, series: usize) -> f64 {
        self.groups.len() as f64 * self.group_height(series)
    }
}

/// Draws it.
pub fn draw(chart: &Chart) -> Result<Figure> {
    let series = chart.series.len();
    let any = |has: fn(&Bar) -> bool| chart.blocks.iter().flat_map(Block::every).any(has);
    let mut entries: Vec<Entry> = Vec::new();
    for (name, fill) in &chart.series {
        let sample = |canvas: &Canvas, (x, y): Point| canvas.pattern([(x - 18.0, y - 6.0), (x + 18.0, y + 6.0)], *fill);
        entries.push((Box::new(sample), name.clone()));
    }
    if any(|bar| bar.interval.is_some()) {
        entries.push((Box::new(|canvas, (x, y)| whisker(canvas, (x - 14.0, x + 14.0), y)), chart.interval.into()));
    }
    if any(|bar| bar.mark.is_some()) {
        entries.push((Box::new(|canvas, at| canvas.marker(at, Marker::Gem, BLACK)), chart.mark.into()));
    }
    let top = HEADING + legend_height(&entries);
    let below: f64 = chart.blocks.iter().map(|block| block.above() + block.height(series) + AROUND.1).sum();
    let svg = figure(top + below, &chart.caption, |canvas| {
        let legend = canvas.heading(&chart.title, &chart.signature)?;
        canvas.legend(legend, &entries)?;
        let mut top = top;
        for block in &chart.blocks {
            top += block.above();
            draw_block(canvas, block, &chart.series, top)?;
            top += block.height(series) + AROUND.1;
        }
        Ok(())
    })?;
    Ok(Figure { name: chart.name, svg, caption: chart.caption.clone() })
}

fn draw_block(canvas: &Canvas, block: &Block, series: &[(String, Fill)], top: f64) -> Result<()> {
    const SPACE: f64 = 30.0;
    let names: Vec<String> = block.groups.iter().map(|name| fit(name, LABEL, NAMES)).collect();
    let left = (MARGIN + names.iter().map(|name| text_width(name, LABEL)).fold(0.0, f64::max) + 10.0).ceil();
    let columns = block.columns.len() as f64;
    let width = (WIDTH - 1.5 * MARGIN - left - SPACE * (columns - 1.0)) / columns;
    let height = block.group_height(series.len());
    let bottom = top + block.height(series.len());
    let title = fit(&block.title, LABEL, WIDTH - 2.0 * MARGIN);
    canvas.text((MARGIN, top - 38.0), &title, LABEL, Align::Left, INK)?;
    for (index, name) in names.iter().enumerate() {
        let middle = top + height * (index as f64 + 0.5);
        canvas.text((left - 8.0, middle), name, LABEL, Align::Right, INK)?;
    }
    for (column, (title, bars)) in block.columns.iter().zip(&block.bars).enumerate() {
        let left = left + (width + SPACE) * column as f64;
        let range = (0.0, block.axis.range.1);
        let panel = Panel { canvas, across: (left, left + width), down: (top, bottom), x: range, y: (0.0, 1.0) };
        panel.title(&fit(title, LABEL, width))?;
        panel.x_rules(&block.axis.ticks)?;
        for (index, group) in bars.iter().enumerate() {
            let inside = series.len() as f64 * (BAR.0 + BAR.1) - BAR.1;
            let first = top + height * index as f64 + (height - inside) / 2.0;
            for (place, (bar, (_, fill))) in group.iter().zip(series).enumerate() {
                draw_bar(&panel, bar, *fill, first + place as f64 * (BAR.0 + BAR.1))?;
            }
        }
        panel.x_axis(&block.axis.ticks)?;
        panel.x_name(&fit(&block.axis.name, LABEL, width + SPACE))?;
        panel.frame()?;
    }
    Ok(())
}

fn draw_bar(panel: &Panel, bar: &Bar, fill: Fill, top: f64) -> Result<()> {
    let x = |value: f64| panel.at(value, 0.0).0;
    let middle = top + BAR.0 / 2.0;
    if let Some(value) = bar.value {
        // Wide enough to be seen: no bar means no value.
        panel.canvas.pattern([(x(0.0), top), (x(value).max(x(0.0) + 2.0), top + BAR.0)], fill)?;
    }
    if let Some((low, high)) = bar.interval {
        whisker(panel.canvas, (x(low), x(high)), middle)?;
    }
    bar.mark.map_or(Ok(()), |mark| panel.canvas.marker((x(mark), middle), Marker::Gem, BLACK))
}

fn whisker(canvas: &Canvas, (low, high): (f64, f64), y: f64) -> Result<()> {
    canvas.line(&[(low, y), (high, y)], INK, 1.5, None)?;
    canvas.line(&[(low, y - 3.5), (low, y + 3.5)], INK, 1.5, None)?;
    canvas.line(&[(high, y - 3.5), (high, y + 3.5)], INK, 1.5, None)
}
