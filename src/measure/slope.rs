//! How fast one thing grows with another.

/// The slope of the straight line through (ln x, ln y), by least squares: y grows as x to this power. None of fewer than two different
/// x, or of numbers that have no logarithm.
pub fn log_slope(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    if logs.iter().any(|(x, y)| !x.is_finite() || !y.is_finite()) {
        return None;
    }
    let n = logs.len() as f64;
    let (mean_x, mean_y) = (logs.iter().map(|p| p.0).sum::<f64>() / n, logs.iter().map(|p| p.1).sum::<f64>() / n);
    let squares: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let products: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    (squares > 0.0).then(|| products / squares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_is_found_and_nothing_from_nothing() {
        let of = |power: f64| log_slope(&[1.0f64, 2.0, 4.0, 8.0].map(|x| (x, 3.0 * x.powf(power))));
        for power in [0.0, 0.9, 1.0, 2.0] {
            assert!((of(power).unwrap() - power).abs() < 1e-12);
        }
        // Off the line: of three evenly spaced points, the middle one does not turn the line.
        assert!((log_slope(&[(1.0, 1.0), (2.0, 3.0), (4.0, 4.0)]).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(log_slope(&[(1.0, 1.0)]), None);
        assert_eq!(log_slope(&[(2.0, 1.0), (2.0, 3.0)]), None);
        assert_eq!(log_slope(&[(0.0, 1.0), (2.0, 3.0)]), None);
    }
}
