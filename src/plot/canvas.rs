//! A figure to draw on, in pixels: lines, shapes, text, legend. Knows plotters and the theme; nothing of data.

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::{
    Circle, Color, DrawingArea, IntoDrawingArea, IntoFont, PathElement, Polygon, RGBAColor, RGBColor, Rectangle,
    SVGBackend, ShapeStyle, Text, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, WHITE};

use super::png::{clean, escape, text_width};
use super::theme::{Dash, FAMILY, Fill, GRID, INK, LABEL, MARGIN, MUTED, Marker, Pattern, TICK, TITLE, WIDTH};
use crate::error::{Error, Result};

/// A place in pixels, from the upper left.
pub type Point = (f64, f64);

/// Where a text lies as seen from its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// The point is its left end.
    Left,
    /// The point is its middle.
    Center,
    /// The point is its right end.
    Right,
    /// The point is its middle, and it reads upwards.
    Upwards,
}

/// The figure being drawn.
pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// An entry of a legend: draws its sample around a point, and its text.
pub type Entry<'a> = (Box<dyn Fn(&Canvas, Point) -> Result<()> + 'a>, String);

/// Height of what stands above every figure, in pixels.
pub const HEADING: f64 = 62.0;
/// Width of a legend's sample, in pixels.
pub const SAMPLE: f64 = 40.0;

/// Draws a figure of theme's width and this height; `caption` is for readers who cannot see it.
pub fn figure(height: f64, caption: &str, paint: impl FnOnce(&Canvas) -> Result<()>) -> Result<String> {
    let size = ((WIDTH * GRID) as u32, (height * GRID) as u32);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE).map_err(internal)?;
        let canvas = Canvas { area };
        paint(&canvas)?;
        canvas.area.present().map_err(internal)?;
    }
    // plotters takes its grid for pixels; the view box stays, so the drawing is scaled to the size meant.
    let grid = format!("<svg width=\"{}\" height=\"{}\"", size.0, size.1);
    let pixels = format!("<svg role=\"img\" width=\"{WIDTH}\" height=\"{height}\"");
    let svg = svg.replacen(&grid, &pixels, 1);
    Ok(svg.replacen(">\n", &format!(">\n<title>{}</title>\n", escape(caption)), 1))
}

/// Drawing into a string only fails if plotters is misused.
fn internal(source: impl std::fmt::Display) -> Error {
    Error::check(format!("internal error in drawing: {source}"))
        .next("please report it with the command that led to it")
}

fn grid(point: Point) -> (i32, i32) {
    ((point.0 * GRID).round() as i32, (point.1 * GRID).round() as i32)
}

fn stroke(color: impl Color, width: f64) -> ShapeStyle {
    ShapeStyle { color: color.to_rgba(), filled: false, stroke_width: (width * GRID).round() as u32 }
}

