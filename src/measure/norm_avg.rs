//! The paper's summary of a model's generality: "Norm. Avg.".

/// The number of evaluation scores it averages.
pub const SCORES: usize = 8;

/// The plain mean of the eight evaluation scores, no chance level subtracted: what 40 of the paper's 41 printed values are
/// to 0.015 (the other is a slip in its table 10). None if a score is missing, which is never zero.
pub fn norm_avg(scores: &[Option<f64>; SCORES]) -> Option<f64> {
    let sum: Option<f64> = scores.iter().copied().sum();
    sum.map(|sum| sum / SCORES as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_score_leaves_it_missing() {
        let mut scores = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0].map(Some);
        assert_eq!(norm_avg(&scores), Some(4.5));
        scores[3] = None;
        assert_eq!(norm_avg(&scores), None);
    }
}
