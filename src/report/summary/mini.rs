//! Summary of `fsa mini report`: what the shipped model does before, while and after it is fine-tuned on the world's RTE, over
//! several seeds, each number beside the bar that it is held to.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::{decimals, markdown};
use crate::report::onset::{Onset, onset};
use crate::report::view::WITHOUT_EMBEDDINGS;
use crate::report::{GradientAlignRow, LabelRatioRow, Scope, TargetRow, names};

/// Everything that the report is made from; rows of all seeds together.
#[derive(Debug, Clone, Default)]
pub struct MiniRows {
    /// Answers before fine-tuning.
    pub pretrained: Vec<LabelRatioRow>,
    /// Gradients along fine-tuning.
    pub gradients: Vec<GradientAlignRow>,
    /// Answers along fine-tuning.
    pub answers: Vec<LabelRatioRow>,
    /// The target's own score along fine-tuning.
    pub target: Vec<TargetRow>,
    /// The same where only the norms' scales are trained.
    pub norms_only: Vec<TargetRow>,
}

/// The label ratio above which outputs count as specialised.
const THRESHOLD: f64 = 0.5;

/// The sections of the report, in Markdown.
pub fn mini(rows: &MiniRows) -> String {
    [
        before(&rows.pretrained),
        along(rows),
        order(rows),
        after(rows),
        format!("## Norms only\n\n{}", norms_only(&rows.norms_only)),
    ]
    .join("\n")
}

fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.into_iter().fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The mean with the single seeds' values behind it: `91.2 (90.4, 92.0)`.
fn spread(values: &[f64], places: usize) -> String {
    let each: Vec<String> = values.iter().map(|value| format!("{value:.places$}")).collect();
    format!("{} ({})", decimals(mean(values.iter().copied()), places), each.join(", "))
}

/// Whether a number is where it should be, in a word.
fn verdict(holds: Option<bool>) -> String {
    match holds {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "-",
    }
    .to_string()
}

/// What a task's score must reach with one shot, before fine-tuning.
fn bar(task: &str) -> Option<f64> {
    match task {
        "trivia_qa" | "web_questions" => Some(80.0),
        "wmt14_enfr" | "wmt16_ende" | "wmt16_enro" => Some(60.0),
        "xsum" | "wiki_lingua" => Some(40.0),
        _ => None,
    }
}

/// Chance of tasks with closed answers.
fn chance(task: &str) -> Option<f64> {
    match task {
        "rte" | "wic" => Some(50.0),
        "cb" | "snli" => Some(100.0 / 3.0),
        "openbookqa" => Some(25.0),
        _ => None,
    }
}

fn before(rows: &[LabelRatioRow]) -> String {
    let mut scores: BTreeMap<(&str, u64, &str), Vec<f64>> = BTreeMap::new();
    for row in rows {
        scores.entry((&row.task, row.shots, &row.metric)).or_default().push(row.score);
    }
    let one_shot: BTreeMap<(&str, &str), f64> = scores
        .iter()
        .filter(|((_, shots, _), _)| *shots == 1)
        .filter_map(|((task, _, metric), scores)| Some(((*task, *metric), mean(scores.iter().copied())?)))
        .collect();
    let lines: Vec<[String; 6]> = scores
        .iter()
        .map(|((task, shots, metric), scores)| {
            let score = mean(scores.iter().copied());
            let (asked, holds) = match (shots, bar(task), chance(task)) {
                (1, Some(bar), _) => (format!("at least {bar:.0}"), score.map(|score| score >= bar)),
                (4, Some(_), _) => {
                    let one = one_shot.get(&(*task, *metric));
                    let low = one.map(|one| one - 3.0);
                    (
                        low.map_or_else(String::new, |low| format!("at least {low:.1} (1-shot less 3)")),
                        low.and_then(|low| score.map(|score| score >= low)),
                    )
                }
                (0, _, Some(chance)) => {
                    (format!("at most {:.1} (chance and 10)", chance + 10.0), score.map(|score| score <= chance + 10.0))
                }
                _ => (String::new(), None),
            };
            [
                names::task(task).to_string(),
                shots.to_string(),
                names::metric(metric).to_string(),
                spread(scores, 1),
                asked,
                verdict(holds),
            ]
        })
        .collect();
    let header = ["task", "shots", "metric", "mean (seeds)", "bar", "met"].map(String::from);
    format!("## Before fine-tuning\n\n{}", markdown(&header, &lines))
}