impl Canvas<'_> {
    /// A line of `width` pixels through the points.
    pub fn line(&self, points: &[Point], color: impl Color, width: f64, dash: Dash) -> Result<()> {
        let points: Vec<_> = points.iter().copied().map(grid).collect();
        let style = stroke(color, width);
        match dash {
            None => self.area.draw(&PathElement::new(points, style)),
            Some((on, off)) => {
                let length = |pixels: f64| (pixels * GRID).round() as i32;
                self.area.draw(&DashedPathElement::new(points, length(on), length(off), style))
            }
        }
        .map_err(internal)
    }

    /// A filled rectangle between two corners.
    pub fn fill(&self, corners: [Point; 2], color: impl Color) -> Result<()> {
        self.area.draw(&Rectangle::new(corners.map(grid), color.filled())).map_err(internal)
    }

    /// A filled shape.
    pub fn polygon(&self, points: &[Point], color: RGBAColor) -> Result<()> {
        let points: Vec<_> = points.iter().copied().map(grid).collect();
        self.area.draw(&Polygon::new(points, color)).map_err(internal)
    }

    /// A rectangle of slanted lines: no value.
    pub fn hatch(&self, corners: [Point; 2]) -> Result<()> {
        self.fill(corners, RGBColor(245, 245, 245))?;
        self.slants(corners, MUTED, 1.0, false)
    }

    /// A rectangle filled in a way that is told from others without its colour too.
    pub fn pattern(&self, corners: [Point; 2], fill: Fill) -> Result<()> {
        const STEP: f64 = 5.0;
        let [(left, top), (right, bottom)] = corners;
        let Fill { color, pattern } = fill;
        if pattern == Pattern::Solid {
            return self.fill(corners, color);
        }
        self.fill(corners, color.mix(0.12))?;
        match pattern {
            Pattern::Solid | Pattern::Empty => (),
            Pattern::Rising => self.slants(corners, color, 1.5, false)?,
            Pattern::Falling => self.slants(corners, color, 1.5, true)?,
            Pattern::Crossed => {
                self.slants(corners, color, 1.0, false)?;
                self.slants(corners, color, 1.0, true)?;
            }
            Pattern::Upright => {
                let lines = ((right - left) / STEP) as usize;
                for x in (1..=lines).map(|line| left + STEP * line as f64) {
                    self.line(&[(x, top), (x, bottom)], color, 1.5, None)?;
                }
            }
            Pattern::Level => {
                for y in [top + (bottom - top) / 3.0, bottom - (bottom - top) / 3.0] {
                    self.line(&[(left, y), (right, y)], color, 1.5, None)?;
                }
            }
            Pattern::Dotted => {
                let dots = ((right - left) / STEP) as usize;
                for x in (1..=dots).map(|dot| left + STEP * (dot as f64 - 0.5)) {
                    let y = f64::midpoint(top, bottom);
                    self.fill([(x - 1.0, y - 1.0), (x + 1.0, y + 1.0)], color)?;
                }
            }
        }
        self.line(&[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], color, 1.0, None)
    }

    /// Slanted lines in a rectangle, rising or falling to the right; on a common grid, so that neighbours' lines meet.
    fn slants(
        &self,
        [(left, top), (right, bottom)]: [Point; 2],
        color: RGBColor,
        width: f64,
        fall: bool,
    ) -> Result<()> {
        const STEP: f64 = 6.0;
        // Lines x + y = sum, cut to the rectangle; falling ones are their mirror images.
        let mut sum = ((left + top) / STEP).ceil() * STEP;
        while sum < right + bottom {
            let (start, end) = ((sum - bottom).max(left), (sum - top).min(right));
            if start < end {
                let y = |x: f64| if fall { top + bottom - (sum - x) } else { sum - x };
                self.line(&[(start, y(start)), (end, y(end))], color, width, None)?;
            }
            sum += STEP;
        }
        Ok(())
    }

    /// A marker around a point.
    pub fn marker(&self, at: Point, marker: Marker, color: RGBColor) -> Result<()> {
        self.sized_marker(at, marker, color, 1.0)
    }

    /// A marker around a point, `scale` times as large as others.
    pub fn sized_marker(&self, (x, y): Point, marker: Marker, color: RGBColor, scale: f64) -> Result<()> {
        let around = |offsets: &[Point]| -> Vec<Point> {
            offsets.iter().map(|(dx, dy)| (x + scale * dx, y + scale * dy)).collect()
        };
        let disc = |radius: f64, color: RGBColor| {
            let radius = (radius * scale * GRID) as i32;
            self.area.draw(&Circle::new(grid((x, y)), radius, color.filled())).map_err(internal)
        };
        let square = |half: f64, color| {
            let half = half * scale;
            self.fill([(x - half, y - half), (x + half, y + half)], color)
        };
        let diamond = |half: f64, color: RGBColor| {
            self.polygon(&around(&[(0.0, -half), (half, 0.0), (0.0, half), (-half, 0.0)]), color.to_rgba())
        };
        match marker {
            Marker::Circle => disc(4.0, color),
            Marker::Triangle => self.polygon(&around(&[(0.0, -5.0), (5.0, 4.0), (-5.0, 4.0)]), color.to_rgba()),
            Marker::Down => self.polygon(&around(&[(0.0, 5.0), (5.0, -4.0), (-5.0, -4.0)]), color.to_rgba()),
            Marker::Square => square(3.5, color),
            Marker::Diamond => diamond(5.5, color),
            Marker::Cross => {
                self.line(&around(&[(-4.0, -4.0), (4.0, 4.0)]), color, 2.5 * scale, None)?;
                self.line(&around(&[(-4.0, 4.0), (4.0, -4.0)]), color, 2.5 * scale, None)
            }
            Marker::Ring => disc(5.0, color).and_then(|()| disc(3.0, WHITE)),
            Marker::Frame => square(4.5, color).and_then(|()| square(2.5, WHITE)),
            Marker::Gem => diamond(6.5, color).and_then(|()| diamond(3.5, WHITE)),
        }
    }

    /// An outline around a marker.
    pub fn ring(&self, at: Point, color: RGBColor) -> Result<()> {
        let radius = (9.5 * GRID) as i32;
        self.area.draw(&Circle::new(grid(at), radius, stroke(color, 1.5))).map_err(internal)
    }

    /// A line of text, its middle at the height of the point.
    pub fn text(&self, point: Point, text: &str, size: f64, align: Align, color: RGBColor) -> Result<()> {
        let (horizontal, turn) = match align {
            Align::Left => (HPos::Left, FontTransform::None),
            Align::Center => (HPos::Center, FontTransform::None),
            Align::Right => (HPos::Right, FontTransform::None),
            Align::Upwards => (HPos::Center, FontTransform::Rotate270),
        };
        // The SVG backend divides sizes by 1.24.
        let style = TextStyle::from((FAMILY, size * GRID * 1.24).into_font().transform(turn))
            .color(&color)
            .pos(Pos::new(horizontal, VPos::Center));
        self.area.draw(&Text::new(clean(text), grid(point), style)).map_err(internal)
    }

    /// What stands above every figure: what it shows, and the run it is of. Returns where they end: [`HEADING`].
    pub fn heading(&self, title: &str, signature: &str) -> Result<f64> {
        let room = WIDTH - 2.0 * MARGIN;
        self.text((MARGIN, 24.0), &fit(title, TITLE, room), TITLE, Align::Left, INK)?;
        self.text((MARGIN, 48.0), &fit(signature, TICK, room), TICK, Align::Left, MUTED)?;
        Ok(HEADING)
    }

    /// A legend from `top` down, as many entries in a line as fit; returns where it ends.
    pub fn legend(&self, top: f64, entries: &[Entry]) -> Result<f64> {
        let (places, height) = flow(entries);
        for ((sample, text), (x, y)) in entries.iter().zip(places) {
            sample(self, (x + SAMPLE / 2.0, top + y))?;
            self.text((x + SAMPLE + 8.0, top + y), &legend_text(text), LABEL, Align::Left, INK)?;
        }
        Ok(top + height)
    }
}

