//! safetensors: which tensors a file's header says are where. It must not know their names' meaning.

use std::collections::BTreeMap;

use safetensors::tensor::Metadata;

use super::REMEDY;
use super::bytes::Place;
use crate::error::{Error, Result};

/// Largest header that safetensors allows, in bytes.
const LIMIT: u64 = 100_000_000;

/// The tensors of the file that is `bytes`.
///
/// # Errors
/// If its header is damaged, or promises other bytes than are there.
pub(super) fn places(bytes: &[u8]) -> Result<BTreeMap<String, Place>> {
    let broken = |what: String| Error::input(what).next(REMEDY);
    let length = bytes.len();
    let (size, rest) = bytes
        .split_first_chunk()
        .ok_or_else(|| broken(format!("it has {length} bytes, too few for a safetensors file")))?;
    let size = u64::from_le_bytes(*size);
    let (header, data) = usize::try_from(size)
        .ok()
        .filter(|_| size <= LIMIT)
        .and_then(|size| rest.split_at_checked(size))
        .ok_or_else(|| broken(format!("its header would have {size} bytes and the file has {length}")))?;
    let metadata: Metadata = serde_json::from_slice(header)
        .map_err(|error| broken(format!("its header is not a safetensors header: {error}")).caused_by(error))?;
    let (promised, there) = (metadata.data_len(), data.len());
    if promised != there {
        return Err(broken(format!("its header promises {promised} bytes of tensors and {there} are there")));
    }
    let start = length - there;
    let place = |name: String| {
        let info = metadata.info(&name)?;
        let (shape, start) = (info.shape.clone(), start + info.data_offsets.0);
        Some((name, Place { dtype: info.dtype, shape, strides: None, start }))
    };
    Ok(metadata.offset_keys().into_iter().filter_map(place).collect())
}
