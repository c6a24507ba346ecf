//! A model → the bytes of its files in Hugging Face layout, as `save_pretrained` of transformers writes them. Where they go is
//! the caller's business.

use std::collections::HashMap;

use super::array::read;
use super::prompt::is_attached;
use super::t5::T5;
use super::weights::Values;
use crate::error::{Error, Result};

impl T5 {
    /// `model.safetensors`, in f32: every parameter of its own once, under its Hugging Face name. What is
    /// [attached](T5::adapter_files) has files of its own.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        let tensors = self
            .params()
            .iter()
            .filter(|param| !is_attached(param.name()))
            .map(|param| Ok((param.name().to_string(), Values::of(param.value().dims(), &read(param.value())?))));
        // transformers refuses files that do not say which library their layout is of.
        let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
        safetensors::serialize(tensors.collect::<Result<Vec<_>>>()?, Some(metadata))
            .map_err(|error| Error::check(format!("internal: {error}")).caused_by(error))
    }
}
