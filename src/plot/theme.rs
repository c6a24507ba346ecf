//! What all figures share: sizes, type, colours. Legible at the width of one column of a paper, and in grayscale.

use plotters::style::RGBColor;

/// Width of every figure, in pixels.
pub const WIDTH: f64 = 900.0;
/// Space around a figure, in pixels.
pub const MARGIN: f64 = 16.0;
/// plotters draws at whole coordinates: figures are drawn on a grid of half pixels.
pub const GRID: f64 = 2.0;

/// The bundled font, and what a browser without it takes.
pub const FAMILY: &str = "DejaVu Sans, sans-serif";
/// Size of titles, in pixels.
pub const TITLE: f64 = 18.0;
/// Size of axis names and legends, in pixels.
pub const LABEL: f64 = 16.0;
/// Size of the smallest text, in pixels.
pub const TICK: f64 = 15.0;

/// Text and axes.
pub const INK: RGBColor = RGBColor(26, 26, 26);
/// Text that steps back.
pub const MUTED: RGBColor = RGBColor(90, 90, 90);
/// Grid lines.
pub const RULE: RGBColor = RGBColor(218, 218, 218);

// Colours that people with any colour vision tell apart: M. Okabe and K. Ito, "Color Universal Design", 2008. Their
// lightness differs as far as it can; lines differ in dashes and markers too.
/// Okabe and Ito's blue.
pub const BLUE: RGBColor = RGBColor(0, 114, 178);
/// Okabe and Ito's vermilion.
pub const VERMILION: RGBColor = RGBColor(213, 94, 0);
/// Okabe and Ito's bluish green.
pub const GREEN: RGBColor = RGBColor(0, 158, 115);
/// Okabe and Ito's orange.
pub const ORANGE: RGBColor = RGBColor(230, 159, 0);
/// Okabe and Ito's black.
pub const BLACK: RGBColor = RGBColor(0, 0, 0);

/// How a line is broken: lengths of the stroke and of the space after it, in pixels; none for a whole line.
pub type Dash = Option<(f64, f64)>;

/// The shape at a line's points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// ●
    Circle,
    /// ▲
    Triangle,
    /// ■
    Square,
    /// ◆
    Diamond,
}

/// How a series is drawn; no two in a figure share any of the three.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Of line and marker.
    pub color: RGBColor,
    /// Of the line.
    pub dash: Dash,
    /// At the points.
    pub marker: Marker,
}

/// Looks in the order in which series take them.
pub const LOOKS: [Look; 4] = [
    Look { color: BLUE, dash: None, marker: Marker::Circle },
    Look { color: VERMILION, dash: Some((9.0, 4.0)), marker: Marker::Triangle },
    Look { color: GREEN, dash: Some((3.0, 3.0)), marker: Marker::Square },
    Look { color: BLACK, dash: Some((14.0, 3.0)), marker: Marker::Diamond },
];

/// Viridis at nine even places (S. van der Walt and N. Smith, matplotlib): its lightness rises all the way, so that it reads
/// in grayscale, and it holds no gray, so that "no value" cannot be taken for one.
const VIRIDIS: [RGBColor; 9] = [
    RGBColor(68, 1, 84),
    RGBColor(71, 44, 122),
    RGBColor(59, 81, 139),
    RGBColor(44, 113, 142),
    RGBColor(33, 144, 141),
    RGBColor(39, 173, 129),
    RGBColor(92, 200, 99),
    RGBColor(170, 220, 50),
    RGBColor(253, 231, 37),
];

/// The colour at `place` from 0 to 1 of the map; places outside are taken to its ends.
pub fn color_at(place: f64) -> RGBColor {
    let place = place.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64;
    let below = (place as usize).min(VIRIDIS.len() - 2);
    let (from, to, share) = (VIRIDIS[below], VIRIDIS[below + 1], place - below as f64);
    let mix = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * share).round() as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_colour_map_gets_lighter_all_the_way() {
        // Luma of ITU-R BT.601: what a grayscale copy shows.
        let luma =
            |color: RGBColor| 0.299 * f64::from(color.0) + 0.587 * f64::from(color.1) + 0.114 * f64::from(color.2);
        let lumas: Vec<f64> = (0..=100).map(|index| luma(color_at(f64::from(index) / 100.0))).collect();
        assert!(lumas.windows(2).all(|pair| pair[1] > pair[0] - 0.5), "{lumas:?}");
        assert_eq!((color_at(-1.0), color_at(2.0)), (VIRIDIS[0], VIRIDIS[8]));
    }
}
