//! What there is to say of files of weights without reading a value.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Layout, Place, Shard, Weights};

/// A file with weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredFile {
    /// Its name in the folder.
    pub name: String,
    /// Bytes of all of it.
    pub bytes: u64,
    /// Tensors in it.
    pub tensors: usize,
}

/// Tensors of one dtype.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stored {
    /// Its name, such as `float32`.
    pub dtype: String,
    /// How many there are.
    pub tensors: usize,
    /// Numbers in them.
    pub numbers: u64,
    /// Whether fsa reads it.
    pub is_read: bool,
}

impl Weights {
    /// What holds the tensors: `safetensors` or `pytorch`.
    pub fn layout(&self) -> &'static str {
        match self.layout {
            Layout::Safetensors => "safetensors",
            Layout::Torch => "pytorch",
        }
    }

    /// The files, in their order.
    pub fn stored_files(&self) -> Vec<StoredFile> {
        let file = |shard: &Shard| StoredFile {
            name: shard.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            bytes: shard.bytes.len() as u64,
            tensors: shard.places.len(),
        };
        self.shards.iter().map(file).collect()
    }

    /// The dtypes, most numbers first.
    pub fn dtypes(&self) -> Vec<Stored> {
        let mut found: BTreeMap<String, Stored> = BTreeMap::new();
        for place in self.shards.iter().flat_map(|shard| shard.places.values()) {
            let dtype = self::name(place.dtype);
            let is_read = place.is_read();
            let entry = found.entry(dtype.clone()).or_insert(Stored { dtype, tensors: 0, numbers: 0, is_read });
            entry.tensors += 1;
            entry.numbers += place.count() as u64;
        }
        let mut all: Vec<Stored> = found.into_values().collect();
        all.sort_by_key(|stored| std::cmp::Reverse(stored.numbers));
        all
    }

    /// Whether the tensors `a` and `b` hold the same bytes; none if one is not there, or they are stored in different ways. Stops at
    /// the first difference.
    pub fn same(&self, a: &str, b: &str) -> Option<bool> {
        let (one, other) = (self.find(a)?, self.find(b)?);
        let alike = one.1.dtype == other.1.dtype && one.1.shape == other.1.shape;
        let plain = one.1.strides.is_none() && other.1.strides.is_none();
        if !alike || !plain {
            return None;
        }
        Some(bytes(one)? == bytes(other)?)
    }
}

/// The bytes of a tensor that lies in one piece.
fn bytes<'a>((shard, place): (&'a Shard, &Place)) -> Option<&'a [u8]> {
    let size = place.count().checked_mul(place.dtype.bitsize() / 8)?;
    shard.bytes.get(place.start..place.start.checked_add(size)?)
}

/// What people call a dtype.
fn name(dtype: safetensors::Dtype) -> String {
    use safetensors::Dtype;
    match dtype {
        Dtype::F32 => "float32".into(),
        Dtype::F16 => "float16".into(),
        Dtype::BF16 => "bfloat16".into(),
        Dtype::F64 => "float64".into(),
        other => format!("{other:?}").to_lowercase(),
    }
}
