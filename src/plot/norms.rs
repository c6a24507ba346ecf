//! Norms of the full and the format gradient over training: a cosine says nothing of how much of either there is.

use super::Figure;
use super::canvas::{Entry, figure};
use super::panel::log_axis;
use super::parts::side_by_side;
use super::series::{finite, line_sample, series, step_axis};
use super::theme::LOOKS;
use crate::error::Result;
use crate::report::GradientAlignRow;
use crate::report::rows::Scope;
use crate::report::view::{View, WITHOUT_EMBEDDINGS};

const HEIGHT: f64 = 470.0;

/// A norm's name and how to read it. A norm of zero has no place on a logarithmic axis: it is a gap.
type Norm = (&'static str, fn(&GradientAlignRow) -> Option<f64>);

const NORMS: [Norm; 2] = [
    ("full gradient g", |row| finite(Some(row.norm_full)).filter(|norm| *norm > 0.0)),
    ("format gradient g_format", |row| finite(Some(row.norm_format)).filter(|norm| *norm > 0.0)),
];

/// Draws them for the whole model and the last layer.
pub fn draw(view: &View) -> Result<Figure> {
    let signature = view.signature();
    let caption = format!(
        "Norms of the full gradient and the format gradient over training, per example, on a logarithmic axis (a norm of \
         zero is a gap). {signature}."
    );
    let mut parts = vec![("Model without embeddings".to_string(), Scope::Model, WITHOUT_EMBEDDINGS)];
    if let Some(layer) = view.last_layer() {
        parts.push((format!("Last layer ({layer})"), Scope::Layer, layer));
    }
    let svg = figure(HEIGHT, &caption, |canvas| {
        let top = canvas.heading("Norms of the full and the format gradient over training", &signature)?;
        let entry = |((name, _), look): (&Norm, &'static _)| -> Entry {
            (Box::new(move |canvas, at| line_sample(canvas, at, look, 2.0)), name.to_string())
        };
        let entries: Vec<Entry> = NORMS.iter().zip(&LOOKS).map(entry).collect();
        let top = canvas.legend(top, &entries)? + 32.0;

        let lines = |scope, name: &str| {
            NORMS.map(|(_, read)| series(view.steps(), |step| view.row(scope, name, step).and_then(read)))
        };
        let all: Vec<_> = parts.iter().flat_map(|(_, scope, name)| lines(*scope, name)).flatten().collect();
        let (range, ticks) = log_axis(all.iter().filter_map(|(_, value)| *value));
        let (steps, step_ticks) = step_axis(view.steps());
        let panels = side_by_side(canvas, &vec![1.0; parts.len()], (top, HEIGHT - 60.0), (range, &ticks), |_| steps);
        for (index, (panel, (title, scope, name))) in panels.iter().zip(&parts).enumerate() {
            panel.title(title)?;
            panel.y_axis(&ticks, index == 0)?;
            panel.x_axis(&step_ticks)?;
            panel.x_name("training step")?;
            let lines = lines(*scope, name);
            for (line, look) in lines.iter().zip(&LOOKS) {
                let logs: Vec<_> = line.iter().map(|(step, value)| (*step, value.map(f64::log10))).collect();
                panel.line(&logs, look, 2.0)?;
                panel.markers(&logs, look)?;
            }
            if lines.iter().flatten().all(|(_, value)| value.is_none()) {
                panel.empty()?;
            }
            panel.frame()?;
        }
        panels.first().map_or(Ok(()), |panel| panel.y_name("gradient norm per example"))
    })?;
    Ok(Figure { name: "norms", svg, caption })
}
