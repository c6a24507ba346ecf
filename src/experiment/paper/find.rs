//! The numbers that claims are about: a number of each seed's rows, and what the paper prints of the same.

use super::quantity::{Found, Mean, Quantity};
use super::results::{Results, Scored};
use crate::measure::mean;
use crate::measure::means::t_interval;
use crate::report::onset::onset;
use crate::report::paper::Paper;
use crate::report::view::View;
use crate::report::{CheckpointRow, GradientAlignRow, LabelRatioRow};
use crate::spec::preset::IN_CONTEXT;

/// A label ratio or a cosine has moved when it is past this.
const HALF: f64 = 0.5;
/// Chance of the target that is learned, RTE.
const CHANCE: f64 = 50.0;
/// Parts of the last decoder layer.
const PARTS: [&str; 4] = ["mlp", "cross.query", "cross.key", "cross.value"];

impl Quantity {
    /// What the rows of `results` say of it.
    pub fn find(&self, results: &Results) -> Found {
        let values: Vec<f64> = results.seeds.iter().filter_map(|&seed| self.of_seed(results, seed)).collect();
        // Seeds without a value may be those that would say otherwise.
        let interval = t_interval(&values).filter(|_| values.len() == results.seeds.len());
        Found { mean: mean(values.iter().copied().map(Some)), interval, values }
    }

    fn of_seed(&self, results: &Results, seed: u64) -> Option<f64> {
        match *self {
            Self::Gain { second, target, shots, measure, method, over } => {
                let scored = results.scored(second);
                let of = |method| scored.of_seed(seed, target, method, shots, measure);
                Some(of(method)? - of(over)?)
            }
            Self::Labels { target, method, task } => {
                let rows = &results.scored(false).rows;
                let mut rows = rows.iter().filter(|row| row.target == target && row.method == method);
                rows.find(|row| row.seed == seed && row.task == task && row.shots == 1 && row.prompt_attached == 0)?
                    .label_ratio
            }
            Self::Learned => {
                let probes = results.targets.iter().filter(|row| row.seed == seed);
                Some(probes.clone().max_by_key(|row| row.step)?.score - probes.min_by_key(|row| row.step)?.score)
            }
            Self::Kept { task } => {
                let probes = probes(results, seed, task);
                let (first, last) = (probes.first()?.score, probes.last()?.score);
                // Nothing to lose.
                (first > 0.0).then_some(last / first)
            }
            Self::LabelsAtEnd { task } => probes(results, seed, task).last()?.label_ratio,
            Self::LearnedAfterLabels { task } => {
                let learned = results.targets.iter().filter(|row| row.seed == seed);
                let learned = learned.filter(|row| row.score_lo.is_some_and(|low| low > CHANCE));
                let learned = learned.map(|row| row.step).min()?;
                Some(learned as f64 - labels_from(results, seed, task)? as f64)
            }
            Self::Cosine { last } => {
                let cosines = cosines(results, seed)?;
                let (_, cosine) = if last { cosines.last() } else { cosines.first() }?;
                *cosine
            }
            Self::CosineFallsAfterLabels { task } => {
                let cosines = cosines(results, seed)?;
                let falls = cosines.iter().find(|(_, cosine)| cosine.is_some_and(|cosine| cosine < HALF))?.0;
                Some(falls as f64 - labels_from(results, seed, task)? as f64)
            }
            Self::TradeOff { target, mean: of } => {
                let scored = results.scored(false);
                Some(
                    checkpoints(scored, seed, target, "promot", of)?
                        - checkpoints(scored, seed, target, "standard", of)?,
                )
            }
        }
    }

    /// The same of what the paper prints in `table`; none of what it does not print.
    pub fn printed(&self, paper: &Paper, table: &str) -> Option<f64> {
        let Self::Gain { target, shots, measure, method, over, .. } = *self else { return None };
        let of = |method| printed(paper, table, target, method, shots, measure);
        Some(of(method)? - of(over)?)
    }
}

/// What the paper prints of a measure in `table`: the mean of what it prints, of a mean.
pub fn printed(
    paper: &Paper,
    table: &str,
    target: &str,
    method: &str,
    shots: Option<u64>,
    measure: &str,
) -> Option<f64> {
    let of = |task: &str| paper.printed(table, target, method, task, shots.unwrap_or(0));
    // The tasks whose label words overlap those of the paper's targets of that kind.
    let matched =
        |task: &&&str| ["cb", "wic"].contains(*task) && target.split('+').any(|of| ["rte", "snli"].contains(&of));
    match measure {
        "target" => of(target),
        "norm_avg" => mean(IN_CONTEXT.iter().map(|task| of(task))),
        "matched" => mean(IN_CONTEXT.iter().filter(matched).map(|task| of(task))),
        "mismatched" => mean(IN_CONTEXT.iter().filter(|task| !matched(task)).map(|task| of(task))),
        task => of(task),
    }
}

