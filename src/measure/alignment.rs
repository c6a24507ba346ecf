//! From dot products to the alignment of the full gradient with the format gradient, with its interval.
//!
//! The estimand is the mean, over probe batches and shuffles, of the cosine between a batch's two summed gradients. Its
//! interval is a 95 % percentile bootstrap over probe batches with the shuffles nested in them (Efron and Tibshirani 1993).

use rand::RngExt;

use super::gram::Gram;
use crate::spec::Seeds;

/// Bootstrap draws.
const DRAWS: usize = 1000;

/// How one estimator's format gradients align with the full gradient over some parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Alignment {
    /// Mean cosine; none if a gradient is zero in every batch.
    pub cosine: Option<f64>,
    /// 95 % interval of the mean; none where there is but one cosine.
    pub interval: Option<(f64, f64)>,
    /// Mean cosine between two shuffles of one batch; none with a single shuffle.
    pub yardstick: Option<f64>,
    /// Mean norm of the full gradient per example.
    pub norm_full: f64,
    /// Mean norm of the format gradients per example.
    pub norm_format: f64,
}

/// Draws of (batch, its shuffles), the same for every row of a probe so that their intervals can be compared.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    batches: usize,
    shuffles: usize,
    /// `[draws, batches]` of (batch, `[shuffles]` of shuffle), flat.
    draws: Vec<(usize, Vec<usize>)>,
}

impl Bootstrap {
    /// Draws for `batches` probe batches of `shuffles` shuffles, from the stream `bootstrap`.
    pub fn new(seeds: Seeds, batches: usize, shuffles: usize) -> Self {
        let mut rng = seeds.rng("bootstrap", &[batches as u64, shuffles as u64]);
        let draws = (0..DRAWS * batches)
            .map(|_| (rng.random_range(0..batches), (0..shuffles).map(|_| rng.random_range(0..shuffles)).collect()))
            .collect();
        Self { batches, shuffles, draws }
    }

    /// The interval of the mean of `values` `[batch][shuffle]`; none where nothing can vary.
    fn interval(&self, values: &[Vec<Option<f64>>]) -> Option<(f64, f64)> {
        if self.batches * self.shuffles < 2 {
            return None;
        }
        let mut means: Vec<f64> = self
            .draws
            .chunks_exact(self.batches)
            .filter_map(|draw| {
                mean(draw.iter().flat_map(|(batch, shuffles)| shuffles.iter().map(|&r| values[*batch][r])))
            })
            .collect();
        means.sort_by(f64::total_cmp);
        Some((quantile(&means, 0.025)?, quantile(&means, 0.975)?))
    }
}

/// Aligns the loss `full` with the losses `formats` (an estimator's shuffles), from one Gram per probe batch of
/// `examples` examples each.
pub fn align(grams: &[Gram], full: usize, formats: &[usize], examples: usize, bootstrap: &Bootstrap) -> Alignment {
    let cosines: Vec<Vec<Option<f64>>> =
        grams.iter().map(|gram| formats.iter().map(|&format| gram.cosine(full, format)).collect()).collect();
    let pairs = (0..formats.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
    let yardsticks = grams.iter().flat_map(|gram| pairs.clone().map(|(a, b)| gram.cosine(formats[a], formats[b])));
    let per_example = |norms: &mut dyn Iterator<Item = f64>| mean(norms.map(Some)).unwrap_or(0.0) / examples as f64;
    Alignment {
        cosine: mean(cosines.iter().flatten().copied()),
        interval: bootstrap.interval(&cosines),
        yardstick: mean(yardsticks),
        norm_full: per_example(&mut grams.iter().map(|gram| gram.norm(full))),
        norm_format: per_example(&mut grams.iter().flat_map(|gram| formats.iter().map(|&format| gram.norm(format)))),
    }
}

/// Mean of those that are there; none if none is.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0usize);
    for value in values.flatten() {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

/// The `q` quantile of sorted values, interpolated linearly (numpy's default).
pub(super) fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let place = q * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(low + (high - low) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// K = 3: full (1, 0) and two formats at the given angles, in the plane.
    fn gram(angles: [f64; 2]) -> Gram {
        let vectors = [(2.0, 0.0), (angles[0].cos(), angles[0].sin()), (angles[1].cos(), angles[1].sin())];
        let mut upper = vec![0.0; 9];
        for a in 0..3 {
            for b in a..3 {
                upper[a * 3 + b] = vectors[a].0 * vectors[b].0 + vectors[a].1 * vectors[b].1;
            }
        }
        let mut gram = Gram::zero(3);
        gram.add_upper(&upper);
        gram
    }

    #[test]
    fn the_mean_cosine_lies_in_its_interval_and_norms_are_per_example() {
        let grams: Vec<Gram> = (0..4).map(|i| gram([0.1 * i as f64, 0.2 * i as f64])).collect();
        let bootstrap = Bootstrap::new(Seeds::new(0), 4, 2);
        let alignment = align(&grams, 0, &[1, 2], 8, &bootstrap);
        let truth = (0..4).map(|i| (0.1 * i as f64).cos() + (0.2 * i as f64).cos()).sum::<f64>() / 8.0;
        assert!((alignment.cosine.unwrap() - truth).abs() < 1e-12);
        let (lo, hi) = alignment.interval.unwrap();
        assert!(lo < truth && truth < hi && hi <= 1.0);
        let yardstick = (0..4).map(|i| (0.1 * i as f64).cos()).sum::<f64>() / 4.0;
        assert!((alignment.yardstick.unwrap() - yardstick).abs() < 1e-12);
        assert!((alignment.norm_full - 2.0 / 8.0).abs() < 1e-12);
        assert!((alignment.norm_format - 1.0 / 8.0).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_vary_has_no_interval_and_one_shuffle_no_yardstick() {
        let alignment = align(&[gram([0.3, 0.0])], 0, &[1], 8, &Bootstrap::new(Seeds::new(0), 1, 1));
        assert_eq!((alignment.interval, alignment.yardstick), (None, None));
        let zero = align(&[Gram::zero(2)], 0, &[1], 8, &Bootstrap::new(Seeds::new(0), 1, 1));
        assert_eq!((zero.cosine, zero.norm_full), (None, 0.0));
    }

    #[test]
    fn quantiles_are_numpys() {
        // numpy.quantile([1, 2, 4, 8], [0.025, 0.5, 0.975]) = [1.075, 3.0, 7.7]
        let values = [1.0, 2.0, 4.0, 8.0];
        assert!((quantile(&values, 0.025).unwrap() - 1.075).abs() < 1e-12);
        assert!((quantile(&values, 0.5).unwrap() - 3.0).abs() < 1e-12);
        assert!((quantile(&values, 0.975).unwrap() - 7.7).abs() < 1e-12);
        assert_eq!(quantile(&[], 0.5), None);
    }
}
