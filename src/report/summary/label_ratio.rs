//! The table of `fsa label-ratio`: each evaluation at the first probe, at the onset and at the last probe, and the target.

use super::{decimals, interval, markdown};
use crate::error::Result;
use crate::report::label_view::{Evaluation, LabelView};
use crate::report::onset::{Onset, onset};
use crate::report::rows::{LabelRatioRow, TargetRow};

const HEADER: [&str; 7] =
    ["evaluation", "step", "label ratio [95 %]", "label mass", "metric", "score [95 %]", "most outputs are"];

/// The first probe, the first past the onset (with `threshold`, as the run's spec has it) and the last one of every
/// evaluation; the target's score at the first, at the earliest onset and at the last; and when each onset was.
pub fn label_ratio(rows: &[LabelRatioRow], targets: &[TargetRow], threshold: f64) -> Result<String> {
    let view = LabelView::new(rows, targets)?;
    let mut table = Vec::new();
    let onsets: Vec<Onset> = view.evaluations().iter().map(|of| onset(view.probes(of), threshold)).collect();
    let earliest = onsets.iter().filter_map(|onset| onset.label).min();
    let target: Vec<u64> = view.targets().map(|row| row.step).collect();
    for step in shown(&target, earliest) {
        table.push(target_line(&view, step));
    }
    for (evaluation, onset) in view.evaluations().iter().zip(&onsets) {
        let steps: Vec<u64> = view.probes(evaluation).map(|row| row.step).collect();
        table.extend(
            shown(&steps, onset.label).filter_map(|step| view.row(evaluation, step)).map(|row| line(evaluation, row)),
        );
    }
    let whens: String =
        view.evaluations().iter().zip(&onsets).map(|(evaluation, onset)| when(evaluation, *onset)).collect();
    Ok(format!(
        "{}\n\nRatios and masses are shares of 1, scores of 100. The onset is the first probe whose label ratio exceeds \
         {threshold} with its interval's lower end.\n\n{}\n{whens}",
        view.signature(),
        markdown(&HEADER.map(String::from), &table)
    ))
}

/// The first, the middle one if it is among them, and the last of the steps, each once.
fn shown(steps: &[u64], middle: Option<u64>) -> impl Iterator<Item = u64> {
    let middle = middle.filter(|step| steps.contains(step));
    let mut shown: Vec<u64> = steps.first().copied().into_iter().chain(middle).chain(steps.last().copied()).collect();
    shown.dedup();
    shown.into_iter()
}

fn target_line(view: &LabelView, step: u64) -> [String; 7] {
    let row = view.target(step);
    [
        format!("{} (target)", view.target_name()),
        step.to_string(),
        decimals(None, 0),
        decimals(None, 0),
        row.map_or("-", |row| &row.metric).to_string(),
        interval(row.map(|row| (Some(row.score), row.score_lo, row.score_hi)), 1),
        decimals(None, 0),
    ]
}

fn line(evaluation: &Evaluation, row: &LabelRatioRow) -> [String; 7] {
    [
        evaluation.label(),
        row.step.to_string(),
        interval(Some((row.label_ratio, row.label_ratio_lo, row.label_ratio_hi)), 3),
        decimals(row.label_mass, 3),
        row.metric.clone(),
        interval(Some((Some(row.score), row.score_lo, row.score_hi)), 1),
        largest(row),
    ]
}

/// The class that most outputs are of, and its share.
fn largest(row: &LabelRatioRow) -> String {
    let classes = [
        ("label word", row.out_label),
        ("empty", Some(row.out_empty)),
        ("runaway", Some(row.out_runaway)),
        ("copy", Some(row.out_copy)),
        ("wrong language", row.out_wrong_language),
        ("other", Some(row.out_other)),
    ];
    let known = classes.into_iter().filter_map(|(name, share)| Some((name, share?)));
    // Of equals the first: a class with a name says more than "other".
    let largest = known.reduce(|best, next| if next.1 > best.1 { next } else { best });
    largest.map_or_else(|| "-".into(), |(name, share)| format!("{name} {share:.2}"))
}

fn when(evaluation: &Evaluation, onset: Onset) -> String {
    let step = |step: Option<u64>| step.map_or_else(|| "-".into(), |step| format!("step {step}"));
    format!("- {}: onset {}, score halved {}\n", evaluation.label(), step(onset.label), step(onset.halved))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::label_view::tests::{label_row, target_row};

    fn cells(text: &str, start: &str, step: &str) -> Vec<String> {
        let found = text.lines().find(|line| line.starts_with(start) && line.contains(&format!(" {step} |")));
        found.unwrap_or_else(|| panic!("{start} {step}:\n{text}")).split('|').map(str::trim).map(String::from).collect()
    }

    #[test]
    fn first_onset_and_last() {
        let mut rows = Vec::new();
        for (step, ratio) in [(0, 0.0), (50, 0.3), (100, 0.75), (150, 0.8), (200, 0.95)] {
            rows.push(LabelRatioRow {
                label_ratio: Some(ratio),
                label_ratio_lo: Some(ratio - 0.05),
                label_ratio_hi: Some(ratio + 0.05),
                out_label: Some(ratio),
                out_other: 0.9 - ratio,
                score: 40.0 * (1.0 - ratio),
                ..label_row(step, "trivia_qa")
            });
            rows.push(LabelRatioRow {
                label_ratio: None,
                label_ratio_lo: None,
                label_ratio_hi: None,
                label_mass: None,
                score_lo: None,
                ..label_row(step, "mine")
            });
        }
        let targets = [0, 50, 100, 200]
            .map(|step| crate::report::TargetRow { score: 50.0 + step as f64 / 10.0, ..target_row(step) });
        let text = label_ratio(&rows, &targets, 0.5).unwrap();
        assert_eq!(
            cells(&text, "| TriviaQA 1-shot", "100")[3..8],
            ["0.750 [0.700, 0.800]", "0.125", "em-trivia", "10.0 [35.0, 45.0]", "label word 0.75"]
        );
        assert_eq!(cells(&text, "| TriviaQA 1-shot", "0")[7], "other 0.90");
        assert_eq!(cells(&text, "| mine 1-shot", "200")[3..8], ["-", "-", "em-trivia", "40.0", "other 0.56"]);
        assert_eq!(cells(&text, "| RTE (target)", "100")[3..8], ["-", "-", "accuracy", "60.0 [55.0, 65.0]", "-"]);
        let table: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(table.len(), 2 + 3 + 3 + 2);
        assert!(table.iter().all(|line| line.len() == table[0].len()));
        assert!(text.contains("exceeds 0.5 with"));
        assert!(text.contains("- TriviaQA 1-shot: onset step 100, score halved step 100\n"), "{text}");
        assert!(text.ends_with("- mine 1-shot: onset -, score halved -\n"), "{text}");
    }

    #[test]
    fn one_probe_is_listed_once_and_a_target_may_be_missing() {
        let text = label_ratio(&[label_row(0, "trivia_qa")], &[], 0.1).unwrap();
        assert_eq!(text.lines().filter(|line| line.starts_with("| ")).count(), 3, "{text}");
        assert!(!text.contains("(target)") && text.contains("onset step 0"));
        assert!(label_ratio(&[], &[target_row(0)], 0.5).is_err());
    }

    #[test]
    fn of_equal_classes_the_first() {
        let row = LabelRatioRow { out_copy: 0.5, out_other: 0.5, out_label: None, ..label_row(0, "trivia_qa") };
        assert_eq!(largest(&row), "copy 0.50");
    }
}
