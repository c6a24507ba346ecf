//! Dot products between the K gradients of each parameter, in f64; the gradients themselves are dropped.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::model::{Gradient, Sink};

/// The K×K dot products between K gradients: all that a cosine or a norm needs. Grams of disjoint parameters add up.
#[derive(Debug, Clone, PartialEq)]
pub struct Gram {
    losses: usize,
    values: Vec<f64>,
}

impl Gram {
    /// Of gradients that are all zero.
    pub fn zero(losses: usize) -> Self {
        Self { losses, values: vec![0.0; losses * losses] }
    }

    /// ⟨g_a, g_b⟩.
    pub fn dot(&self, a: usize, b: usize) -> f64 {
        self.values[a * self.losses + b]
    }

    /// ‖g_a‖.
    pub fn norm(&self, a: usize) -> f64 {
        self.dot(a, a).sqrt()
    }

    /// cos(g_a, g_b); none if either is zero.
    pub fn cosine(&self, a: usize, b: usize) -> Option<f64> {
        let norms = self.norm(a) * self.norm(b);
        (norms > 0.0).then(|| (self.dot(a, b) / norms).clamp(-1.0, 1.0))
    }

    /// Adds the dot products over further coordinates.
    pub fn add(&mut self, other: &Self) {
        self.values.iter_mut().zip(&other.values).for_each(|(sum, value)| *sum += value);
    }

    /// Adds the dot products between K slices that lie one after the other in `block`.
    fn add_block(&mut self, block: &[f32]) {
        let k = self.losses;
        let upper = crate::model::gram(block, k);
        for a in 0..k {
            for b in a..k {
                self.values[a * k + b] += upper[a * k + b];
                if a != b {
                    self.values[b * k + a] += upper[a * k + b];
                }
            }
        }
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }
}

/// A sink that keeps each parameter's [`Gram`].
#[derive(Debug)]
pub struct Dots {
    losses: usize,
    grams: BTreeMap<String, Gram>,
}

impl Dots {
    /// For K = `losses` gradients.
    pub fn new(losses: usize) -> Self {
        Self { losses, grams: BTreeMap::new() }
    }

    /// By parameter.
    pub fn into_grams(self) -> BTreeMap<String, Gram> {
        self.grams
    }
}

impl Sink for Dots {
    fn wants(&self, _: &str) -> bool {
        true
    }

    fn take(&mut self, gradient: &Gradient) -> Result<()> {
        let mut gram = Gram::zero(self.losses);
        gradient.visit(&mut |block| {
            gram.add_block(block);
            Ok(())
        })?;
        self.grams.insert(gradient.param().name().to_string(), gram);
        Ok(())
    }
}