/// Rows of the model without embeddings by the `dataset` estimator, of one seed, by step.
fn cosines(rows: &[GradientAlignRow], seed: u64) -> BTreeMap<u64, &GradientAlignRow> {
    rows.iter()
        .filter(|row| row.seed == seed && row.scope == Scope::Model)
        .filter(|row| row.name == WITHOUT_EMBEDDINGS && row.estimator == "dataset")
        .map(|row| (row.step, row))
        .collect()
}

fn seeds(rows: &MiniRows) -> BTreeSet<u64> {
    rows.target.iter().map(|row| row.seed).collect()
}

/// The evaluated tasks, with their shots and first metrics.
fn evaluations(rows: &[LabelRatioRow]) -> BTreeSet<(&str, u64, &str)> {
    rows.iter().map(|row| (row.task.as_str(), row.shots, row.metric.as_str())).collect()
}

fn along(rows: &MiniRows) -> String {
    let evaluations = evaluations(&rows.answers);
    let seeds = seeds(rows);
    let steps: BTreeSet<u64> = rows.target.iter().map(|row| row.step).collect();
    let lines: Vec<[String; 5]> = steps
        .into_iter()
        .map(|step| {
            let target = mean(rows.target.iter().filter(|row| row.step == step).map(|row| row.score));
            let of_step = |seed| cosines(&rows.gradients, seed).get(&step).and_then(|row| row.cosine);
            let cosine = mean(seeds.iter().filter_map(|&seed| of_step(seed)));
            let each = |value: &dyn Fn(&LabelRatioRow) -> Option<f64>, places: usize| {
                let of = |(task, shots, metric): &(&str, u64, &str)| {
                    let rows = rows.answers.iter().filter(|row| row.step == step && row.task == *task);
                    let rows = rows.filter(|row| row.shots == *shots && row.metric == *metric);
                    decimals(mean(rows.filter_map(value)), places)
                };
                evaluations.iter().map(of).collect::<Vec<_>>().join(" / ")
            };
            [
                step.to_string(),
                decimals(target, 1),
                decimals(cosine, 3),
                each(&|row| row.label_ratio, 2),
                each(&|row| Some(row.score), 1),
            ]
        })
        .collect();
    let tasks: Vec<&str> = evaluations.iter().map(|(task, ..)| names::task(task)).collect();
    let tasks = tasks.join(" / ");
    let header = ["step", "target", "cosine", "label ratio", "score"].map(String::from);
    format!(
        "## Along fine-tuning\n\nMeans over seeds. The cosine is that of the model without embeddings, `dataset` estimator; label \
         ratios and scores are those of {tasks}.\n\n{}",
        markdown(&header, &lines)
    )
}

/// What happens first, for each seed.
fn order(rows: &MiniRows) -> String {
    let mut lines: Vec<[String; 6]> = Vec::new();
    for seed in seeds(rows) {
        let cosines = cosines(&rows.gradients, seed);
        let fall = cosines.values().find(|row| row.cosine.is_some_and(|cosine| cosine < THRESHOLD)).map(|row| row.step);
        let above = rows.target.iter().filter(|row| row.seed == seed);
        let above = above.filter(|row| row.score_lo.is_some_and(|low| low > 50.0)).map(|row| row.step).min();
        for (task, shots, metric) in evaluations(&rows.answers) {
            let of = rows.answers.iter().filter(|row| row.seed == seed && row.task == task);
            let Onset { label, .. } = onset(of.filter(|row| row.shots == shots && row.metric == metric), THRESHOLD);
            let step = |step: Option<u64>| step.map_or_else(|| "-".to_string(), |step| step.to_string());
            let rises = match label.zip(fall).map(|(label, fall)| label.cmp(&fall)) {
                Some(Ordering::Less) => "before",
                Some(Ordering::Equal) => "with",
                Some(Ordering::Greater) => "after",
                None => "-",
            };
            let [seed, task] = [seed.to_string(), names::task(task).to_string()];
            lines.push([seed, task, step(label), step(fall), rises.to_string(), step(above)]);
        }
    }
    let header =
        ["seed", "task", "label ratio above 0.5", "cosine below 0.5", "the ratio rises", "target above chance"]
            .map(String::from);
    format!(
        "## What comes first\n\nThe first probe of each, and whether the label ratio rises before the cosine falls, with it (at the same \
         probe) or after it; intervals' lower ends count for the ratio and the target. In the paper it rises before.\n\n{}",
        markdown(&header, &lines)
    )
}

