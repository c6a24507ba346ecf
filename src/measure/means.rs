//! Means that know what is missing, and how sure a mean over seeds is.

/// The plain mean of `scores`; none of no score, or if one is missing, which is never zero.
///
/// Over the evaluation scores of a model it is the paper's "Norm. Avg.", no chance level subtracted: what 40 of the paper's 41
/// printed values are to 0.015 (the other is a slip in its table 10).
pub fn mean(scores: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for score in scores {
        sum += score?;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

/// Student's 95 % t interval of the mean of `values`, with n − 1 degrees of freedom (Student 1908). None with fewer than two,
/// which say nothing of how far others would lie.
pub fn t_interval(values: &[f64]) -> Option<(f64, f64)> {
    let freedom = values.len().checked_sub(1).filter(|&freedom| freedom > 0)?;
    let centre = mean(values.iter().copied().map(Some))?;
    let variance = values.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / freedom as f64;
    let half = t_point(freedom) * (variance / values.len() as f64).sqrt();
    Some((centre - half, centre + half))
}

/// The 97.5 % point of Student's t distribution with `freedom` degrees of freedom, at least one.
///
/// P(|T| ≤ t) is a finite sum in θ = atan(t / √ν) (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4), which is halved down to.
pub fn t_point(freedom: usize) -> f64 {
    let (mut low, mut high) = (0.0, std::f64::consts::FRAC_PI_2);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return (freedom as f64).sqrt() * middle.tan();
        }
        match within(middle, freedom) < 0.95 {
            true => low = middle,
            false => high = middle,
        }
    }
}

/// P(|T| ≤ √ν tan θ) for ν = `freedom`.
fn within(theta: f64, freedom: usize) -> f64 {
    let (sine, cosine) = theta.sin_cos();
    let odd = freedom % 2 == 1;
    // Powers of the cosine up to ν − 2, each with its coefficient.
    let (mut power, mut term) = if odd { (1, cosine) } else { (0, 1.0) };
    let mut sum = 0.0;
    while power + 2 <= freedom {
        sum += term;
        term *= cosine * cosine * (power + 1) as f64 / (power + 2) as f64;
        power += 2;
    }
    if odd { std::f64::consts::FRAC_2_PI * (theta + sine * sum) } else { sine * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_score_leaves_the_mean_missing() {
        assert_eq!(mean([1.0, 2.0, 6.0].map(Some)), Some(3.0));
        assert_eq!(mean([Some(1.0), None, Some(6.0)]), None);
        assert_eq!(mean([]), None);
    }

    #[test]
    fn one_value_has_no_interval_and_equal_ones_a_point() {
        assert_eq!((t_interval(&[]), t_interval(&[1.0])), (None, None));
        assert_eq!(t_interval(&[2.0; 3]), Some((2.0, 2.0)));
    }
}
