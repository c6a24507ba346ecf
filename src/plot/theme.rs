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
/// Okabe and Ito's sky blue.
pub const SKY: RGBColor = RGBColor(86, 180, 233);
/// Okabe and Ito's reddish purple.
pub const PURPLE: RGBColor = RGBColor(204, 121, 167);
/// Beside Okabe and Ito's, whose yellow is too light for lines: P. Tol, "Colour Schemes", 2021, muted indigo.
pub const INDIGO: RGBColor = RGBColor(51, 34, 136);
/// The same scheme's olive, darkened.
pub const OLIVE: RGBColor = RGBColor(122, 122, 30);

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
    /// ▼
    Down,
    /// ✕
    Cross,
    /// ○
    Ring,
    /// □
    Frame,
    /// ◇
    Gem,
}

/// How a series is drawn; no two of the first eight in a figure share any of the three, so that each of them is enough.
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

/// The look of the series that the others are held against: the only whole line among them.
pub const REFERENCE: Look = Look { color: BLACK, dash: None, marker: Marker::Circle };

/// The looks of the others.
const OTHERS: [Look; 8] = [
    Look { color: BLUE, dash: Some((9.0, 4.0)), marker: Marker::Triangle },
    Look { color: VERMILION, dash: Some((3.0, 3.0)), marker: Marker::Square },
    Look { color: GREEN, dash: Some((16.0, 3.0)), marker: Marker::Diamond },
    Look { color: ORANGE, dash: Some((6.0, 2.0)), marker: Marker::Ring },
    Look { color: INDIGO, dash: Some((12.0, 8.0)), marker: Marker::Down },
    Look { color: SKY, dash: Some((5.0, 6.0)), marker: Marker::Frame },
    Look { color: PURPLE, dash: Some((24.0, 4.0)), marker: Marker::Cross },
    Look { color: OLIVE, dash: Some((2.0, 5.0)), marker: Marker::Gem },
];

/// The look of series `index` beside [`REFERENCE`]; beyond eight, colours and markers come again with other dashes.
pub fn other(index: usize) -> Look {
    let round = index / OTHERS.len();
    Look { dash: OTHERS[(index + round) % OTHERS.len()].dash, ..OTHERS[index % OTHERS.len()] }
}

/// How an area is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// With its colour.
    Solid,
    /// Lines that rise to the right.
    Rising,
    /// Lines that fall to the right.
    Falling,
    /// Both.
    Crossed,
    /// Upright lines.
    Upright,
    /// Two level lines.
    Level,
    /// A row of dots.
    Dotted,
    /// An outline.
    Empty,
}

/// How a bar is drawn; no two of the first seven beside [`SOLID`] share colour or pattern.
#[derive(Debug, Clone, Copy)]
pub struct Fill {
    /// Of outline and pattern.
    pub color: RGBColor,
    /// What tells it from others without its colour.
    pub pattern: Pattern,
}

/// The fill of what the others are held against.
pub const SOLID: Fill = Fill { color: MUTED, pattern: Pattern::Solid };

/// The patterns of the others.
const PATTERNS: [Pattern; 7] = [
    Pattern::Rising,
    Pattern::Falling,
    Pattern::Crossed,
    Pattern::Level,
    Pattern::Upright,
    Pattern::Empty,
    Pattern::Dotted,
];

/// The fill of series `index` beside [`SOLID`], in the colour of its [`other`] look.
pub fn fill(index: usize) -> Fill {
    Fill { color: other(index).color, pattern: PATTERNS[index % PATTERNS.len()] }
}

/// A colour on its way to white, for what steps back.
pub fn pale(color: RGBColor) -> RGBColor {
    let lift = |part: u8| (0.5 * f64::from(part) + 0.5 * 255.0).round() as u8;
    RGBColor(lift(color.0), lift(color.1), lift(color.2))
}

/// The look of the points of series `index` beside [`REFERENCE`], which no line tells apart: beyond eight, colours come again
/// with other markers.
pub fn point(index: usize) -> Look {
    let round = index / OTHERS.len();
    Look { marker: OTHERS[(index + round) % OTHERS.len()].marker, ..other(index) }
}

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
    fn no_two_of_many_series_look_the_same() {
        let looks: Vec<Look> = (0..64).map(other).chain([REFERENCE]).collect();
        for (index, one) in looks.iter().enumerate() {
            for other in &looks[..index] {
                assert!((one.color, one.dash, one.marker) != (other.color, other.dash, other.marker));
            }
        }
        for (index, one) in looks[..8].iter().enumerate() {
            for other in looks[..index].iter().chain([&REFERENCE]) {
                assert!(one.color != other.color && one.dash != other.dash && one.marker != other.marker);
            }
        }
    }

    #[test]
    fn no_two_of_many_points_look_the_same() {
        let looks: Vec<Look> = std::iter::once(REFERENCE).chain((0..64).map(point)).collect();
        for (index, one) in looks.iter().enumerate() {
            for other in &looks[..index] {
                assert!(one.color != other.color || one.marker != other.marker);
            }
        }
    }

    #[test]
    fn no_two_of_many_bars_look_the_same() {
        let fills: Vec<Fill> = std::iter::once(SOLID).chain((0..56).map(fill)).collect();
        for (index, one) in fills.iter().enumerate() {
            for other in &fills[..index] {
                assert!(one.color != other.color || one.pattern != other.pattern);
                assert!(index >= 8 || (one.color != other.color && one.pattern != other.pattern));
            }
        }
    }

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
