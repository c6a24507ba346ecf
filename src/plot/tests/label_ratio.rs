//! Figures 1 and 2 of made-up runs.

use super::*;

const TASKS: [&str; 10] =
    ["trivia_qa", "web_questions", "wmt16_ende", "wmt16_enro", "xsum", "wiki_lingua", "cb", "wic", "snli", "mine"];

/// A run with so many evaluations, probed at these steps: accuracy on RTE rises from 55 to 85, label ratios from 0 to
/// 0.95, earlier for some tasks than for others, and scores fall with them.
pub(super) fn run(tasks: usize, steps: &[u64]) -> (Vec<LabelRatioRow>, Vec<TargetRow>) {
    let (mut rows, mut targets) = (Vec::new(), Vec::new());
    for (index, &step) in steps.iter().enumerate() {
        let time = index as f64 / (steps.len() as f64 - 1.0).max(1.0);
        let rise = |middle: f64| {
            let sigmoid = |time: f64| 1.0 / (1.0 + (-14.0 * (time - middle)).exp());
            (sigmoid(time) - sigmoid(0.0)) / (sigmoid(1.0) - sigmoid(0.0))
        };
        let score = 55.0 + 30.0 * rise(0.45);
        targets.push(TargetRow {
            target: "rte".into(),
            method: "standard".into(),
            seed: 0,
            step,
            n: 277,
            score,
            score_lo: Some(score - 5.5),
            score_hi: Some(score + 5.0),
            metric: "accuracy".into(),
            loss: 0.7 - 0.5 * time,
        });
        for (place, task) in TASKS.iter().take(tasks).enumerate() {
            let ratio = 0.95 * rise(0.3 + 0.07 * place as f64);
            let score = (24.0 - 2.0 * place as f64) * (1.0 - ratio);
            rows.push(LabelRatioRow {
                target: "rte".into(),
                method: "standard".into(),
                seed: 0,
                step,
                task: task.to_string(),
                shots: 1,
                n: 1000,
                label_ratio: Some(ratio),
                label_ratio_lo: Some((ratio - 0.03).max(0.0)),
                label_ratio_hi: Some((ratio + 0.03).min(1.0)),
                label_ratio_first_word: Some(ratio),
                label_mass: Some(0.9 * ratio + 0.02),
                score,
                score_lo: Some((score - 2.5).max(0.0)),
                score_hi: Some(score + 2.5),
                metric: match *task {
                    "trivia_qa" => "em-trivia",
                    "web_questions" => "em-squad",
                    _ if task.starts_with("wmt") => "bleu-13a",
                    _ if task.starts_with("cb") => "accuracy",
                    _ => "rouge2",
                }
                .into(),
                out_label: Some(ratio),
                out_empty: 0.0,
                out_runaway: 0.0,
                out_copy: 0.0,
                out_wrong_language: None,
                out_other: 1.0 - ratio,
            });
        }
    }
    (rows, targets)
}

const PROBES: [u64; 9] = [0, 50, 100, 150, 200, 250, 300, 350, 400];

fn assert_draws(rows: &[LabelRatioRow], targets: &[TargetRow], onset: Option<f64>) -> Vec<Figure> {
    let figures = label_ratio(rows, targets, onset).unwrap();
    assert_sound(&figures);
    figures
}

#[test]
fn figures_say_what_they_show() {
    let (rows, targets) = run(3, &PROBES);
    let figures = assert_draws(&rows, &targets, Some(0.5));
    let both = [
        "RTE (left axis)",
        "TriviaQA 1-shot",
        "WebQuestions 1-shot",
        "WMT16 En-De 1-shot",
        "95 % interval",
        "accuracy on RTE",
        "training step",
        "400",
        "100",
        "rte, standard, seed 0, 277 target examples, 1000 examples per evaluation",
    ];
    assert_says(&figures[0], &both);
    assert_says(&figures[0], &["off-task exact match or BLEU", "30"]);
    assert_says(&figures[1], &both);
    assert_says(&figures[1], &["label ratio", "label mass", "onset: label ratio 0.5", "0.2"]);
    assert!(figures[0].caption.contains("TriviaQA 1-shot (em-trivia), WebQuestions 1-shot (em-squad)"));
    assert!(figures[1].caption.contains("TriviaQA 1-shot from step 150"), "{}", figures[1].caption);
    let figures = assert_draws(&rows, &[], None);
    for figure in &figures {
        assert!(texts(&figure.svg).iter().all(|(text, _)| !text.contains("left axis") && !text.contains("onset")));
    }
}

