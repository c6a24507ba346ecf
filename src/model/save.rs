//! A model → the bytes of its files in Hugging Face layout, as `save_pretrained` of transformers writes them. Where they go is
//! the caller's business.

use std::collections::HashMap;
use std::path::Path;

use super::array::{Slice, read};
use super::params::Param;
use super::prompt::is_attached;
use super::t5::T5;
use super::weights::{Values, write};
use crate::error::{Error, Result};

/// What transformers and PEFT want to read in a header: which library the layout is of.
pub(super) fn metadata() -> Option<HashMap<String, String>> {
    Some(HashMap::from([("format".to_string(), "pt".to_string())]))
}

impl T5 {
    /// `model.safetensors`, in f32: every parameter of its own once, under its Hugging Face name. What is
    /// [attached](T5::adapter_files) has files of its own.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        safetensors::serialize(self.own_values()?, metadata())
            .map_err(|error| Error::check(format!("internal: {error}")).caused_by(error))
    }

    /// [`to_safetensors`](Self::to_safetensors) in the file at `path`, without all of it in memory beside the model.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn write_safetensors(&self, path: &Path) -> Result<()> {
        write(path, self.own_values()?, metadata())
    }

    fn own_values(&self) -> Result<Vec<(String, Values<Slice<'_>>)>> {
        let own = self.params().iter().filter(|param| !is_attached(param.name()));
        values(own.map(|param| (param.name().to_string(), param)))
    }
}

/// The values of parameters, by the names that they are to be written under.
pub(crate) fn values<'m>(
    params: impl IntoIterator<Item = (String, &'m Param)>,
) -> Result<Vec<(String, Values<Slice<'m>>)>> {
    let values =
        |(name, param): (String, &'m Param)| Ok((name, Values::of(param.value().dims(), read(param.value())?)));
    params.into_iter().map(values).collect()
}
