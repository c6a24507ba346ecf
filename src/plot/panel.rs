//! A rectangle with axes: places data in it, and draws its frame, ticks and series. Knows nothing of what the data are.

use plotters::style::Color;

use super::canvas::{Align, Canvas, Point};
use super::png::text_width;
use super::theme::{INK, LABEL, Look, MARGIN, MUTED, RULE, TICK, WIDTH};
use crate::error::Result;

/// A tick: its place on the axis and its label.
pub type Tick = (f64, String);
/// A point of a series; without a value it is a gap.
pub type Sample = (f64, Option<f64>);

/// The opacity of bands that few others lie on.
pub const BAND: f64 = 0.16;

/// A rectangle of the canvas with a range of data on each axis.
pub struct Panel<'a, 'svg> {
    /// What it is drawn on.
    pub canvas: &'a Canvas<'svg>,
    /// Left and right edge, in pixels.
    pub across: (f64, f64),
    /// Top and bottom edge, in pixels.
    pub down: (f64, f64),
    /// What lies at the left and the right edge.
    pub x: (f64, f64),
    /// What lies at the bottom and the top edge.
    pub y: (f64, f64),
}

impl Panel<'_, '_> {
    /// The place of a point of data; data outside the ranges go to the edge.
    pub fn at(&self, x: f64, y: f64) -> Point {
        let share = |value: f64, (from, to): (f64, f64)| ((value - from) / (to - from)).clamp(0.0, 1.0);
        let (left, right) = self.across;
        let (top, bottom) = self.down;
        (left + share(x, self.x) * (right - left), bottom - share(y, self.y) * (bottom - top))
    }

    /// The middle of the panel, across.
    fn middle(&self) -> f64 {
        f64::midpoint(self.across.0, self.across.1)
    }

    /// The title above it.
    pub fn title(&self, text: &str) -> Result<()> {
        self.canvas.text((self.middle(), self.down.0 - 14.0), text, LABEL, Align::Center, INK)
    }

    /// Rules at the ticks of the vertical axis, and their labels where they are wanted.
    pub fn y_axis(&self, ticks: &[Tick], labels: bool) -> Result<()> {
        for (value, label) in ticks {
            let (_, y) = self.at(self.x.0, *value);
            self.canvas.line(&[(self.across.0, y), (self.across.1, y)], RULE, 1.0, None)?;
            if labels {
                self.canvas.text((self.across.0 - 8.0, y), label, TICK, Align::Right, INK)?;
            }
        }
        Ok(())
    }

    /// Ticks and labels of a second vertical axis, at the right edge; the first one has drawn the rules.
    pub fn right_axis(&self, ticks: &[Tick]) -> Result<()> {
        for (value, label) in ticks {
            let (right, y) = self.at(self.x.1, *value);
            self.canvas.line(&[(right, y), (right + 4.0, y)], INK, 1.0, None)?;
            self.canvas.text((right + 8.0, y), label, TICK, Align::Left, INK)?;
        }
        Ok(())
    }

    /// Rules at the ticks of the horizontal axis.
    pub fn x_rules(&self, ticks: &[Tick]) -> Result<()> {
        ticks.iter().try_for_each(|(value, _)| {
            let (x, _) = self.at(*value, self.y.0);
            self.canvas.line(&[(x, self.down.0), (x, self.down.1)], RULE, 1.0, None)
        })
    }

    /// Ticks of the horizontal axis, with as many labels as fit.
    pub fn x_axis(&self, ticks: &[Tick]) -> Result<()> {
        let bottom = self.down.1;
        let places: Vec<f64> = ticks.iter().map(|(value, _)| self.at(*value, self.y.0).0).collect();
        let labelled = labelled(&places, ticks);
        for (index, (&x, (_, label))) in places.iter().zip(ticks).enumerate() {
            let label_it = labelled.contains(&index);
            self.canvas.line(&[(x, bottom), (x, bottom + if label_it { 6.0 } else { 3.0 })], INK, 1.0, None)?;
            if label_it {
                self.canvas.text((x, bottom + 17.0), label, TICK, Align::Center, INK)?;
            }
        }
        Ok(())
    }

