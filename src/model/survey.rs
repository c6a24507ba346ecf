//! What can be known of a model's folder without reading its values: which tensors the model needs, and which are there. Unlike
//! loading, it does not stop at the first that is missing.

use std::path::Path;

use serde::Serialize;

use super::config::T5Config;
use super::load::{EMBEDDING_ALIASES, HEAD, shapes, stored_name};
use super::weights::Weights;
use super::weights::describe::{Stored, StoredFile};
use crate::error::Result;

/// A folder's weights.
#[derive(Debug, Clone)]
pub struct Survey {
    /// What holds them: `safetensors` or `pytorch`.
    pub layout: &'static str,
    /// The files.
    pub files: Vec<StoredFile>,
    /// The dtypes, most numbers first.
    pub dtypes: Vec<Stored>,
    /// The model's tensors with their shapes, in its order, the head among them if it is one of its own.
    pub tensors: Vec<(String, Vec<usize>)>,
    /// Those that are not there.
    pub missing: Vec<String>,
    /// Those of another shape than the config says.
    pub misshapen: Vec<Misshapen>,
    /// Tensors that the model has no use for.
    pub unused: Vec<String>,
    /// Where the head is.
    pub head: HeadOf,
}

/// A tensor of another shape than it should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misshapen {
    /// The tensor.
    pub name: String,
    /// Its shape.
    pub stored: Vec<usize>,
    /// What `config.json` makes it.
    pub wanted: Vec<usize>,
}

/// Where a model's head is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadOf {
    /// The embedding: none is stored, or one of equal values.
    Embedding,
    /// A tensor of its own.
    Own,
}

/// Whether there are weights in `dir` whose description can be read.
///
/// # Errors
/// If there are none, or a file is damaged.
pub fn has_weights(dir: &Path) -> Result<()> {
    Weights::open(dir).map(drop)
}

impl Survey {
    /// Looks at the weights in `dir`, for a model of `config`.
    ///
    /// # Errors
    /// If there are none, or a file is damaged.
    pub fn of(dir: &Path, config: &T5Config) -> Result<Self> {
        let weights = Weights::open(dir)?;
        let mut tensors = shapes(config);
        let head = match weights.has(HEAD) {
            true if weights.same(HEAD, stored_name(&weights, "shared.weight")) != Some(true) => HeadOf::Own,
            _ => HeadOf::Embedding,
        };
        if head == HeadOf::Own {
            tensors.push((HEAD.to_string(), vec![config.shape.vocab_size, config.shape.d_model]));
        }
        let (mut missing, mut misshapen) = (Vec::new(), Vec::new());
        for (name, wanted) in &tensors {
            match weights.shape(stored_name(&weights, name)) {
                None => missing.push(name.clone()),
                Some(stored) if stored != wanted.as_slice() => {
                    misshapen.push(Misshapen { name: name.clone(), stored: stored.to_vec(), wanted: wanted.clone() })
                }
                Some(_) => {}
            }
        }
        let known =
            |name: &str| name == HEAD || EMBEDDING_ALIASES.contains(&name) || tensors.iter().any(|(it, _)| it == name);
        let unused = weights.names().filter(|name| !known(name)).map(String::from).collect();
        Ok(Self {
            layout: weights.layout(),
            files: weights.stored_files(),
            dtypes: weights.dtypes(),
            missing,
            misshapen,
            unused,
            head,
            tensors,
        })
    }
}
