//! Tensors → a safetensors file. It must not know whose they are.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::ops::Deref;
use std::path::Path;

use safetensors::{Dtype, SafeTensorError, View};

use crate::error::{Error, Result};

/// f32 values with a shape, as safetensors wants them: looked at when it is their turn to be written, and not copied, so that
/// saving a model takes no second one's room.
pub(crate) struct Values<V> {
    shape: Vec<usize>,
    values: V,
}

impl<V: Deref<Target = [f32]>> Values<V> {
    /// Of shape `shape`.
    pub fn of(shape: &[usize], values: V) -> Self {
        Self { shape: shape.to_vec(), values }
    }
}

impl<V: Deref<Target = [f32]>> View for Values<V> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match cfg!(target_endian = "little") {
            true => Cow::Borrowed(bytemuck::cast_slice(&self.values)),
            false => self.values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    }

    fn data_len(&self) -> usize {
        size_of_val(&*self.values)
    }
}

/// Writes `tensors` to the file at `path`, with the permissions that any new file gets: the safetensors crate writes under a
/// temporary name that only its owner may read, and moves that. `metadata` is what the header says beside the tensors.
pub(crate) fn write<V: View>(
    path: &Path,
    tensors: impl IntoIterator<Item = (String, V)>,
    metadata: Option<HashMap<String, String>>,
) -> Result<()> {
    let failed = |error| Error::io("write", path, error);
    let permissions = File::create(path).and_then(|file| file.metadata()).map_err(failed)?.permissions();
    safetensors::serialize_to_file(tensors, metadata, path).map_err(|error| match error {
        SafeTensorError::IoError(error) => failed(error),
        other => Error::check(format!("internal: {other}")).at(path).caused_by(other),
    })?;
    std::fs::set_permissions(path, permissions).map_err(failed)
}
