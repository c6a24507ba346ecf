//! Several methods beside each other: how far full and format gradient point the same way over training, and how much there is of
//! either. A prompt that has taken up the format leaves less of it in the gradient, which shows in the norm before the cosine.

use super::Figure;
use super::canvas::{Canvas, Entry, HEADING, figure, legend_height};
use super::panel::{BAND, Panel, Sample, Tick, cosine_axis, log_axis};
use super::parts::side_by_side;
use super::series::{band_sample, finite, line_sample, series, step_axis};
use super::theme::{Look, REFERENCE, other};
use crate::error::Result;
use crate::report::rows::Scope;
use crate::report::view::{View, WITHOUT_EMBEDDINGS};
use crate::report::{GradientAlignRow, names};

/// Height of a row of panels, in pixels, and of what stands around it.
const HEIGHT: f64 = 280.0;
const AROUND: f64 = 96.0;

/// The method that the others are held against, where it is among them.
const STANDARD: &str = "standard";

/// A number of a row.
type Read = fn(&GradientAlignRow) -> Option<f64>;

/// One panel: what it shows of which rows.
struct Shown<'a> {
    title: String,
    scope: Scope,
    name: &'a str,
    value: Read,
    /// The ends of its interval.
    ends: Option<(Read, Read)>,
}

/// A method's line.
struct Line<'a> {
    view: &'a View<'a>,
    look: Look,
}

/// Draws it.
pub fn draw(views: &[View]) -> Result<Figure> {
    let lines = lines(views);
    let target = views.first().map_or("", |view| view.target());
    let signature = views.first().map_or_else(String::new, |view| format!("{target}, {}", view.setting()));
    let whole = "Model without embeddings";
    let cosine = |title: String, scope, name| Shown {
        title,
        scope,
        name,
        value: |row| row.cosine,
        ends: Some((|row| row.cosine_lo, |row| row.cosine_hi)),
    };
    let mut cosines = vec![cosine(whole.to_string(), Scope::Model, WITHOUT_EMBEDDINGS)];
    if let Some(layer) = views.first().and_then(|view| view.last_layer()) {
        cosines.push(cosine(format!("Last layer ({layer})"), Scope::Layer, layer));
    }
    let norm = |title: &str, value: Read| Shown {
        title: title.to_string(),
        scope: Scope::Model,
        name: WITHOUT_EMBEDDINGS,
        value,
        ends: None,
    };
    let norms = [
        norm(&format!("{whole}: norm of g_format"), |row| log(row.norm_format)),
        norm(&format!("{whole}: norm of g"), |row| log(row.norm_full)),
    ];
    let mut entries: Vec<Entry> = Vec::new();
    for line in &lines {
        let name = names::method(line.view.method());
        entries.push((Box::new(move |canvas, at| line_sample(canvas, at, &line.look, 2.0)), name));
    }
    let values = |shown: &Shown, read: Read| -> Vec<f64> {
        lines.iter().flat_map(|line| samples(line, shown, read)).filter_map(|(_, value)| value).collect()
    };
    let lows: Vec<f64> = cosines.iter().flat_map(|shown| values(shown, |row| row.cosine_lo)).collect();
    if !lows.is_empty() {
        entries.push((Box::new(band_sample), "95 % interval (cosine)".into()));
    }
    let all = cosines.iter().flat_map(|shown| values(shown, shown.value)).chain(lows.iter().copied());
    let cosine_axis = cosine_axis(all);
    let norm_axis = log_axis(norms.iter().flat_map(|shown| values(shown, shown.value)).map(|log| 10f64.powf(log)));
    let caption = format!(
        "Gradients of each method's last stage over its training steps, with what earlier stages have trained attached. Above: \
         cosine between the full gradient g and the format gradient g_format, with 95 % intervals over probe batches and \
         shuffles. Below: norms of both, per example, on a logarithmic axis (a norm of zero is a gap). {signature}."
    );
    let top = HEADING + legend_height(&entries) + 32.0;
    let svg = figure(top + 2.0 * (HEIGHT + AROUND) - 32.0, &caption, |canvas| {
        let below = canvas.heading("Full and format gradient by method", &signature)?;
        canvas.legend(below, &entries)?;
        let steps = steps(views);
        row(canvas, &lines, &steps, &cosines, top, (cosine_axis.0, &cosine_axis.1), "cosine(g, g_format)")?;
        let top = top + HEIGHT + AROUND;
        row(canvas, &lines, &steps, &norms, top, (norm_axis.0, &norm_axis.1), "gradient norm per example")
    })?;
    Ok(Figure { name: "methods", svg, caption })
}

/// Every method with its look: that which the others are held against has the only whole line.
fn lines<'a>(views: &'a [View<'a>]) -> Vec<Line<'a>> {
    let mut others = 0;
    let mut line = |view: &'a View<'a>| {
        let look = if view.method() == STANDARD { REFERENCE } else { other(others) };
        others += usize::from(view.method() != STANDARD);
        Line { view, look }
    };
    views.iter().map(&mut line).collect()
}

/// Every step at which some method was probed.
fn steps(views: &[View]) -> Vec<u64> {
    let mut steps: Vec<u64> = views.iter().flat_map(|view| view.steps()).copied().collect();
    steps.sort_unstable();
    steps.dedup();
    steps
}

/// The place of a norm on a logarithmic axis; zero has none.
fn log(norm: f64) -> Option<f64> {
    finite(Some(norm)).filter(|norm| *norm > 0.0).map(f64::log10)
}

fn samples(line: &Line, shown: &Shown, read: Read) -> Vec<Sample> {
    series(line.view.steps(), |step| line.view.row(shown.scope, shown.name, step).and_then(read))
}

/// A row of panels with one vertical axis.
fn row(
    canvas: &Canvas,
    lines: &[Line],
    steps: &[u64],
    all: &[Shown],
    top: f64,
    (range, ticks): ((f64, f64), &[Tick]),
    name: &str,
) -> Result<()> {
    let (across, step_ticks) = step_axis(steps);
    let panels = side_by_side(canvas, &vec![1.0; all.len()], (top, top + HEIGHT), (range, ticks), |_| across);
    for (index, (panel, shown)) in panels.iter().zip(all).enumerate() {
        panel.title(&shown.title)?;
        panel.y_axis(ticks, index == 0)?;
        panel.x_axis(&step_ticks)?;
        panel.x_name("training step of the last stage")?;
        fill(panel, lines, shown)?;
        panel.frame()?;
    }
    panels.first().map_or(Ok(()), |panel| panel.y_name(name))
}

/// Bands below everything, markers above.
fn fill(panel: &Panel, lines: &[Line], shown: &Shown) -> Result<()> {
    // Many bands lie on each other and must stay lighter than lines.
    let strength = if lines.len() > 5 { 0.09 } else { BAND };
    if let Some((low, high)) = shown.ends {
        for line in lines {
            panel.band(&samples(line, shown, low), &samples(line, shown, high), &line.look, strength)?;
        }
    }
    let values: Vec<Vec<Sample>> = lines.iter().map(|line| samples(line, shown, shown.value)).collect();
    for (line, values) in lines.iter().zip(&values) {
        panel.line(values, &line.look, 2.0)?;
    }
    for (line, values) in lines.iter().zip(&values) {
        panel.markers(values, &line.look)?;
    }
    if values.iter().flatten().all(|(_, value)| value.is_none()) {
        panel.empty()?;
    }
    Ok(())
}
