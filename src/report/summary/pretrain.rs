//! Summary of `fsa pretrain`: losses over the steps, and the last scores.

use super::{decimals, interval, markdown};
use crate::report::names;
use crate::report::{PretrainRow, ScoreRow};

/// Probes that the table shows, the last among them.
const PROBES: usize = 8;

/// The losses of some probes, and the scores of the last one.
pub fn pretrain(losses: &[PretrainRow], scores: &[ScoreRow]) -> String {
    let all: Vec<&PretrainRow> = losses.iter().filter(|row| row.family == "all").collect();
    let Some(last) = all.last() else { return String::new() };
    let stride = all.len().div_ceil(PROBES);
    let shown = all.iter().rev().step_by(stride).collect::<Vec<_>>();
    let rows: Vec<[String; 3]> = shown
        .into_iter()
        .rev()
        .map(|row| [row.step.to_string(), decimals(row.training_loss, 4), decimals(Some(row.held_out_loss), 4)])
        .collect();
    let losses = markdown(&["step", "training loss", "held-out loss"].map(String::from), &rows);
    format!("{losses}\n{}", self::scores(scores, last.step))
}

/// The scores at `step`; a line that says so if there are none.
pub fn scores(scores: &[ScoreRow], step: u64) -> String {
    let rows: Vec<[String; 5]> = scores
        .iter()
        .filter(|row| row.step == step)
        .map(|row| {
            [
                names::task(&row.task).to_string(),
                row.shots.to_string(),
                names::metric(&row.metric).to_string(),
                interval(Some((Some(row.score), row.score_lo, row.score_hi)), 1),
                row.n.to_string(),
            ]
        })
        .collect();
    match rows.is_empty() {
        true => "No task was asked.\n".to_string(),
        false => markdown(&["task", "shots", "metric", "score", "prompts"].map(String::from), &rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_probe_is_always_shown() {
        let losses: Vec<PretrainRow> = (0..21)
            .map(|i| PretrainRow {
                seed: 0,
                step: 10 * i,
                family: "all".into(),
                training_loss: (i > 0).then_some(2.0),
                held_out_loss: 1.5,
                documents: 4,
                target_tokens: 9,
            })
            .collect();
        let score = ScoreRow {
            seed: 0,
            step: 200,
            task: "web_questions".into(),
            shots: 1,
            n: 3,
            score: 25.0,
            score_lo: Some(20.0),
            score_hi: None,
            metric: "em-squad".into(),
            ended: 1.0,
        };
        let text = pretrain(&losses, &[score]);
        assert!(text.lines().count() < 18, "{text}");
        assert!(text.contains("| 200  |        2.0000 |        1.5000 |"), "{text}");
        assert!(text.contains("| WebQuestions |     1 | exact match |  25.0 |       3 |"), "{text}");
        assert!(pretrain(&losses[..1], &[]).ends_with("No task was asked.\n"));
    }
}
