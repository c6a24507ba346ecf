//! The target's score against a mean over other tasks, a point for each checkpoint: the paper's figures 5 and 6, and the same
//! for all tasks whose label words do not overlap the target's.

use super::Comparison;
use crate::error::Result;
use crate::plot::Figure;
use crate::plot::canvas::{Align, Canvas, Entry, HEADING, Point, figure, fit, legend_height};
use crate::plot::panel::{Panel, Tick, linear_axis};
use crate::plot::png::text_width;
use crate::plot::series::finite;
use crate::plot::theme::{INK, LABEL, Look, MARGIN, MUTED, Marker, TICK, WIDTH, pale};
use crate::report::{CheckpointRow, names};

/// One figure.
pub struct Trade {
    name: &'static str,
    title: &'static str,
    /// The vertical axis.
    mean: &'static str,
    read: fn(&CheckpointRow) -> Option<f64>,
}

/// All of them.
pub const TRADES: [Trade; 3] = [
    Trade {
        name: "figure5",
        title: "Target against classification tasks",
        mean: "mean accuracy, classification",
        read: |row| row.mean_classification,
    },
    Trade {
        name: "figure6",
        title: "Target against translation tasks",
        mean: "mean BLEU, other translations",
        read: |row| row.mean_translation,
    },
    Trade {
        name: "trade_off",
        title: "Target against tasks of other formats",
        mean: "mean score, mismatched tasks",
        read: |row| row.mean_mismatched,
    },
];

/// A checkpoint as it is drawn.
struct Dot {
    at: Point,
    /// The place of its method.
    method: usize,
    /// Whether a later stage follows.
    early: bool,
    /// Whether it is the one that was kept.
    kept: bool,
}

/// Height of a panel, in pixels: of one alone, and of several.
const HEIGHTS: (f64, f64) = (420.0, 320.0);
/// How large markers are: those of stages before the last, and of the last.
const SCALES: (f64, f64) = (0.9, 1.3);

/// Draws one; none where no checkpoint has such a mean.
pub fn draw(of: &Comparison, trade: &Trade) -> Result<Option<Figure>> {
    let panels: Vec<(&str, Vec<Dot>)> = of
        .view
        .targets()
        .iter()
        .map(|target| (*target, dots(of, trade, target)))
        .filter(|(_, dots)| !dots.is_empty())
        .collect();
    if panels.is_empty() {
        return Ok(None);
    }
    let looks = of.looks();
    let all = || panels.iter().flat_map(|(_, dots)| dots);
    let shown = |index: &usize| all().any(|dot| dot.method == *index);
    let mut entries: Vec<Entry> = Vec::new();
    for (_, name, look) in (0..looks.len()).filter(shown).map(|index| &looks[index]) {
        entries.push((Box::new(move |canvas, at| sample(canvas, at, look)), name.clone()));
    }
    if all().any(|dot| dot.early) {
        let early = |canvas: &Canvas, at| canvas.sized_marker(at, Marker::Circle, pale(MUTED), SCALES.0);
        entries.push((Box::new(early), "pale: before the last stage".into()));
    }
    if all().any(|dot| dot.kept) {
        entries.push((Box::new(|canvas, at| canvas.ring(at, INK)), "kept".into()));
    }
    let signature = of.view.signature();
    let caption = format!(
        "{}: the target's score on its validation split against the {}, a point for each checkpoint. Small pale points are of stages before a method's \
         last, ringed ones are the checkpoints that were kept. Scores are of 100. {signature}.",
        trade.title, trade.mean
    );
    let columns = panels.len().min(2);
    let height = if panels.len() == 1 { HEIGHTS.0 } else { HEIGHTS.1 };
    let top = HEADING + legend_height(&entries) + 34.0;
    let rows = panels.len().div_ceil(columns) as f64;
    let pitch = height + 96.0;
    let svg = figure(top + rows * pitch - 34.0, &caption, |canvas| {
        let below = canvas.heading(&format!("{}, checkpoint by checkpoint", trade.title), &signature)?;
        canvas.legend(below, &entries)?;
        let width = (WIDTH - MARGIN) / columns as f64;
        for (index, (target, dots)) in panels.iter().enumerate() {
            let left = width * (index % columns) as f64;
            let top = top + pitch * (index / columns) as f64;
            let place = Place { across: (left, left + width), down: (top, top + height) };
            panel(canvas, of, trade, &place, target, dots, &looks)?;
        }
        Ok(())
    })?;
    Ok(Some(Figure { name: trade.name, svg, caption }))
}

