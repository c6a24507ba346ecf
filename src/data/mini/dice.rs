//! Chance for the world's writers: picks from one named stream.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::spec::Seeds;

/// A stream of picks.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream `name` at `index`.
    pub fn new(seeds: &Seeds, name: &str, index: u64) -> Self {
        Self(seeds.rng(name, &[index]))
    }

    /// A number from 0 to below `n`, which must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        self.0.random_range(0..n)
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.0.random::<f64>() < p
    }

    /// One of `items`, which must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// `count` different numbers below `n`, in random order; `count` must not exceed `n`.
    pub fn sample(&mut self, n: usize, count: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        for place in 0..count {
            let from = place + self.below(n - place);
            all.swap(place, from);
        }
        all.truncate(count);
        all
    }

    /// The place of one of `weights`, by their shares.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.0.random::<f64>() * weights.iter().sum::<f64>();
        for (place, weight) in weights.iter().enumerate() {
            if left < *weight {
                return place;
            }
            left -= weight;
        }
        weights.len().saturating_sub(1)
    }
}