/// The bars of the end of fine-tuning.
fn after(rows: &MiniRows) -> String {
    let mut lines: Vec<[String; 4]> = Vec::new();
    let mut push = |what: String, values: Vec<f64>, places: usize, bar: String, holds: &dyn Fn(f64) -> Option<bool>| {
        let reached = mean(values.iter().copied()).and_then(holds);
        lines.push([what, spread(&values, places), bar, verdict(reached)]);
    };
    let seeds = seeds(rows);
    let of_seed = |seed| cosines(&rows.gradients, seed);
    let first: Vec<f64> = seeds.iter().filter_map(|&seed| of_seed(seed).values().next()?.cosine).collect();
    push("cosine at step 0".into(), first, 3, "at least 0.95".into(), &|value| Some(value >= 0.95));
    let lowest = |seed| of_seed(seed).into_values().min_by(|a, b| order_of(a.cosine, b.cosine));
    let low: Vec<f64> = seeds.iter().filter_map(|&seed| lowest(seed)?.cosine).collect();
    push("lowest cosine".into(), low, 3, "at most 0.4".into(), &|value| Some(value <= 0.4));
    let apart: Vec<f64> = seeds
        .iter()
        .filter_map(|&seed| {
            let first = of_seed(seed).values().next()?.cosine_lo?;
            Some(first - lowest(seed)?.cosine_hi?)
        })
        .collect();
    push("first probe's interval above the lowest's by".into(), apart, 3, "above 0".into(), &|value| Some(value > 0.0));
    let last = rows.target.iter().map(|row| row.step).max();
    let end = rows.target.iter().filter(|row| Some(row.step) == last).map(|row| row.score).collect();
    push("target at the end".into(), end, 1, "at least 85".into(), &|value| Some(value >= 85.0));
    for (task, shots, metric) in evaluations(&rows.answers) {
        let of = |step: Option<u64>| {
            let rows = rows.answers.iter().filter(move |row| Some(row.step) == step && row.task == task);
            rows.filter(move |row| row.shots == shots && row.metric == metric)
        };
        let name = names::task(task);
        let ratios = of(last).filter_map(|row| row.label_ratio).collect();
        push(format!("{name}: label ratio at the end"), ratios, 2, "at least 0.9".into(), &|value| Some(value >= 0.9));
        // Without a score at step 0 there is nothing to compare with, and no bar.
        let tenth = mean(of(Some(0)).map(|row| row.score)).map(|before| before / 10.0);
        let bar = tenth.map_or_else(String::new, |tenth| format!("below a tenth of {:.1}", 10.0 * tenth));
        let scores = of(last).map(|row| row.score).collect();
        push(format!("{name}: score at the end"), scores, 1, bar, &|value| tenth.map(|tenth| value < tenth));
    }
    let header = ["at the end", "mean (seeds)", "bar", "met"].map(String::from);
    format!("## After fine-tuning\n\n{}", markdown(&header, &lines))
}

/// Missing values last.
fn order_of(a: Option<f64>, b: Option<f64>) -> std::cmp::Ordering {
    a.unwrap_or(f64::INFINITY).total_cmp(&b.unwrap_or(f64::INFINITY))
}

