//! Dot products between the K gradients of each parameter, in f64; the gradients themselves are dropped.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::measure::Gram;
use crate::model::{Gradient, Sink, gram, prompt};

/// A sink that keeps the [`Gram`] of each of the model's own parameters: what is attached to it is no part of the comparison.
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
    fn wants(&self, name: &str) -> bool {
        !prompt::is_attached(name)
    }

    fn take(&mut self, gradient: &Gradient) -> Result<()> {
        let mut sums = Gram::zero(self.losses);
        gradient.visit(&mut |_, block| {
            sums.add_upper(&gram(block, self.losses));
            Ok(())
        })?;
        self.grams.insert(gradient.param().name().to_string(), sums);
        Ok(())
    }
}