#[test]
fn one_probe() {
    for (tasks, step) in [(1, 0), (3, 0), (8, 1_000_000_000)] {
        let (rows, targets) = run(tasks, &[step]);
        let figures = assert_draws(&rows, &targets, Some(0.5));
        assert_says(&figures[1], &[&step.to_string(), "RTE (left axis)"]);
    }
}

#[test]
fn many_tasks_and_probes() {
    for tasks in [8, 10] {
        let (rows, targets) = run(tasks, &PROBES);
        assert_draws(&rows, &targets, Some(0.5));
    }
    let (rows, targets) = run(8, &(0..=200).map(|index| index * 1000).collect::<Vec<_>>());
    assert_draws(&rows, &targets, None);
}

#[test]
fn a_missing_value_is_a_gap() {
    let (mut rows, targets) = run(1, &PROBES);
    let shapes = |rows: &[LabelRatioRow]| {
        label_ratio(rows, &targets, None).unwrap().iter().map(|figure| figure.svg.matches("<polygon").count()).collect()
    };
    // One band, and a triangle per probe, in both figures; one more in the legend, and the target's band.
    let whole: Vec<usize> = shapes(&rows);
    rows[4].label_ratio = None;
    rows[4].score = f64::NAN;
    assert_draws(&rows, &targets, Some(0.5));
    let gaps: Vec<usize> = shapes(&rows);
    assert_eq!(gaps, whole.iter().map(|count| count - 1).collect::<Vec<_>>());
    // A whole row that is missing breaks the band as well.
    rows.remove(4);
    assert_draws(&rows, &targets, Some(0.5));
    assert_eq!(shapes(&rows), whole);
}

#[test]
fn targets_and_evaluations_of_other_probes() {
    let (rows, mut targets) = run(2, &PROBES);
    targets.retain(|row| row.step % 100 == 50);
    assert_draws(&rows, &targets, None);
    assert_draws(&rows[..1], &targets, None);
}

#[test]
fn no_label_words_no_figure_2() {
    let (mut rows, targets) = run(3, &PROBES);
    for row in &mut rows {
        (row.label_ratio, row.label_ratio_lo, row.label_ratio_hi, row.label_mass) = (None, None, None, None);
    }
    let figures = assert_draws(&rows, &targets, Some(0.5));
    assert_eq!(figures.iter().map(|figure| figure.name).collect::<Vec<_>>(), ["figure1"]);
}

#[test]
fn of_two_metrics_the_first_is_drawn() {
    let (mut rows, targets) = run(3, &PROBES);
    let once = label_ratio(&rows, &targets, None).unwrap();
    let beside: Vec<LabelRatioRow> = rows
        .iter()
        .filter(|row| row.task == "wmt16_ende")
        .map(|row| LabelRatioRow { metric: "bleu-intl".into(), score: 1.0, ..row.clone() })
        .collect();
    rows.extend(beside);
    assert_eq!(label_ratio(&rows, &targets, None).unwrap(), once);
}

#[test]
fn scores_and_ratios_at_the_ends() {
    for (ratio, score) in [(0.0, 0.0), (1.0, 100.0)] {
        let (mut rows, mut targets) = run(4, &PROBES);
        for row in &mut rows {
            (row.label_ratio, row.label_ratio_lo, row.label_ratio_hi) = (Some(ratio), Some(ratio), Some(ratio));
            (row.score, row.score_lo, row.score_hi) = (score, None, None);
        }
        targets.iter_mut().for_each(|row| row.score = score);
        assert_draws(&rows, &targets, Some(0.0));
    }
}

#[test]
fn odd_names() {
    let (mut rows, mut targets) = run(2, &PROBES);
    let odd = format!("<a> & \"b\" \u{1}\n{}", "long ".repeat(60));
    targets.iter_mut().for_each(|row| (row.target, row.metric) = (odd.clone(), odd.clone()));
    for row in &mut rows {
        (row.target, row.metric) = (odd.clone(), odd.clone());
        row.task = format!("{odd}{}", row.task);
    }
    assert_says(&assert_draws(&rows, &targets, Some(0.5))[0], &["…"]);
}

#[test]
fn no_rows_say_what_to_do() {
    let error = label_ratio(&[], &run(1, &[0]).1, None).unwrap_err().to_string();
    assert!(error.contains("no rows") && error.contains("--resume"), "{error}");
}
