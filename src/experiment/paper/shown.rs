//! What is written for an item: the rows behind it as CSV, a table as Markdown, and links to the figures that its runs have drawn.

use super::Plan;
use super::find::printed;
use super::item::{Item, Scores, Show};
use super::items::SIDE_BY_SIDE;
use super::results::Results;
use crate::data::{MiniSplit, Task, World};
use crate::error::Result;
use crate::experiment::compare;
use crate::report::csv::to_csv;
use crate::report::files::FIGURES;
use crate::report::paper::Paper as Printed;
use crate::report::summary::{examples_md, scores_md, splits_md};
use crate::report::view::View;
use crate::report::{CheckpointRow, GradientAlignRow, PaperRow, PointRow, SplitRow};
use crate::spec::MINI_SEED;
use crate::spec::paper::{GRADIENT_ALIGN, LABEL_RATIO, SubSpec};
use crate::spec::preset::IN_CONTEXT;

/// What is written for an item.
#[derive(Default)]
pub struct Shown {
    /// The rows that it shows.
    pub csv: Option<Vec<u8>>,
    /// The table.
    pub table: Option<String>,
    /// Figures, as paths from the page.
    pub figures: Vec<String>,
}

/// Makes it of the rows of `results`.
pub fn show(item: &Item, plan: &Plan, results: &Results) -> Result<Shown> {
    let figure = |run: &str, figure: &str| format!("{run}/{FIGURES}/{figure}.png");
    let of_seeds = |family: &str, name: &str| -> Vec<String> {
        plan.runs.iter().filter(|run| run.family == family).map(|run| figure(&run.name, name)).collect()
    };
    match &item.show {
        Show::Labels { figure, tasks, ratios } => Ok(Shown {
            csv: Some(to_csv(&points(results, tasks, *ratios))?),
            figures: of_seeds(LABEL_RATIO, figure),
            ..Shown::default()
        }),
        Show::Gradients { figure, ends } => Ok(Shown {
            csv: Some(to_csv(&gradients(results, *ends)?)?),
            figures: of_seeds(GRADIENT_ALIGN, figure),
            ..Shown::default()
        }),
        Show::TradeOff { figure: name, run } => {
            let rows = &results.scored(false).checkpoints;
            // A comparison that other items need may be of the same target, and is in no figure of this one.
            let shown = |row: &&CheckpointRow| row.target == *run && row.mean_mismatched.is_some();
            let rows: Vec<CheckpointRow> = rows.iter().filter(shown).cloned().collect();
            Ok(Shown { csv: Some(to_csv(&rows)?), figures: vec![figure(run, name)], ..Shown::default() })
        }
        Show::Scores(scores) => {
            let rows = cells(scores, results)?;
            Ok(Shown { csv: Some(to_csv(&rows)?), table: Some(scores_md(item.title, &rows)), ..Shown::default() })
        }
        Show::Outputs { run, tasks } => {
            let Some(SubSpec::Compare(spec)) = plan.runs.iter().find(|of| of.name == *run).map(|run| &run.spec) else {
                return Ok(Shown::default());
            };
            let rows = compare::side_by_side(spec, tasks, &SIDE_BY_SIDE)?;
            if rows.is_empty() {
                return Ok(Shown::default());
            }
            Ok(Shown { csv: Some(to_csv(&rows)?), table: Some(examples_md(item.title, &rows)), ..Shown::default() })
        }
        Show::Splits => {
            let rows = splits()?;
            Ok(Shown { csv: Some(to_csv(&rows)?), table: Some(splits_md(item.title, &rows)), ..Shown::default() })
        }
        Show::Nothing => Ok(Shown::default()),
    }
}

