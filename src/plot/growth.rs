//! What a step costs as one thing grows: a panel for each thing, both axes logarithmic.

use super::Figure;
use super::canvas::{Entry, figure};
use super::panel::{Sample, Tick, log_axis};
use super::parts::side_by_side;
use super::series::line_sample;
use super::theme::LOOKS;
use crate::error::Result;
use crate::report::GrowthRow;

const HEIGHT: f64 = 430.0;

/// What a factor is called.
fn label(factor: &str) -> &str {
    match factor {
        "batch-size" => "batch size",
        "source-len" => "source tokens",
        "depth" => "blocks",
        "width" => "width",
        other => other,
    }
}

/// Draws the median times of `rows`; `signature` goes below the title.
pub fn draw(rows: &[GrowthRow], signature: &str) -> Result<Figure> {
    let mut factors: Vec<&str> = Vec::new();
    let mut works: Vec<&str> = Vec::new();
    for row in rows {
        if !factors.contains(&row.factor.as_str()) {
            factors.push(&row.factor);
        }
        if !works.contains(&row.work.as_str()) {
            works.push(&row.work);
        }
    }
    let caption = format!(
        "Seconds that a step takes as one thing grows and all else stays, both axes logarithmic: medians. {signature}."
    );
    let svg = figure(HEIGHT, &caption, |canvas| {
        let top = canvas.heading("What a step costs as one thing grows", signature)?;
        let entry = |(name, look): (&&str, &'static _)| -> Entry {
            (Box::new(move |canvas, at| line_sample(canvas, at, look, 2.0)), name.to_string())
        };
        let entries: Vec<Entry> = works.iter().zip(&LOOKS).map(entry).collect();
        let top = canvas.legend(top, &entries)? + 32.0;
        let (range, ticks) = log_axis(rows.iter().map(|row| row.median_s));
        let of = |factor: &str| rows.iter().filter(|row| row.factor == factor).collect::<Vec<_>>();
        // Values double: each has a tick.
        let span = |index: usize| {
            let places = of(factors[index]).into_iter().map(|row| (row.value as f64).log2()).collect::<Vec<_>>();
            let low = places.iter().copied().fold(f64::INFINITY, f64::min);
            let high = places.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (low - 0.3, high + 0.3)
        };
        let panels = side_by_side(canvas, &vec![1.0; factors.len()], (top, HEIGHT - 60.0), (range, &ticks), span);
        for (index, (panel, factor)) in panels.iter().zip(&factors).enumerate() {
            let rows = of(factor);
            let mut x_ticks: Vec<Tick> =
                rows.iter().map(|row| ((row.value as f64).log2(), row.value.to_string())).collect();
            x_ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
            x_ticks.dedup();
            panel.y_axis(&ticks, index == 0)?;
            panel.x_axis(&x_ticks)?;
            panel.x_name(label(factor))?;
            for (work, look) in works.iter().zip(&LOOKS) {
                let of_work = rows.iter().filter(|row| row.work == *work);
                let mut line: Vec<Sample> =
                    of_work.map(|row| ((row.value as f64).log2(), Some(row.median_s.log10()))).collect();
                line.sort_by(|a, b| a.0.total_cmp(&b.0));
                panel.line(&line, look, 2.0)?;
                panel.markers(&line, look)?;
            }
            panel.frame()?;
        }
        panels.first().map_or(Ok(()), |panel| panel.y_name("seconds"))
    })?;
    Ok(Figure { name: "growth", svg, caption })
}
