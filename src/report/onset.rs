//! When a fine-tuned model starts to answer another task with the target's label words, and when that task's score is lost.

use super::rows::LabelRatioRow;

/// The steps of both; none where it never happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Onset {
    /// The first probe whose label ratio exceeds the threshold, with its interval's lower end, so that a few chance outputs
    /// do not count.
    pub label: Option<u64>,
    /// The first probe whose score is half of the first probe's or less; none also where there was no score to lose.
    pub halved: Option<u64>,
}

/// Finds them in the probes of one evaluation, in any order.
pub fn onset<'a>(probes: impl IntoIterator<Item = &'a LabelRatioRow>, threshold: f64) -> Onset {
    let mut probes: Vec<&LabelRatioRow> = probes.into_iter().collect();
    probes.sort_by_key(|row| row.step);
    let first = |holds: &dyn Fn(&LabelRatioRow) -> bool| probes.iter().find(|row| holds(row)).map(|row| row.step);
    let label = first(&|row| row.label_ratio_lo.is_some_and(|low| low > threshold));
    // Without a score at first, every later one would be "half or less".
    let before = probes.first().map(|row| row.score).filter(|score| *score > 0.0);
    let halved = before.and_then(|before| first(&|row| row.score <= before / 2.0));
    Onset { label, halved }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::label_view::tests::label_row;

    /// Probes every 50 steps with these lower ends of the label ratio's interval and these scores.
    fn probes(values: &[(Option<f64>, f64)]) -> Vec<LabelRatioRow> {
        let row = |(index, &(label_ratio_lo, score))| LabelRatioRow {
            label_ratio_lo,
            score,
            ..label_row(50 * index as u64, "trivia_qa")
        };
        values.iter().enumerate().map(row).collect()
    }

    #[test]
    fn first_probe_past_the_threshold_and_first_at_half_the_score() {
        let mut rows = probes(&[(Some(0.0), 40.0), (Some(0.5), 20.1), (Some(0.51), 20.0), (Some(0.2), 30.0)]);
        assert_eq!(onset(&rows, 0.5), Onset { label: Some(100), halved: Some(100) });
        assert_eq!(onset(&rows, 0.1), Onset { label: Some(50), halved: Some(100) });
        assert_eq!(onset(&rows, 0.9), Onset { label: None, halved: Some(100) });
        rows.reverse();
        assert_eq!(onset(&rows, 0.5), Onset { label: Some(100), halved: Some(100) });
    }

    #[test]
    fn the_ratio_itself_is_not_enough() {
        let mut rows = probes(&[(Some(0.4), 40.0)]);
        rows[0].label_ratio = Some(0.9);
        assert_eq!(onset(&rows, 0.5).label, None);
    }

    #[test]
    fn never() {
        let never = Onset { label: None, halved: None };
        assert_eq!(onset([], 0.5), never);
        assert_eq!(onset(&probes(&[(None, 40.0), (None, 40.0)]), 0.5), never);
        // Nothing to lose: a score of zero does not halve.
        assert_eq!(onset(&probes(&[(None, 0.0), (None, 0.0)]), 0.5), never);
        assert_eq!(onset(&probes(&[(Some(0.5), 40.0)]), 0.5), never);
        // The first probe may be past the threshold already.
        assert_eq!(onset(&probes(&[(Some(0.6), 40.0)]), 0.5), Onset { label: Some(0), halved: None });
    }
}