/// The probes of a seed's run that watches outputs, on `task`, by step.
fn probes<'a>(results: &'a Results, seed: u64, task: &str) -> Vec<&'a LabelRatioRow> {
    let of: Vec<&LabelRatioRow> =
        results.answers.iter().filter(|row| row.seed == seed && row.task == task && row.shots == 1).collect();
    // Of a task that is scored in two ways the first counts.
    let metric = of.first().map(|row| row.metric.as_str());
    let mut of: Vec<&LabelRatioRow> = of.into_iter().filter(|row| Some(row.metric.as_str()) == metric).collect();
    of.sort_by_key(|row| row.step);
    of
}

/// The first probe whose label ratio's interval is above one half.
fn labels_from(results: &Results, seed: u64, task: &str) -> Option<u64> {
    onset(probes(results, seed, task), HALF).label
}

/// The mean cosine of the parts at each probe.
fn cosines(results: &Results, seed: u64) -> Option<Vec<(u64, Option<f64>)>> {
    let rows: Vec<GradientAlignRow> = results.gradients.iter().filter(|row| row.seed == seed).cloned().collect();
    let view = View::new(&rows).ok()?;
    let layer = view.last_layer()?;
    let of = |step: u64| mean(PARTS.iter().map(|part| view.group(layer, part, step)?.cosine));
    Some(view.steps().iter().map(|&step| (step, of(step))).collect())
}

/// The mean over the checkpoints of the last stage of `method`.
fn checkpoints(scored: &Scored, seed: u64, target: &str, method: &str, of: Mean) -> Option<f64> {
    let rows =
        || scored.checkpoints.iter().filter(|row| row.target == target && row.method == method && row.seed == seed);
    let last = rows().map(|row| row.stage).max()?;
    let read = |row: &CheckpointRow| match of {
        Mean::Classification => row.mean_classification,
        Mean::Translation => row.mean_translation,
    };
    mean(rows().filter(|row| row.stage == last).map(read))
}

#[cfg(test)]
mod tests {
    use super::super::items::ITEMS;
    use super::super::quantity::Bound;
    use super::*;

    #[test]
    fn the_papers_own_numbers_bear_out_its_claims() {
        let paper = Paper::read().unwrap();
        let mut held = 0;
        for item in &ITEMS {
            for claim in item.claims {
                let Some(value) = item.printed().and_then(|table| claim.quantity.printed(&paper, table)) else {
                    continue;
                };
                let holds = match claim.bound {
                    Bound::Above(at) => value > at,
                    Bound::Below(at) => value < at,
                };
                assert!(holds, "{}: {} is {value}", item.name, claim.quantity.words());
                held += 1;
            }
        }
        assert!(held > 40, "{held}");
    }

    #[test]
    fn means_of_what_the_paper_prints_are_its_own() {
        let paper = Paper::read().unwrap();
        let of = |table, target, method, shots, measure| printed(&paper, table, target, method, shots, measure);
        let norm = of("5.2-RTE", "rte", "promot", Some(1), "norm_avg").unwrap();
        assert!((norm - 20.1).abs() < 0.02, "{norm}");
        // Table 3 prints none; six zeros or nearly.
        let joint = of("3", "rte", "joint", Some(1), "mismatched").unwrap();
        assert!((joint - 1.39 / 6.0).abs() < 1e-9, "{joint}");
        assert_eq!(of("9", "wmt14_enfr", "promot", None, "target"), Some(36.46));
        assert_eq!(of("8", "rte", "pretrained", None, "target"), None);
        let gain = Quantity::Gain {
            second: false,
            target: "rte+wmt14_enfr",
            shots: Some(0),
            measure: "rte",
            method: "multitask-promot",
            over: "multitask",
        };
        assert!((gain.printed(&paper, "2").unwrap() - 1.09).abs() < 1e-9);
        assert_eq!(gain.words(), "RTE, 0-shot, fine-tuned on RTE and WMT14 En-Fr: Multi-task ProMoT less Multi-task");
    }
}