    /// The name of the horizontal axis.
    pub fn x_name(&self, text: &str) -> Result<()> {
        self.canvas.text((self.middle(), self.down.1 + 41.0), text, LABEL, Align::Center, INK)
    }

    /// The name of the vertical axis, at the figure's left edge.
    pub fn y_name(&self, text: &str) -> Result<()> {
        let middle = f64::midpoint(self.down.0, self.down.1);
        self.canvas.text((MARGIN, middle), text, LABEL, Align::Upwards, INK)
    }

    /// The name of the second vertical axis, at the figure's right edge.
    pub fn right_name(&self, text: &str) -> Result<()> {
        let middle = f64::midpoint(self.down.0, self.down.1);
        self.canvas.text((WIDTH - MARGIN, middle), text, LABEL, Align::Upwards, INK)
    }

    /// The frame; drawn last, over what touches it.
    pub fn frame(&self) -> Result<()> {
        let ((left, right), (top, bottom)) = (self.across, self.down);
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        self.canvas.line(&corners, INK, 1.0, None)
    }

    /// A line through the points that have a value, broken at those that have none; a point alone is a short line.
    pub fn line(&self, samples: &[Sample], look: &Look, width: f64) -> Result<()> {
        for run in samples.split(|(_, value)| value.is_none()) {
            let mut places = self.places(run);
            if let [(x, y)] = places[..] {
                places = vec![(x - 8.0, y), (x + 8.0, y)];
            }
            if !places.is_empty() {
                self.canvas.line(&places, look.color, width, look.dash)?;
            }
        }
        Ok(())
    }

    /// Markers at the points that have a value; where they stand close, only at some of them. A point without neighbours
    /// always has one, since no line shows it.
    pub fn markers(&self, samples: &[Sample], look: &Look) -> Result<()> {
        for run in samples.split(|(_, value)| value.is_none()) {
            let mut free = f64::NEG_INFINITY;
            for place in self.places(run) {
                if place.0 >= free {
                    self.canvas.marker(place, look.marker, look.color)?;
                    free = place.0 + 14.0;
                }
            }
        }
        Ok(())
    }

    /// A band between two lines, where both have values; a whisker where it would have no width. `strength` is its
    /// opacity.
    pub fn band(&self, low: &[Sample], high: &[Sample], look: &Look, strength: f64) -> Result<()> {
        let both: Vec<(Sample, Sample)> = low.iter().copied().zip(high.iter().copied()).collect();
        for run in both.split(|(low, high)| low.1.is_none() || high.1.is_none()) {
            let low: Vec<Sample> = run.iter().map(|(low, _)| *low).collect();
            let high: Vec<Sample> = run.iter().rev().map(|(_, high)| *high).collect();
            let outline = [self.places(&low), self.places(&high)].concat();
            match run.len() {
                0 => (),
                1 => self.canvas.line(&outline, look.color, 1.5, None)?,
                _ => self.canvas.polygon(&outline, look.color.mix(strength))?,
            }
        }
        Ok(())
    }

    /// Says in the middle that there is nothing to show.
    pub fn empty(&self) -> Result<()> {
        let middle = f64::midpoint(self.down.0, self.down.1);
        self.canvas.text((self.middle(), middle), "no values", LABEL, Align::Center, MUTED)
    }

    fn places(&self, samples: &[Sample]) -> Vec<Point> {
        samples.iter().filter_map(|&(x, value)| value.map(|y| self.at(x, y))).collect()
    }
}

/// Which labels to write so that none touch: the last and, from the first on, every so many; evenly up to the last where
/// that does not cost half of them.
pub fn labelled(places: &[f64], ticks: &[Tick]) -> Vec<usize> {
    const SPACE: f64 = 10.0;
    let Some(last) = ticks.len().checked_sub(1) else { return Vec::new() };
    let half: Vec<f64> = ticks.iter().map(|(_, label)| (text_width(label, TICK) + SPACE) / 2.0).collect();
    let clear = |one: usize, other: usize| (places[one] - places[other]).abs() >= half[one] + half[other];
    let every = |stride: usize| (0..=last).step_by(stride).collect::<Vec<_>>();
    let fits = |stride: &usize| every(*stride).windows(2).all(|pair| clear(pair[0], pair[1]));
    // A stride beyond the last tick leaves one label, which always fits.
    let stride = (1..=last + 1).find(fits).unwrap_or(last + 1);
    if let Some(even) = (stride..=2 * stride).find(|even| last.is_multiple_of(*even) && fits(even)) {
        return every(even);
    }
    let mut chosen = every(stride);
    chosen.retain(|&index| index != last && clear(index, last));
    chosen.push(last);
    chosen
}

