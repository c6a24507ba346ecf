//! How sure a score is: Wilson's interval, a seeded bootstrap, and tests between two systems on the same items.
//!
//! Every interval here is a 95 % interval. Draws come from a named stream of the run's root seed, so that an interval is as
//! reproducible as its score.

use super::alignment::quantile;
use crate::spec::Seeds;
use rand::RngExt;

/// Bootstrap draws.
pub const DRAWS: usize = 1000;

/// The standard normal's 97.5 % point.
const Z: f64 = 1.959_963_984_540_054;

/// A count out of a number of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Proportion {
    /// Items that count.
    pub hits: u64,
    /// All items.
    pub items: u64,
}

impl Proportion {
    /// How many of `items` are true.
    pub fn of(items: impl IntoIterator<Item = bool>) -> Self {
        items
            .into_iter()
            .fold(Self::default(), |so_far, hit| Self { hits: so_far.hits + u64::from(hit), items: so_far.items + 1 })
    }

    /// From 0 to 1; none of no item.
    pub fn rate(self) -> Option<f64> {
        (self.items > 0).then(|| self.hits as f64 / self.items as f64)
    }

    /// Wilson's score interval without continuity correction (Wilson 1927), within 0 to 1; none of no item.
    pub fn wilson(self) -> Option<(f64, f64)> {
        let rate = self.rate()?;
        let items = self.items as f64;
        let (z2, scale) = (Z * Z, 1.0 + Z * Z / items);
        let centre = (rate + z2 / (2.0 * items)) / scale;
        let half = Z / scale * (rate * (1.0 - rate) / items + z2 / (4.0 * items * items)).sqrt();
        // At the ends the formula gives exactly 0 and 1, but for rounding.
        let low = if self.hits == 0 { 0.0 } else { (centre - half).max(0.0) };
        let high = if self.hits == self.items { 1.0 } else { (centre + half).min(1.0) };
        Some((low, high))
    }
}

/// A difference between two systems on the same items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// Score of the first minus score of the second.
    pub difference: f64,
    /// Its percentile bootstrap interval.
    pub interval: (f64, f64),
    /// Two-sided p of no difference: the share of draws whose difference is at least as far from the draws' mean as the observed
    /// one is from zero, with one added to both counts: 1 for two systems that say the same. sacreBLEU's paired bootstrap adds
    /// one too, but takes absolute values before it centres: its p is near this one for clear differences, and never above 0.4 or
    /// so. It counts only draws that are further, and so gives 0.001 for two systems that say the same.
    pub p: f64,
}

/// The percentile bootstrap interval of a corpus score over `items` items (Efron and Tibshirani 1993): `score` is given the
/// items of one draw, as many as there are, some of them several times. The stream is `bootstrap.<metric>`. None with fewer
/// than two items, which cannot vary.
pub fn bootstrap(
    seeds: Seeds,
    metric: &str,
    items: usize,
    mut score: impl FnMut(&[usize]) -> f64,
) -> Option<(f64, f64)> {
    percentiles(draw(seeds, metric, items, |chosen| score(chosen))?)
}

/// Two systems' corpus scores compared over the same draws of items (Koehn 2004). None with fewer than two items.
pub fn paired_bootstrap(
    seeds: Seeds,
    metric: &str,
    items: usize,
    mut first: impl FnMut(&[usize]) -> f64,
    mut second: impl FnMut(&[usize]) -> f64,
) -> Option<Paired> {
    let mut difference = |chosen: &[usize]| first(chosen) - second(chosen);
    let observed = difference(&(0..items).collect::<Vec<_>>());
    let draws = draw(seeds, metric, items, difference)?;
    let mean = draws.iter().sum::<f64>() / draws.len() as f64;
    let as_far = draws.iter().filter(|&&draw| (draw - mean).abs() >= observed.abs()).count();
    let p = (as_far + 1) as f64 / (draws.len() + 1) as f64;
    Some(Paired { difference: observed, interval: percentiles(draws)?, p })
}

/// Exact McNemar test: the two-sided p of no difference between two systems, of which the first alone is right on
/// `only_first` items and the second alone on `only_second` (McNemar 1947; the exact form is a binomial test with p = 1/2).
pub fn mcnemar(only_first: u64, only_second: u64) -> f64 {
    let (fewer, both) = (only_first.min(only_second), only_first + only_second);
    if only_first == only_second {
        return 1.0;
    }
    // P(X = fewer), its halvings done along the way so that nothing overflows.
    let (mut point, mut halvings) = (1.0f64, 0);
    for i in 1..=fewer {
        point *= (both - fewer + i) as f64 / i as f64;
        while point > 1.0 && halvings < both {
            point *= 0.5;
            halvings += 1;
        }
    }
    let mut left = both - halvings;
    while left > 0 && point > 0.0 {
        let step = left.min(1000);
        point *= 0.5f64.powi(step as i32);
        left -= step;
    }
    // P(X ≤ fewer): each term is a share of the one above it.
    let (mut tail, mut term) = (0.0, point);
    for k in (0..=fewer).rev() {
        tail += term;
        term *= k as f64 / (both - k + 1) as f64;
    }
    (2.0 * tail).min(1.0)
}

