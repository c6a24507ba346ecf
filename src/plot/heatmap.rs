//! All layers over all probes: cosine as colour.

use super::Figure;
use super::canvas::{Align, Entry, figure, fit};
use super::panel::{Panel, Tick, cosine_axis, labelled};
use super::png::text_width;
use super::series::finite;
use super::theme::{INK, LABEL, MARGIN, TICK, WIDTH, color_at};
use crate::error::Result;
use crate::report::rows::Scope;
use crate::report::view::{View, layer_number};

/// Height of a row of cells: tall for few layers, thin for hundreds.
fn cell_height(layers: usize) -> f64 {
    (560.0 / layers as f64).floor().clamp(4.0, 30.0)
}

/// Which rows have room for their name: all, or else the ends, layers of round numbers, and what then has room.
fn labelled_rows(layers: &[&str]) -> Vec<usize> {
    let rows = (TICK * 1.25 / cell_height(layers.len())).ceil() as usize;
    let stride = if rows > 2 { rows.next_multiple_of(5) } else { rows };
    let last = layers.len().saturating_sub(1);
    let round = |row: &usize| layer_number(layers[*row]).is_some_and(|number| number.is_multiple_of(stride as u64));
    let unnumbered = |row: &usize| layer_number(layers[*row]).is_none();
    let candidates = [0, last].into_iter().chain((0..=last).filter(round)).chain((0..=last).filter(unnumbered));
    let mut chosen: Vec<usize> = Vec::new();
    for row in candidates {
        if chosen.iter().all(|other| other.abs_diff(row) >= rows) {
            chosen.push(row);
        }
    }
    chosen
}

/// Draws it for every layer of the rows.
pub fn draw(view: &View) -> Result<Figure> {
    const LONGEST_NAME: f64 = 220.0;
    let signature = view.signature();
    let caption = format!(
        "Cosine between the full gradient and the format gradient in every layer over training; hatched where there is no \
         value. {signature}."
    );
    let layers = view.layers();
    let steps = view.steps();
    let cosine = |layer: &str, step: u64| view.row(Scope::Layer, layer, step).and_then(|row| finite(row.cosine));
    let every = || layers.iter().flat_map(|layer| steps.iter().map(|step| cosine(layer, *step)));
    let (range, ticks) = cosine_axis(every().flatten());
    let color = |value: f64| color_at((value - range.0) / (range.1 - range.0));

    let names: Vec<String> = layers.iter().map(|layer| fit(layer, TICK, LONGEST_NAME)).collect();
    let widest = names.iter().map(|name| text_width(name, TICK)).fold(0.0, f64::max);
    let cells = cell_height(layers.len()) * layers.len() as f64;
    let missing = every().any(|value| value.is_none());
    let top = if missing { 98.0 } else { 74.0 };
    // A colour bar needs some height for its labels, however few the layers.
    let height = top + cells.max(180.0) + 60.0;

    let svg = figure(height, &caption, |canvas| {
        let below = canvas.heading("Full and format gradient, layer by layer", &signature)?;
        if missing {
            let hatch: Entry = (
                Box::new(|canvas, (x, y)| canvas.hatch([(x - 20.0, y - 8.0), (x + 20.0, y + 8.0)])),
                "no value".into(),
            );
            canvas.legend(below, &[hatch])?;
        }
        let across = ((MARGIN + widest + 10.0).ceil(), WIDTH - 110.0);
        // The vertical axis counts layers from the top.
        let (x, y) = ((0.0, steps.len() as f64), (layers.len() as f64, 0.0));
        let map = Panel { canvas, across, down: (top, top + cells), x, y };
        for (row, layer) in layers.iter().enumerate() {
            for (column, &step) in steps.iter().enumerate() {
                let (column, row) = (column as f64, row as f64);
                let whole = |(x, y): (f64, f64)| (x.round(), y.round());
                let corners = [whole(map.at(column, row)), whole(map.at(column + 1.0, row + 1.0))];
                match cosine(layer, step) {
                    Some(value) => canvas.fill(corners, color(value))?,
                    None => canvas.hatch(corners)?,
                }
            }
        }
        for row in labelled_rows(layers) {
            let (_, y) = map.at(0.0, row as f64 + 0.5);
            canvas.text((across.0 - 8.0, y), &names[row], TICK, Align::Right, INK)?;
        }
        let columns: Vec<Tick> =
            steps.iter().enumerate().map(|(index, step)| (index as f64 + 0.5, step.to_string())).collect();
        let places: Vec<f64> = columns.iter().map(|(place, _)| map.at(*place, 0.0).0).collect();
        let shown: Vec<Tick> = labelled(&places, &columns).into_iter().map(|index| columns[index].clone()).collect();
        map.x_axis(&shown)?;
        map.x_name("training step")?;
        map.frame()?;

        let left = WIDTH - 94.0;
        let tall = cells.clamp(180.0, 420.0);
        let bar = Panel { canvas, across: (left, left + 18.0), down: (top, top + tall), x: (0.0, 1.0), y: range };
        let mut y = top;
        while y < top + tall {
            let value = range.1 - (y + 0.5 - top) / tall * (range.1 - range.0);
            canvas.fill([(left, y), (left + 18.0, (y + 1.0).min(top + tall))], color(value))?;
            y += 1.0;
        }
        for (value, label) in &ticks {
            let (_, y) = bar.at(1.0, *value);
            canvas.line(&[(left + 18.0, y), (left + 22.0, y)], INK, 1.0, None)?;
            canvas.text((left + 26.0, y), label, TICK, Align::Left, INK)?;
        }
        bar.frame()?;
        let middle = top + tall / 2.0;
        canvas.text((WIDTH - 18.0, middle), "cosine(g, g_format)", LABEL, Align::Upwards, INK)
    })?;
    Ok(Figure { name: "heatmap", svg, caption })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_layers_are_those_of_round_numbers() {
        let names: Vec<String> = ["encoder", "decoder"]
            .iter()
            .flat_map(|stack| (0..100).map(move |layer| format!("{stack}.{layer}")).chain([format!("{stack}.final")]))
            .chain(["head".to_string()])
            .collect();
        let layers: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut rows = labelled_rows(&layers);
        rows.sort_unstable();
        let shown: Vec<&str> = rows.iter().map(|row| layers[*row]).collect();
        assert_eq!(shown[..3], ["encoder.0", "encoder.5", "encoder.10"]);
        assert_eq!(shown.last(), Some(&"head"));
        assert!(shown.contains(&"decoder.0"));
        assert_eq!(labelled_rows(&layers[..3]).len(), 3);
    }
}