fn norms_only(rows: &[TargetRow]) -> String {
    let steps: BTreeSet<u64> = rows.iter().map(|row| row.step).collect();
    let last = steps.last().copied();
    let lines: Vec<[String; 4]> = steps
        .iter()
        .map(|&step| {
            let scores: Vec<f64> = rows.iter().filter(|row| row.step == step).map(|row| row.score).collect();
            let (bar, holds) = match Some(step) == last {
                true => ("at least 75".to_string(), mean(scores.iter().copied()).map(|score| score >= 75.0)),
                false => (String::new(), None),
            };
            [step.to_string(), spread(&scores, 1), bar, verdict(holds)]
        })
        .collect();
    let header = ["step", "target (seeds)", "bar", "met"].map(String::from);
    format!("Everything is frozen but the norms' scales.\n\n{}", markdown(&header, &lines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::label_view::tests::{label_row, target_row};

    fn gradient(seed: u64, step: u64, cosine: f64) -> GradientAlignRow {
        GradientAlignRow {
            target: "rte".into(),
            method: "standard".into(),
            stage: 1,
            seed,
            step,
            estimator: "dataset".into(),
            scope: Scope::Model,
            name: WITHOUT_EMBEDDINGS.into(),
            group: None,
            cosine: Some(cosine),
            cosine_lo: Some(cosine - 0.02),
            cosine_hi: Some(cosine + 0.01),
            yardstick: None,
            norm_full: 1.0,
            norm_format: 1.0,
            params: 1,
            examples: 1,
            shuffles: 1,
        }
    }

    fn answer(step: u64, label_ratio: f64, score: f64) -> LabelRatioRow {
        let label_ratio_lo = Some(label_ratio - 0.05);
        LabelRatioRow { label_ratio: Some(label_ratio), label_ratio_lo, score, ..label_row(step, "trivia_qa") }
    }

    fn target(seed: u64, step: u64, score: f64) -> TargetRow {
        TargetRow { seed, score, score_lo: Some(score - 4.0), ..target_row(step) }
    }

    /// The line that begins so, its cells without the spaces around them.
    fn cells(text: &str, begins: &str) -> Vec<String> {
        let line = text.lines().find(|line| line.starts_with(begins)).unwrap_or_else(|| panic!("{begins} in\n{text}"));
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect()
    }

    #[test]
    fn every_bar_is_told_met_or_not_and_missing_runs_leave_a_dash() {
        let shot = |shots, score| LabelRatioRow { shots, ..answer(0, 0.0, score) };
        let rows = MiniRows {
            pretrained: vec![shot(1, 82.0), shot(1, 80.0), shot(4, 77.0)],
            gradients: vec![gradient(0, 0, 0.99), gradient(0, 50, 0.3), gradient(1, 0, 0.97), gradient(1, 50, 0.45)],
            answers: vec![answer(0, 0.0, 80.0), answer(50, 0.95, 9.0)],
            target: vec![target(0, 0, 50.0), target(0, 50, 90.0), target(1, 0, 48.0), target(1, 50, 84.0)],
            norms_only: Vec::new(),
        };
        let text = mini(&rows);
        assert_eq!(cells(&text, "| TriviaQA |     1")[3..], ["81.0 (82.0, 80.0)", "at least 80", "yes"]);
        assert_eq!(cells(&text, "| TriviaQA |     4")[3..], ["77.0 (77.0)", "at least 78.0 (1-shot less 3)", "**no**"]);
        assert_eq!(cells(&text, "| 50 ")[..3], ["50", "87.0", "0.375"]);
        assert_eq!(cells(&text, "| lowest cosine")[1..], ["0.375 (0.300, 0.450)", "at most 0.4", "yes"]);
        assert_eq!(cells(&text, "| target at the end")[1..], ["87.0 (90.0, 84.0)", "at least 85", "yes"]);
        assert_eq!(cells(&text, "| TriviaQA: score at the end")[1..], ["9.0 (9.0)", "below a tenth of 80.0", "**no**"]);
        // The first seed has answers, a fall and a target above chance; the second no answers.
        assert_eq!(cells(&text, "| 0    | TriviaQA")[2..], ["50", "50", "with", "50"]);
        assert_eq!(cells(&text, "| 1    | TriviaQA")[2..], ["-", "50", "-", "50"]);
        let fall = |gradients| mini(&MiniRows { gradients, ..rows.clone() });
        let (early, late) = (fall(vec![gradient(0, 25, 0.3)]), fall(vec![gradient(0, 50, 0.9), gradient(0, 75, 0.3)]));
        assert_eq!(cells(&early, "| 0    | TriviaQA")[2..], ["50", "25", "after", "50"]);
        assert_eq!(cells(&late, "| 0    | TriviaQA")[2..], ["50", "75", "before", "50"]);
        assert!(mini(&MiniRows::default()).contains("| lowest cosine"), "no run at all");
        assert_eq!(cells(&mini(&MiniRows::default()), "| lowest cosine")[3], "-");
        let late =
            MiniRows { answers: vec![answer(50, 0.95, 9.0)], target: vec![target(0, 50, 90.0)], ..MiniRows::default() };
        assert_eq!(cells(&mini(&late), "| TriviaQA: score at the end")[1..], ["9.0 (9.0)", "", "-"]);
    }
}
