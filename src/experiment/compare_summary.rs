//! Rows of `summary.csv`: what a method's scores amount to, over tasks and over seeds.

use crate::measure::mean;
use crate::measure::means::t_interval;
use crate::report::compare_view::CompareView;
use crate::report::{CompareRow, CompareSummaryRow};

/// Every measure of every method over `seeds`, those seeds left out that do not have it. Means over tasks are plain means of
/// all that were asked of any method with as many shots; one task without a score leaves the mean missing, and a measure that
/// no seed has gets no row.
pub fn summary_rows(view: &CompareView, seeds: &[u64]) -> Vec<CompareSummaryRow> {
    let mut rows = Vec::new();
    for &target in view.targets() {
        for method in view.methods(target) {
            let mut push = |shots: Option<u64>, measure: String, of_seed: &dyn Fn(u64) -> Option<f64>| {
                let values: Vec<f64> = seeds.iter().filter_map(|&seed| of_seed(seed)).collect();
                let interval = t_interval(&values);
                rows.extend(mean(values.iter().copied().map(Some)).map(|mean| CompareSummaryRow {
                    target: target.to_string(),
                    method: method.to_string(),
                    shots,
                    measure,
                    seeds: values.len() as u64,
                    mean,
                    lo: interval.map(|ends| ends.0),
                    hi: interval.map(|ends| ends.1),
                }));
            };
            push(None, "target".into(), &|seed| Some(view.target(target, method, seed)?.score));
            for shots in view.shots(target) {
                let tasks = view.tasks(target, shots);
                let (matched, mismatched): (Vec<&str>, Vec<&str>) =
                    tasks.iter().partition(|task| view.is_matched(target, task));
                let over = |tasks: &[&str], seed: u64, read: fn(&CompareRow) -> Option<f64>| {
                    mean(tasks.iter().map(|task| view.row(target, method, seed, task, shots).and_then(read)))
                };
                let mut push = |measure: &str, of_seed: &dyn Fn(u64) -> Option<f64>| {
                    push(Some(shots), measure.to_string(), of_seed);
                };
                push("norm_avg", &|seed| over(&tasks, seed, |row| Some(row.score)));
                push("matched", &|seed| over(&matched, seed, |row| Some(row.score)));
                push("mismatched", &|seed| over(&mismatched, seed, |row| Some(row.score)));
                push("label_ratio", &|seed| over(&mismatched, seed, |row| row.label_ratio));
                for task in &tasks {
                    push(task, &|seed| Some(view.row(target, method, seed, task, shots)?.score));
                }
                for task in &tasks {
                    let other = if view.attaches() { "detached" } else { "attached" };
                    push(&format!("{task}:{other}"), &|seed| {
                        Some(view.other_row(target, method, seed, task, shots)?.score)
                    });
                }
            }
        }
    }
    rows
}

/// The same for each seed alone.
pub fn by_seed(view: &CompareView) -> Vec<(u64, Vec<CompareSummaryRow>)> {
    view.seeds().iter().map(|&seed| (seed, summary_rows(view, &[seed]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(method: &str, seed: u64, task: &str, score: f64) -> CompareRow {
        CompareRow {
            target: "rte".into(),
            method: method.into(),
            seed,
            checkpoint_step: None,
            prompt_attached: 0,
            task: task.into(),
            shots: u64::from(task != "rte"),
            n: 10,
            metric: "accuracy".into(),
            score,
            score_lo: None,
            score_hi: None,
            label_ratio: Some(score / 100.0),
            label_mass: None,
            matched: u64::from(matches!(task, "rte" | "cb")),
        }
    }

    fn find<'a>(rows: &'a [CompareSummaryRow], method: &str, measure: &str) -> Option<&'a CompareSummaryRow> {
        rows.iter().find(|row| row.method == method && row.measure == measure)
    }

    #[test]
    fn means_over_tasks_and_seeds() {
        let rows: Vec<CompareRow> = [(0, 80.0), (1, 84.0), (2, 82.0)]
            .into_iter()
            .flat_map(|(seed, score)| {
                [("rte", score), ("cb", 60.0), ("xsum", score - 80.0), ("trivia_qa", 4.0)]
                    .map(|(task, score)| row("standard", seed, task, score))
            })
            .collect();
        let view = CompareView::new(&rows, false).unwrap();
        let found = summary_rows(&view, view.seeds());
        let target = find(&found, "standard", "target").unwrap();
        // scipy.stats.t.interval(0.95, 2, 82, 2 / 3**0.5)
        assert_eq!((target.shots, target.seeds, target.mean), (None, 3, 82.0));
        assert!((target.lo.unwrap() - 77.03172).abs() < 1e-4 && (target.hi.unwrap() - 86.96828).abs() < 1e-4);
        let of = |measure: &str| find(&found, "standard", measure).map(|row| (row.shots, row.mean));
        assert_eq!(of("norm_avg"), Some((Some(1), 22.0)));
        assert_eq!((of("matched"), of("mismatched")), (Some((Some(1), 60.0)), Some((Some(1), 3.0))));
        assert!((of("label_ratio").unwrap().1 - 0.03).abs() < 1e-12);
        assert_eq!((of("xsum"), of("cb:attached")), (Some((Some(1), 2.0)), None));
        let each = by_seed(&view);
        assert_eq!(each.len(), 3);
        let one = find(&each[1].1, "standard", "target").unwrap();
        assert_eq!((each[1].0, one.mean, one.seeds, one.lo), (1, 84.0, 1, None));
    }

    #[test]
    fn what_is_missing_is_missing_and_never_zero() {
        let mut rows = vec![row("standard", 0, "xsum", 4.0), row("standard", 0, "cb", 6.0)];
        rows.extend([row("standard", 1, "xsum", 8.0), row("promot", 0, "cb", 50.0)]);
        rows[0].label_ratio = None;
        let view = CompareView::new(&rows, false).unwrap();
        let found = summary_rows(&view, view.seeds());
        let of = |method, measure| find(&found, method, measure).map(|row| (row.seeds, row.mean));
        // The second seed has no CB, ProMoT no XSum.
        assert_eq!(of("standard", "norm_avg"), Some((1, 5.0)));
        assert_eq!(of("standard", "mismatched"), Some((2, 6.0)));
        assert_eq!(of("standard", "label_ratio"), Some((1, 0.08)));
        assert_eq!((of("promot", "norm_avg"), of("promot", "mismatched")), (None, None));
        assert_eq!((of("promot", "matched"), of("promot", "target")), (Some((1, 50.0)), None));
    }

    #[test]
    fn the_way_that_does_not_count_has_its_own_measure() {
        let plain = row("promot", 0, "cb", 40.0);
        let rows = [CompareRow { prompt_attached: 1, score: 60.0, ..plain.clone() }, plain];
        for (attach, counts, other, score) in [(false, 40.0, "cb:attached", 60.0), (true, 60.0, "cb:detached", 40.0)] {
            let view = CompareView::new(&rows, attach).unwrap();
            let found = summary_rows(&view, view.seeds());
            let of = |measure| find(&found, "promot", measure).map(|row| row.mean);
            assert_eq!((of("matched"), of("cb"), of(other)), (Some(counts), Some(counts), Some(score)));
        }
    }
}