/// The range of an axis of cosines, down to −0.2 or to where the data reach, and its ticks.
pub fn cosine_axis(values: impl Iterator<Item = f64>) -> ((f64, f64), Vec<Tick>) {
    let lowest = values.fold(-0.2, f64::min).max(-1.0);
    // In fifths, so that ticks fall on the ends.
    let from = (lowest * 5.0).floor() as i32;
    let ticks = (from..=5).map(|fifth| f64::from(fifth) / 5.0);
    let label = |value: f64| format!("{value:.1}").replace('-', "−");
    ((f64::from(from) / 5.0, 1.0), ticks.map(|value| (value, label(value))).collect())
}

/// The range of an axis of numbers from 0 to 100 around the data, with a little room, and its ticks: at most seven.
pub fn linear_axis(values: impl Iterator<Item = f64>) -> ((f64, f64), Vec<Tick>) {
    const STEPS: [f64; 10] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 25.0, 50.0];
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let (low, high) = if low <= high { (low.max(0.0), high.min(100.0)) } else { (0.0, 100.0) };
    // Less than this is shown as such a part of the axis.
    let low = low.min(high - 1.0).max(0.0);
    let high = high.max(low + 1.0);
    let ends = |step: f64| ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
    let fits = |step: &f64| ends(*step).1 - ends(*step).0 <= 6.0;
    let step = STEPS.into_iter().find(fits).unwrap_or(50.0);
    let (first, last) = ends(step);
    let places = usize::from(step < 1.0);
    let ticks = (first as u32..=last as u32).map(|tick| step * f64::from(tick));
    let room = 0.04 * (last - first) * step;
    let range = (first * step - room, last * step + room);
    (range, ticks.map(|value| (value, format!("{value:.places$}"))).collect())
}

/// The range of a logarithmic axis, in powers of ten, and its ticks: decades, or 1, 2 and 5 times them where there are few.
pub fn log_axis(values: impl Iterator<Item = f64>) -> ((f64, f64), Vec<Tick>) {
    let logs: Vec<f64> = values.filter(|value| *value > 0.0).map(f64::log10).collect();
    let lowest = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if logs.is_empty() {
        return ((0.0, 1.0), Vec::new());
    }
    let (first, last) = (lowest.floor() as i32, highest.ceil() as i32);
    let factors: &[u32] = if last - first <= 3 { &[1, 2, 5] } else { &[1] };
    let stride = ((last - first) / 10 + 1) as usize;
    let mut ticks: Vec<(f64, u32, i32)> = (first..=last)
        .step_by(stride)
        .flat_map(|decade| {
            factors.iter().map(move |&factor| (f64::from(factor).log10() + f64::from(decade), factor, decade))
        })
        .collect();
    // The axis ends at the ticks around the data; a hair of tolerance for values that are ticks themselves.
    let below = ticks.iter().rposition(|tick| tick.0 <= lowest + 1e-9).unwrap_or(0);
    ticks.drain(..below);
    let above = ticks.iter().position(|tick| tick.0 >= highest - 1e-9).unwrap_or(ticks.len() - 1).max(1);
    ticks.truncate(above + 1);
    let from = ticks[0].0;
    // invariant: `lowest` is finite, so there is at least the tick at or below it; with one tick only, a decade is shown.
    let to = ticks.last().map_or(from, |tick| tick.0).max(highest);
    let to = if to > from { to } else { from + 1.0 };
    ((from, to), ticks.into_iter().map(|(place, factor, decade)| (place, power(factor, decade))).collect())
}

