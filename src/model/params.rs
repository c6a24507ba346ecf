//! The ordered store of a model's parameters, keyed by Hugging Face names.

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::Tensor;

use crate::error::{Error, Result};

/// One parameter. Clones share the values, so that an optimizer's in-place step is seen by every layer that holds one.
#[derive(Debug, Clone)]
pub struct Param {
    name: Arc<str>,
    value: Tensor,
}

impl Param {
    /// A parameter; `value` is a contiguous f32 tensor.
    pub fn new(name: &str, value: Tensor) -> Self {
        Self { name: name.into(), value }
    }

    /// Its Hugging Face path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its values.
    pub fn value(&self) -> &Tensor {
        &self.value
    }

    /// How many numbers it holds.
    pub fn count(&self) -> usize {
        self.value.elem_count()
    }
}

/// A model's parameters in the order of `named_parameters()` in transformers.
#[derive(Debug, Clone, Default)]
pub struct Params {
    ordered: Vec<Param>,
    index: HashMap<Arc<str>, usize>,
}

impl Params {
    /// Adds a parameter at the end.
    ///
    /// # Errors
    /// If the name is already taken.
    pub fn insert(&mut self, param: Param) -> Result<()> {
        if self.index.insert(param.name.clone(), self.ordered.len()).is_some() {
            return Err(Error::check("internal: two parameters of one name").parameter(param.name()));
        }
        self.ordered.push(param);
        Ok(())
    }

    /// The parameter of that name.
    ///
    /// # Errors
    /// If there is none.
    pub fn get(&self, name: &str) -> Result<&Param> {
        self.find(name).ok_or_else(|| Error::check("the model has no such parameter").parameter(name))
    }

    /// The parameter of that name, if there is one.
    pub fn find(&self, name: &str) -> Option<&Param> {
        self.index.get(name).map(|&place| &self.ordered[place])
    }

    /// Keeps those that `keep` says, in order.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.ordered.retain(|param| keep(param.name()));
        self.index = self.ordered.iter().enumerate().map(|(place, param)| (param.name.clone(), place)).collect();
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Param> {
        self.ordered.iter()
    }

    /// How many numbers they hold together.
    pub fn count(&self) -> usize {
        self.iter().map(Param::count).sum()
    }
}
