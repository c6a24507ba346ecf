//! The parts of a decoder layer that the paper's figures 3 and 7 show, and how they are laid out.

use super::canvas::Canvas;
use super::panel::{Panel, Tick, cosine_axis};
use super::png::text_width;
use super::series::finite;
use super::theme::{LABEL, LOOKS, Look, MARGIN, TICK, WIDTH};
use crate::report::GradientAlignRow;
use crate::report::view::View;

/// One group of parameters.
pub struct Part {
    /// Its name in rows.
    pub group: &'static str,
    /// Its name in figures.
    pub label: &'static str,
    /// How its line is drawn.
    pub look: &'static Look,
}

/// Parts that share a panel. Self- and cross-attention are apart: with few target tokens, the queries and keys of decoder
/// self-attention hardly have a gradient.
pub struct Share {
    /// The panel's title.
    pub title: &'static str,
    /// What it shows.
    pub parts: &'static [Part],
}

const fn part(group: &'static str, label: &'static str, look: usize) -> Part {
    Part { group, label, look: &LOOKS[look] }
}

/// The panels, from left to right.
pub const SHARES: [Share; 3] = [
    Share { title: "Feed-forward", parts: &[part("mlp", "MLP", 3)] },
    Share {
        title: "Self-attention",
        parts: &[part("self.query", "query", 0), part("self.key", "key", 1), part("self.value", "value", 2)],
    },
    Share {
        title: "Cross-attention",
        parts: &[part("cross.query", "query", 0), part("cross.key", "key", 1), part("cross.value", "value", 2)],
    },
];

/// Panels side by side, of widths in these proportions, between `top` and `bottom`; the ticks are those of the vertical axis
/// that they share, which gets the room that its labels need.
pub fn side_by_side<'a, 'svg>(
    canvas: &'a Canvas<'svg>,
    weights: &[f64],
    (top, bottom): (f64, f64),
    (y, ticks): ((f64, f64), &[Tick]),
    x: impl Fn(usize) -> (f64, f64),
) -> Vec<Panel<'a, 'svg>> {
    const SPACE: f64 = 18.0;
    let labels = ticks.iter().map(|(_, label)| text_width(label, TICK)).fold(0.0, f64::max);
    let mut left = (MARGIN + LABEL + labels + 10.0).ceil();
    let room = WIDTH - left - MARGIN - SPACE * (weights.len() as f64 - 1.0);
    let unit = room / weights.iter().sum::<f64>();
    let panel = |(index, weight): (usize, &f64)| {
        let right = left + weight * unit;
        let panel = Panel { canvas, across: (left, right), down: (top, bottom), x: x(index), y };
        left = right + SPACE;
        panel
    };
    weights.iter().enumerate().map(panel).collect()
}

/// The numbers that `read` finds in the rows of the parts of `layer` at `steps`.
pub fn values(view: &View, layer: &str, steps: &[u64], read: fn(&GradientAlignRow) -> Option<f64>) -> Vec<f64> {
    let parts = SHARES.iter().flat_map(|share| share.parts);
    let rows = parts.flat_map(|part| steps.iter().filter_map(|step| view.group(layer, part.group, *step)));
    rows.filter_map(|row| finite(read(row))).collect()
}

/// What the parts' panels have to show of their rows, beside cosines.
pub struct Shown {
    /// The range of the vertical axis and its ticks.
    pub axis: ((f64, f64), Vec<Tick>),
    /// Whether there are intervals.
    pub intervals: bool,
    /// Whether there are yardsticks; some estimators have none.
    pub yardsticks: bool,
}

/// What the panels of the parts of `layer` show at `steps`.
pub fn shown(view: &View, layer: &str, steps: &[u64]) -> Shown {
    let lows = values(view, layer, steps, |row| row.cosine_lo);
    let yardsticks = values(view, layer, steps, |row| row.yardstick);
    let cosines = values(view, layer, steps, |row| row.cosine);
    Shown {
        intervals: !lows.is_empty(),
        yardsticks: !yardsticks.is_empty(),
        axis: cosine_axis(cosines.into_iter().chain(lows).chain(yardsticks)),
    }
}
