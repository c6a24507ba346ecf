//! Tensors → a safetensors file. It must not know whose they are.

use std::borrow::Cow;
use std::fs::File;
use std::path::Path;

use safetensors::{Dtype, SafeTensorError, View};

use crate::error::{Error, Result};

/// f32 values with a shape, as safetensors wants them.
pub(crate) struct Values {
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Values {
    /// Of shape `shape`.
    pub fn of(shape: &[usize], values: &[f32]) -> Self {
        Self { shape: shape.to_vec(), bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect() }
    }
}

impl View for Values {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// Writes `tensors` to the file at `path`, with the permissions that any new file gets: the safetensors crate writes under a
/// temporary name that only its owner may read, and moves that.
pub(crate) fn write<V: View>(path: &Path, tensors: impl IntoIterator<Item = (String, V)>) -> Result<()> {
    let failed = |error| Error::io("write", path, error);
    let permissions = File::create(path).and_then(|file| file.metadata()).map_err(failed)?.permissions();
    safetensors::serialize_to_file(tensors, None, path).map_err(|error| match error {
        SafeTensorError::IoError(error) => failed(error),
        other => Error::check(format!("internal: {other}")).at(path).caused_by(other),
    })?;
    std::fs::set_permissions(path, permissions).map_err(failed)
}