/// The score of each draw.
fn draw(seeds: Seeds, metric: &str, items: usize, mut score: impl FnMut(&[usize]) -> f64) -> Option<Vec<f64>> {
    if items < 2 {
        return None;
    }
    let mut rng = seeds.rng(&format!("bootstrap.{metric}"), &[]);
    let mut chosen = vec![0; items];
    let draws = (0..DRAWS).map(|_| {
        chosen.fill_with(|| rng.random_range(0..items));
        score(&chosen)
    });
    Some(draws.collect())
}

fn percentiles(mut scores: Vec<f64>) -> Option<(f64, f64)> {
    scores.sort_by(f64::total_cmp);
    Some((quantile(&scores, 0.025)?, quantile(&scores, 0.975)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: &[f64]) -> impl Fn(&[usize]) -> f64 {
        move |chosen| chosen.iter().map(|&item| values[item]).sum::<f64>() / chosen.len() as f64
    }

    #[test]
    fn what_is_not_there_has_no_interval() {
        assert_eq!((Proportion::default().rate(), Proportion::default().wilson()), (None, None));
        assert_eq!(bootstrap(Seeds::new(0), "bleu", 1, |_| 1.0), None);
        assert_eq!(paired_bootstrap(Seeds::new(0), "bleu", 0, |_| 1.0, |_| 1.0), None);
    }

    #[test]
    fn wilson_reaches_the_ends_and_stays_inside() {
        assert_eq!(Proportion { hits: 0, items: 10 }.wilson().unwrap().0, 0.0);
        assert_eq!(Proportion { hits: 10, items: 10 }.wilson().unwrap().1, 1.0);
        assert_eq!(Proportion::of([true, false, true]), Proportion { hits: 2, items: 3 });
    }

    #[test]
    fn the_bootstrap_of_a_mean_is_near_the_normal_interval_and_repeats_itself() {
        let values: Vec<f64> = (0..400).map(|i| (i * 37 % 101) as f64).collect();
        let centre = mean(&values)(&(0..400).collect::<Vec<_>>());
        let deviation = (values.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / 400.0).sqrt();
        let (low, high) = bootstrap(Seeds::new(3), "rouge2", 400, mean(&values)).unwrap();
        let half = Z * deviation / 20.0;
        // A 2.5 % point of 1000 draws has a standard error of about 0.08 of the mean's own.
        assert!((low - centre + half).abs() < 0.2 * half && (high - centre - half).abs() < 0.2 * half);
        assert_eq!(bootstrap(Seeds::new(3), "rouge2", 400, mean(&values)), Some((low, high)));
        assert_ne!(bootstrap(Seeds::new(4), "rouge2", 400, mean(&values)), Some((low, high)));
        assert_ne!(bootstrap(Seeds::new(3), "bleu", 400, mean(&values)), Some((low, high)));
    }

    #[test]
    fn a_constant_lead_is_sure_and_a_tie_is_not() {
        let values: Vec<f64> = (0..50).map(|i| (i * 7 % 13) as f64).collect();
        let better: Vec<f64> = values.iter().map(|v| v + 1.0).collect();
        let lead = paired_bootstrap(Seeds::new(0), "bleu", 50, mean(&better), mean(&values)).unwrap();
        assert!((lead.difference - 1.0).abs() < 1e-9 && (lead.interval.0 - 1.0).abs() < 1e-9);
        assert_eq!(lead.p, 1.0 / 1001.0);
        // Two systems that swap wins: no difference, and the draws spread around zero.
        let noisy: Vec<f64> = values.iter().enumerate().map(|(i, v)| v + if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let same = paired_bootstrap(Seeds::new(0), "bleu", 50, mean(&values), mean(&values)).unwrap();
        assert_eq!((same.difference, same.interval, same.p), (0.0, (0.0, 0.0), 1.0));
        let tie = paired_bootstrap(Seeds::new(0), "bleu", 50, mean(&noisy), mean(&values)).unwrap();
        assert!(tie.interval.0 < 0.0 && tie.interval.1 > 0.0 && tie.p > 0.5, "{tie:?}");
    }

    #[test]
    fn mcnemar_is_symmetric_and_survives_large_counts() {
        assert_eq!(mcnemar(0, 0), 1.0);
        assert_eq!(mcnemar(0, 5), 2.0 / 32.0);
        assert_eq!(mcnemar(7, 19), mcnemar(19, 7));
        assert!(mcnemar(0, 5000) == 0.0 && mcnemar(100_000, 100_001) > 0.99);
    }
}
