//! The bundled font: SVG → PNG with it, and how wide a text set in it is. No font of the machine is ever read.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Node, Options, Tree, fontdb};

use crate::error::{Error, Result};

/// Pixels of the PNG for each of the SVG.
const SCALE: f32 = 2.0;

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(include_bytes!("../../assets/font/DejaVuSans.ttf").to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    Arc::new(fonts)
});

/// An SVG of [`canvas`](super::canvas), parsed.
pub fn parse(svg: &str) -> Result<Tree> {
    let options = Options { fontdb: FONTS.clone(), font_family: "DejaVu Sans".into(), ..Options::default() };
    Tree::from_str(svg, &options).map_err(|source| {
        Error::check(format!("internal error: the figure is not valid SVG: {source}"))
            .next("please report it with the command that led to it")
            .caused_by(source)
    })
}

/// The SVG as PNG.
pub fn render(svg: &str) -> Result<Vec<u8>> {
    let tree = parse(svg)?;
    let size = tree.size();
    let (width, height) = ((size.width() * SCALE).round() as u32, (size.height() * SCALE).round() as u32);
    let mut pixels = Pixmap::new(width, height)
        .ok_or_else(|| Error::check(format!("a PNG of {width} × {height} pixels is too large; use the SVG")))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|source| {
        Error::check(format!("the figure cannot be encoded as PNG: {source}")).next("use the SVG").caused_by(source)
    })
}

/// The width of a line of text of `size` pixels, in pixels.
pub fn text_width(text: &str, size: f64) -> f64 {
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\">\
         <text font-family=\"DejaVu Sans\" font-size=\"{size}\">{}</text></svg>",
        escape(text)
    );
    // An empty text has no node.
    let width = |tree: Tree| match tree.root().children().first() {
        Some(Node::Group(group)) => f64::from(group.abs_bounding_box().width()),
        Some(node) => f64::from(node.abs_bounding_box().width()),
        None => 0.0,
    };
    parse(&svg).map_or(0.0, width)
}

/// Text as it may stand in XML; control characters, which may not, become spaces.
pub fn escape(text: &str) -> String {
    clean(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The text without control characters.
pub fn clean(text: &str) -> String {
    text.replace(|char: char| char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}'), " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // Reference: DejaVu Sans 2.37's advance widths, of 2048 units per em: `0` 1303, `M` 1767.
        assert!((text_width("0000", 20.48) - 4.0 * 13.03).abs() < 0.2, "{}", text_width("0000", 20.48));
        assert!((text_width("M", 20.48) - 17.67).abs() < 0.2);
        assert_eq!(text_width("", 20.0), 0.0);
        assert!(text_width("<&>\u{1}", 20.0) > text_width("<&>", 20.0) * 0.9);
    }
}