/// `0.02`, `5`, or `2×10⁻⁵`.
fn power(factor: u32, decade: i32) -> String {
    if (-3..=3).contains(&decade) {
        return format!("{:.*}", (-decade).max(0) as usize, f64::from(factor) * 10f64.powi(decade));
    }
    let raised: String = decade
        .to_string()
        .chars()
        .map(|char| {
            char.to_digit(10).map_or('⁻', |digit| ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize])
        })
        .collect();
    if factor == 1 { format!("10{raised}") } else { format!("{factor}×10{raised}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn cosines_reach_down_to_the_data() {
        assert_eq!(labels(&cosine_axis([0.5].into_iter()).1), ["−0.2", "0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(cosine_axis([-0.41].into_iter()).0, (-0.6, 1.0));
        assert_eq!(cosine_axis([-1.0 - 1e-12].into_iter()).0, (-1.0, 1.0));
    }

    #[test]
    fn linear_ticks_enclose_the_data() {
        let of = |values: &[f64]| labels_of(linear_axis(values.iter().copied()).1);
        assert_eq!(of(&[31.0, 41.8]), "30 32 34 36 38 40 42");
        assert_eq!(of(&[0.0, 92.0]), "0 20 40 60 80 100");
        assert_eq!(of(&[50.0]), "49.0 49.2 49.4 49.6 49.8 50.0");
        assert_eq!(
            (of(&[0.0]), of(&[100.0])),
            ("0.0 0.2 0.4 0.6 0.8 1.0".into(), "99.0 99.2 99.4 99.6 99.8 100.0".into())
        );
        assert_eq!(of(&[]), "0 20 40 60 80 100");
        for (low, wide) in [(0.0, 0.3), (12.34, 1.1), (33.3, 47.1), (0.5, 99.5), (98.7, 1.3)] {
            let ((from, to), ticks) = linear_axis([low, low + wide].into_iter());
            assert!(from < low && to > low + wide && (3..=7).contains(&ticks.len()), "{low} {wide} {ticks:?}");
        }
    }

    fn labels_of(ticks: Vec<Tick>) -> String {
        labels(&ticks).join(" ")
    }

    #[test]
    fn logarithmic_ticks_enclose_the_data() {
        let ((from, to), ticks) = log_axis([0.03, 0.7].into_iter());
        assert_eq!(labels(&ticks), ["0.02", "0.05", "0.1", "0.2", "0.5", "1"]);
        assert!(from <= 0.03f64.log10() && to >= 0.7f64.log10());
        assert_eq!(
            labels(&log_axis([2e-7, 3.0].into_iter()).1),
            ["10⁻⁷", "10⁻⁶", "10⁻⁵", "10⁻⁴", "0.001", "0.01", "0.1", "1", "10"]
        );
        assert_eq!(labels(&log_axis([1.0].into_iter()).1).first(), Some(&"1"));
        assert!(log_axis([0.0].into_iter()).1.is_empty());
        for value in [1e-300, 4e-9, 0.2, 5.0, 1e12] {
            for wide in [1.0, 1.5, 1e3, 1e40, 1e200] {
                let ((from, to), ticks) = log_axis([value, value * wide].into_iter());
                assert!(from <= value.log10() + 1e-9 && to >= (value * wide).log10() - 1e-9 && from < to);
                assert!((1..=12).contains(&ticks.len()), "{value} {wide} {ticks:?}");
            }
        }
    }

    #[test]
    fn labels_that_would_touch_are_left_out() {
        let ticks: Vec<Tick> = (0..=40).map(|index| (f64::from(index), (index * 10).to_string())).collect();
        let places: Vec<f64> = (0..=40).map(|index| f64::from(index) * 6.0).collect();
        assert_eq!(labelled(&places, &ticks), [0, 8, 16, 24, 32, 40]);
        // 37 steps have no even division: the last label takes the room of the one before it.
        assert_eq!(labelled(&places[..38], &ticks[..38]), [0, 7, 14, 21, 28, 37]);
        assert_eq!(labelled(&[0.0, 1.0], &ticks[..2]), [1]);
        assert_eq!(labelled(&[0.0], &ticks[..1]), [0]);
        assert!(labelled(&[], &[]).is_empty());
    }
}
