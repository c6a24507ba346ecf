//! Figures of made-up comparisons.

use super::*;
use crate::report::{CheckpointRow, CompareRow, CompareSummaryRow, CompareView};

const METHODS: [&str; 5] = ["pretrained", "standard", "prompt-tuning", "promot", "promot+1shot"];
const TASKS: [&str; 8] = ["cb", "wic", "trivia_qa", "web_questions", "wmt16_ende", "wmt16_enro", "xsum", "wiki_lingua"];

/// A comparison with its rows, means and checkpoints.
#[derive(Clone)]
pub(super) struct Run {
    rows: Vec<CompareRow>,
    summaries: Vec<CompareSummaryRow>,
    checkpoints: Vec<CheckpointRow>,
}

/// What a method keeps of the pretrained model's scores, and its label ratio.
fn kept(method: &str) -> f64 {
    match method {
        _ if method.starts_with("standard") => 0.1,
        _ if method.starts_with("promot+") => 0.95,
        "promot" => 0.8,
        "joint" => 0.2,
        _ => 1.0,
    }
}

fn score(method: &str, seed: u64, task: &str, shots: u64) -> f64 {
    let place = TASKS.iter().position(|known| *known == task).unwrap_or(8) as f64;
    let full = [62.0, 51.0, 71.0, 64.0, 48.0, 44.0, 35.0, 31.0, 40.0][place as usize];
    full * kept(method) + shots as f64 + seed as f64
}

/// A run of methods on targets over seeds.
pub(super) fn run(targets: &[&str], methods: &[&str], seeds: u64) -> Run {
    let mut run = Run { rows: Vec::new(), summaries: Vec::new(), checkpoints: Vec::new() };
    for target in targets {
        for (place, method) in methods.iter().enumerate() {
            let base = |seed: u64| CompareRow {
                target: target.to_string(),
                method: method.to_string(),
                seed,
                checkpoint_step: (place > 0).then_some(300),
                prompt_attached: 0,
                task: target.to_string(),
                shots: 0,
                n: 277,
                metric: if target.starts_with("wmt") { "bleu-13a".into() } else { "accuracy".into() },
                score: if place == 0 { 50.0 } else { 88.0 + (place % 8) as f64 + seed as f64 / 2.0 },
                score_lo: Some(45.0),
                score_hi: Some(95.0),
                label_ratio: None,
                label_mass: None,
                matched: 1,
            };
            let mut push = |shots: Option<u64>, measure: &str, values: Vec<f64>, half: f64| {
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                let several = values.len() > 1;
                run.summaries.push(CompareSummaryRow {
                    target: target.to_string(),
                    method: method.to_string(),
                    shots,
                    measure: measure.into(),
                    seeds,
                    mean,
                    lo: several.then_some(mean - half),
                    hi: several.then_some(mean + half),
                });
            };
            push(None, "target", (0..seeds).map(|seed| base(seed).score).collect(), 2.5);
            run.rows.extend((0..seeds).map(base));
            for shots in [1, 4] {
                push(Some(shots), "label_ratio", vec![1.0 - kept(method); seeds as usize], 0.04);
                for task in TASKS.iter().filter(|task| *task != target) {
                    let value = |seed| score(method, seed, task, shots);
                    push(Some(shots), task, (0..seeds).map(value).collect(), 3.0);
                    run.rows.extend((0..seeds).map(|seed| CompareRow {
                        task: task.to_string(),
                        shots,
                        n: 200,
                        score: value(seed),
                        score_lo: Some((value(seed) - 5.0).max(0.0)),
                        score_hi: Some(value(seed) + 5.0),
                        matched: u64::from(*task == "cb"),
                        ..base(seed)
                    }));
                }
            }
            run.checkpoints.extend((0..seeds).flat_map(|seed| checkpoints(target, method, place, seed)));
        }
    }
    run
}

/// Training that ends a little better than it began, and elsewhere at what the method keeps.
fn checkpoints(target: &str, method: &str, place: usize, seed: u64) -> Vec<CheckpointRow> {
    let stages = if method.starts_with("promot") { 2 } else { 1 };
    let stages = if place == 0 { 0 } else { stages };
    let points = (1..=stages).flat_map(|stage| [100, 200, 300, 400].map(|step| (stage, step)));
    let row = |(stage, step): (u64, u64)| {
        let time = step as f64 / 400.0 + 0.03 * seed as f64;
        let last = stage == stages && method != "prompt-tuning";
        let elsewhere = |full: f64| {
            let kept = if last { 1.0 - (1.0 - kept(method)) * time } else { 1.0 };
            Some((full * kept + 2.0 * seed as f64).max(0.0))
        };
        CheckpointRow {
            target: target.into(),
            method: method.into(),
            seed,
            stage,
            step,
            target_score: 50.0 + 36.0 * time + if last { 4.0 } else { 0.0 } + (place % 8) as f64,
            mean_classification: elsewhere(58.0),
            mean_qa: elsewhere(60.0),
            mean_translation: elsewhere(46.0),
            mean_summarization: elsewhere(33.0),
            mean_matched: elsewhere(55.0),
            mean_mismatched: elsewhere(49.0),
        }
    };
    points.map(row).collect()
}

pub(super) fn figures(run: &Run, paper: bool) -> Vec<Figure> {
    let view = CompareView::new(&run.rows, false).unwrap();
    compare(&view, &run.summaries, &run.checkpoints, paper).unwrap()
}