/// The target's score and, of `tasks`, scores or label ratios and masses.
fn points(results: &Results, tasks: &[&str], ratios: bool) -> Vec<PointRow> {
    let own = results.targets.iter().map(|row| PointRow {
        target: row.target.clone(),
        seed: row.seed,
        step: row.step,
        task: row.target.clone(),
        shots: 0,
        quantity: row.metric.clone(),
        n: row.n,
        value: row.score,
        lo: row.score_lo,
        hi: row.score_hi,
    });
    let mut points: Vec<PointRow> = own.collect();
    for row in results.answers.iter().filter(|row| tasks.contains(&row.task.as_str())) {
        let mut push = |quantity: &str, value: Option<f64>, lo, hi| {
            points.extend(value.map(|value| PointRow {
                target: row.target.clone(),
                seed: row.seed,
                step: row.step,
                task: row.task.clone(),
                shots: row.shots,
                quantity: quantity.to_string(),
                n: row.n,
                value,
                lo,
                hi,
            }));
        };
        match ratios {
            true => {
                push("label_ratio", row.label_ratio, row.label_ratio_lo, row.label_ratio_hi);
                push("label_mass", row.label_mass, None, None);
            }
            false => push(&row.metric, Some(row.score), row.score_lo, row.score_hi),
        }
    }
    points
}

/// The groups of the last decoder layer, of each seed, by the estimator that figures show.
fn gradients(results: &Results, ends: bool) -> Result<Vec<GradientAlignRow>> {
    let mut shown = Vec::new();
    for &seed in &results.seeds {
        let rows: Vec<GradientAlignRow> = results.gradients.iter().filter(|row| row.seed == seed).cloned().collect();
        let view = View::new(&rows)?;
        let Some(layer) = view.last_layer() else { continue };
        let steps = if ends { view.ends() } else { view.steps().to_vec() };
        let groups: Vec<&str> =
            rows.iter().filter_map(|row| row.group.as_deref()).fold(Vec::new(), |mut all, group| {
                if !all.contains(&group) {
                    all.push(group);
                }
                all
            });
        for step in steps {
            shown.extend(groups.iter().filter_map(|group| view.group(layer, group, step)).cloned());
        }
    }
    Ok(shown)
}

/// The cells of a table of scores, line by line.
fn cells(scores: &Scores, results: &Results) -> Result<Vec<PaperRow>> {
    let paper = Printed::read()?;
    let scored = results.scored(scores.second);
    let mut rows = Vec::new();
    for &target in scores.targets {
        let parts: Vec<&str> = target.split('+').collect();
        let own: Vec<(Option<u64>, &str)> = match parts.len() {
            1 => vec![(None, "target")],
            _ => parts.iter().map(|task| (Some(0), *task)).collect(),
        };
        let means = ["norm_avg", "matched", "mismatched"].into_iter().chain(IN_CONTEXT).chain(["label_ratio"]);
        let means: Vec<&str> = means.collect();
        let others = scores.shots.iter().flat_map(|&shots| means.iter().map(move |measure| (Some(shots), *measure)));
        for (shots, measure) in own.into_iter().chain(others) {
            for &method in scores.methods {
                let Some(found) = scored.over_seeds(target, method, shots, measure) else { continue };
                rows.push(PaperRow {
                    model: if scores.second { "second" } else { "embedded" }.to_string(),
                    target: target.to_string(),
                    method: method.to_string(),
                    shots,
                    measure: measure.to_string(),
                    seeds: found.seeds,
                    mean: found.mean,
                    lo: found.lo,
                    hi: found.hi,
                    paper: printed(&paper, scores.printed, target, method, shots, measure),
                });
            }
        }
    }
    Ok(rows)
}

/// The sizes of the world's splits.
fn splits() -> Result<Vec<SplitRow>> {
    let world = World::new(MINI_SEED);
    let mut rows = Vec::new();
    for name in World::tasks() {
        let task = Task::named(name)?;
        for split in MiniSplit::ALL.into_iter().filter(|split| World::has(name, *split)) {
            let examples = world.split(&task, split)?.len() as u64;
            rows.push(SplitRow { task: name.to_string(), split: split.name().to_string(), examples });
        }
    }
    Ok(rows)
}
