//! Keeps whole gradients, for `fsa dump` and the tests.

use std::collections::BTreeMap;

use candle_core::Tensor;

use crate::error::Result;
use crate::model::{Gradient, Sink};

/// Keeps every parameter's K gradients by name.
#[derive(Debug, Default)]
pub struct Collect {
    gradients: BTreeMap<String, Vec<Tensor>>,
}

impl Collect {
    /// The gradient of loss `k` by `name`.
    pub fn get(&self, name: &str, k: usize) -> Option<&Tensor> {
        self.gradients.get(name)?.get(k)
    }

    /// All gradients by parameter, each a list over losses.
    pub fn all(&self) -> &BTreeMap<String, Vec<Tensor>> {
        &self.gradients
    }

    /// As [`Collect::all`], by value.
    pub fn into_all(self) -> BTreeMap<String, Vec<Tensor>> {
        self.gradients
    }
}

impl Sink for Collect {
    fn wants(&self, _: &str) -> bool {
        true
    }

    fn take(&mut self, gradient: &Gradient) -> Result<()> {
        let all = (0..gradient.losses()).map(|k| gradient.dense(k)).collect::<Result<Vec<_>>>()?;
        self.gradients.insert(gradient.param().name().to_string(), all);
        Ok(())
    }
}