/// The height of a legend, for figures that grow with it.
pub fn legend_height(entries: &[Entry]) -> f64 {
    flow(entries).1
}

/// Where each entry of a legend begins, from its top, and how high all of it is.
fn flow(entries: &[Entry]) -> (Vec<Point>, f64) {
    const LINE: f64 = 24.0;
    let (mut x, mut y) = (MARGIN, LINE / 2.0);
    let mut places = Vec::new();
    for (_, text) in entries {
        let width = SAMPLE + 8.0 + text_width(&legend_text(text), LABEL);
        if x > MARGIN && x + width > WIDTH - MARGIN {
            (x, y) = (MARGIN, y + LINE);
        }
        places.push((x, y));
        x += width + 24.0;
    }
    (places, y + LINE / 2.0)
}

/// A name that is longer than the figure is wide would be cut off.
fn legend_text(text: &str) -> String {
    fit(text, LABEL, WIDTH - 2.0 * MARGIN - SAMPLE - 8.0)
}

/// The text, cut with an ellipsis where it is wider than `room` pixels.
pub fn fit(text: &str, size: f64, room: f64) -> String {
    if text_width(text, size) <= room {
        return text.to_string();
    }
    let mut kept: Vec<char> = text.chars().collect();
    loop {
        kept.pop();
        let cut: String = kept.iter().chain(&['…']).collect();
        if kept.is_empty() || text_width(&cut, size) <= room {
            return cut;
        }
    }
}