fn assert_draws(run: &Run, paper: bool) -> Vec<Figure> {
    let figures = figures(run, paper);
    assert_sound(&figures);
    figures
}

#[test]
fn figures_say_what_they_show() {
    let figures = assert_draws(&run(&["rte"], &METHODS, 3), false);
    let names: Vec<&str> = figures.iter().map(|figure| figure.name).collect();
    assert_eq!(names, ["figure5", "figure6", "trade_off", "label_ratio_by_method", "tasks"]);
    let all = ["Standard", "Prompt tuning", "ProMoT", "ProMoT + 1-shot"];
    for (figure, mean) in figures.iter().zip([
        "mean accuracy, classification (of 100)",
        "mean BLEU, other translations (of 100)",
        "mean score, mismatched tasks (of 100)",
    ]) {
        assert_says(figure, &all);
        assert_says(figure, &[mean, "accuracy on RTE, validation", "kept", "pale: before the last stage", "60"]);
    }
    assert_says(&figures[3], &all);
    assert_says(
        &figures[3],
        &["Pretrained", "1-shot", "4-shot", "label words of RTE", "label ratio", "0.6", "95 % interval over seeds"],
    );
    assert_says(&figures[4], &all);
    assert_says(&figures[4], &["RTE (target)", "CB", "WikiLingua", "other tasks 4-shot", "score, of 100", "80"]);
    for figure in &figures {
        assert_says(figure, &["rte, seeds 0, 1, 2, 277 target examples, 200 examples per evaluation"]);
    }
}

#[test]
fn the_papers_numbers_are_marked_where_they_are_asked_for() {
    let run = run(&["rte"], &METHODS, 1);
    let figures = assert_draws(&run, true);
    assert_says(&figures[4], &["paper (mT5-XXL)", "95 % interval over examples"]);
    let without = assert_draws(&run, false);
    assert!(texts(&without[4].svg).iter().all(|(text, _)| !text.contains("paper")));
    // Two polygons a diamond: 9 for each method in the paper's table 5.2 but prompt tuning, twice; its target twice; the legend.
    let marks = figures[4].svg.matches("<polygon").count() - without[4].svg.matches("<polygon").count();
    assert_eq!(marks, 2 * (2 * 9 * 4 + 2 + 1));
}

#[test]
fn several_targets_have_panels_of_their_own() {
    let run = run(&["rte", "wmt14_enfr", "snli", "openbookqa"], &METHODS, 2);
    let figures = assert_draws(&run, true);
    assert_says(&figures[2], &["fine-tuned on RTE", "fine-tuned on WMT14 En-Fr", "BLEU on WMT14 En-Fr, validation"]);
    assert_says(&figures[4], &["Fine-tuned on OpenbookQA", "SNLI (target)"]);
}

#[test]
fn many_methods() {
    let names: Vec<String> = crate::spec::method::Method::names().collect();
    let methods: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_draws(&run(&["rte"], &methods, 1), false);
}

#[test]
fn one_method_and_no_checkpoints() {
    let mut one = run(&["rte"], &["standard"], 1);
    one.checkpoints.clear();
    one.summaries.retain(|row| row.measure != "label_ratio");
    let names: Vec<&str> = assert_draws(&one, true).iter().map(|figure| figure.name).collect();
    assert_eq!(names, ["tasks"]);
    one.rows.retain(|row| row.task == "rte");
    assert_draws(&one, false);
}

#[test]
fn what_is_missing_has_no_bar_and_no_point() {
    let whole = run(&["rte"], &METHODS, 3);
    let mut less = whole.clone();
    less.summaries.retain(|row| !(row.measure == "cb" && row.method == "promot" && row.shots == Some(1)));
    let count = |run: &Run, name: &str| figure(&figures(run, false), name).svg.matches("<rect").count();
    // ProMoT's pattern is crossed: a ground of its own, and lines.
    assert_eq!(count(&less, "tasks") + 1, count(&whole, "tasks"));
    for row in &mut less.checkpoints {
        (row.mean_classification, row.mean_translation) = (None, Some(f64::NAN));
    }
    let names: Vec<&str> = assert_draws(&less, false).iter().map(|figure| figure.name).collect();
    assert_eq!(names, ["trade_off", "label_ratio_by_method", "tasks"]);
}

#[test]
fn scores_and_ratios_at_the_ends() {
    for end in [0.0, 100.0] {
        let mut run = run(&["rte"], &METHODS, 2);
        for row in &mut run.summaries {
            let end = if row.measure == "label_ratio" { end / 100.0 } else { end };
            (row.mean, row.lo, row.hi) = (end, Some(end - 1.0), Some(end + 1.0));
        }
        for row in &mut run.checkpoints {
            (row.target_score, row.mean_mismatched) = (end, Some(end));
        }
        assert_draws(&run, false);
    }
}

#[test]
fn odd_names() {
    let mut run = run(&["rte"], &METHODS, 2);
    let odd = format!("<a> & \"b\" \u{1}\n{}", "long ".repeat(60));
    for row in &mut run.rows {
        row.task = if row.task == row.target { odd.clone() } else { format!("{odd}{}", row.task) };
        (row.target, row.metric) = (odd.clone(), odd.clone());
    }
    for row in &mut run.summaries {
        row.target = odd.clone();
        if TASKS.contains(&row.measure.as_str()) {
            row.measure = format!("{odd}{}", row.measure);
        }
    }
    run.checkpoints.iter_mut().for_each(|row| row.target = odd.clone());
    assert_says(&assert_draws(&run, true)[2], &["…"]);
}