/// The checkpoints of a target that have both scores.
fn dots(of: &Comparison, trade: &Trade, target: &str) -> Vec<Dot> {
    let methods = of.methods();
    let rows = || of.checkpoints.iter().filter(|row| row.target == target);
    let dot = |row: &CheckpointRow| {
        let same = rows().filter(|other| other.method == row.method && other.seed == row.seed);
        let last = same.map(|other| other.stage).max()?;
        let kept = of.view.target(target, &row.method, row.seed).and_then(|row| row.checkpoint_step);
        Some(Dot {
            at: (finite(Some(row.target_score))?, finite((trade.read)(row))?),
            method: methods.iter().position(|method| *method == row.method)?,
            early: row.stage < last,
            kept: row.stage == last && kept == Some(row.step),
        })
    };
    rows().filter_map(dot).collect()
}

/// The room of a panel with all that stands around it, across, and of the panel itself, down.
struct Place {
    across: (f64, f64),
    down: (f64, f64),
}

fn panel(
    canvas: &Canvas,
    of: &Comparison,
    trade: &Trade,
    place: &Place,
    target: &str,
    dots: &[Dot],
    looks: &[(&str, String, Look)],
) -> Result<()> {
    let (x, across_ticks) = linear_axis(dots.iter().map(|dot| dot.at.0));
    let (y, ticks): (_, Vec<Tick>) = linear_axis(dots.iter().map(|dot| dot.at.1));
    let labels = ticks.iter().map(|(_, label)| text_width(label, TICK)).fold(0.0, f64::max);
    let left = (place.across.0 + MARGIN + LABEL + labels + 10.0).ceil();
    let panel = Panel { canvas, across: (left, place.across.1 - 8.0), down: place.down, x, y };
    let name = names::task(target);
    let room = panel.across.1 - panel.across.0;
    panel.title(&fit(&format!("fine-tuned on {name}"), LABEL, room))?;
    panel.y_axis(&ticks, true)?;
    panel.x_axis(&across_ticks)?;
    let metric =
        of.view.seeds().iter().find_map(|seed| {
            of.view.methods(target).into_iter().find_map(|method| of.view.target(target, method, *seed))
        });
    let metric = metric.map_or("score", |row| names::metric(&row.metric));
    panel.x_name(&fit(&format!("{metric} on {name}, validation (of 100)"), LABEL, room))?;
    let middle = f64::midpoint(place.down.0, place.down.1);
    let words = fit(&format!("{} (of 100)", trade.mean), LABEL, place.down.1 - place.down.0);
    canvas.text((place.across.0 + MARGIN, middle), &words, LABEL, Align::Upwards, INK)?;
    for dot in dots.iter().filter(|dot| dot.early) {
        let look = looks[dot.method].2;
        canvas.sized_marker(panel.at(dot.at.0, dot.at.1), look.marker, pale(look.color), SCALES.0)?;
    }
    for dot in dots.iter().filter(|dot| !dot.early) {
        if dot.kept {
            canvas.ring(panel.at(dot.at.0, dot.at.1), INK)?;
        }
        let look = looks[dot.method].2;
        canvas.sized_marker(panel.at(dot.at.0, dot.at.1), look.marker, look.color, SCALES.1)?;
    }
    panel.frame()
}

fn sample(canvas: &Canvas, at: Point, look: &Look) -> Result<()> {
    canvas.sized_marker(at, look.marker, look.color, SCALES.1)
}
