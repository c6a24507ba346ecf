//! Tensors on disk: `model.safetensors`, or shards with their index. Each tensor is read when it is asked for, so that a model
//! never lies in memory twice.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, SafeTensorError, View};
use serde::Deserialize;

use super::array::tensor;
use crate::error::{Error, Result};
use crate::model_folder;

/// Largest header that safetensors allows, in bytes.
const HEADER_LIMIT: u64 = 100_000_000;

/// One safetensors file, its header read and checked.
pub(crate) struct Shard {
    path: PathBuf,
    /// Its bytes, where they are part of the program.
    embedded: Option<&'static [u8]>,
    metadata: Metadata,
    data_start: u64,
}

/// All tensors of a model folder by name.
pub(crate) struct Weights {
    shards: Vec<Shard>,
    place: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The file of weights that are in one piece.
const SINGLE: &str = "model.safetensors";
const REMEDY: &str = "the file is damaged or incomplete: fetch or save it again";

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

/// What a shard's bytes are read from.
trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

fn reader(path: &Path, embedded: Option<&'static [u8]>) -> std::io::Result<Box<dyn ReadSeek>> {
    Ok(match embedded {
        Some(bytes) => Box::new(Cursor::new(bytes)),
        None => Box::new(File::open(path)?),
    })
}

impl Shard {
    fn open(path: PathBuf, embedded: Option<&'static [u8]>) -> Result<Self> {
        let read_error = |error| Error::io("read", &path, error);
        let mut file = reader(&path, embedded).map_err(read_error)?;
        let length = file.seek(SeekFrom::End(0)).and_then(|end| file.rewind().map(|()| end)).map_err(read_error)?;
        let broken = |what: String| Error::input(what).at(&path).next(REMEDY);
        let mut size = [0; 8];
        file.read_exact(&mut size)
            .map_err(|_| broken(format!("it has {length} bytes, too few for a safetensors file")))?;
        let size = u64::from_le_bytes(size);
        if size > HEADER_LIMIT || size + 8 > length {
            return Err(broken(format!("its header would have {size} bytes and the file has {length}")));
        }
        let mut header = vec![0; size as usize];
        file.read_exact(&mut header).map_err(read_error)?;
        let metadata: Metadata = serde_json::from_slice(&header)
            .map_err(|error| broken(format!("its header is not a safetensors header: {error}")).caused_by(error))?;
        let (promised, there) = (metadata.data_len() as u64, length - 8 - size);
        if promised != there {
            return Err(broken(format!("its header promises {promised} bytes of tensors and {there} are there")));
        }
        Ok(Self { path, embedded, metadata, data_start: 8 + size })
    }

    /// The tensor `name` as f32.
    fn read(&self, name: &str, start: u64, end: u64, dtype: Dtype, shape: &[usize]) -> Result<Tensor> {
        let read_error = |error| Error::io("read", &self.path, error).parameter(name);
        let mut file = reader(&self.path, self.embedded).map_err(read_error)?;
        file.seek(SeekFrom::Start(self.data_start + start)).map_err(read_error)?;
        let mut bytes = vec![0u8; (end - start) as usize];
        file.read_exact(&mut bytes).map_err(read_error)?;
        let values: Vec<f32> = match dtype {
            Dtype::F32 => bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
            Dtype::BF16 => {
                bytes.chunks_exact(2).map(|b| f32::from_bits((u16::from_le_bytes([b[0], b[1]]) as u32) << 16)).collect()
            }
            Dtype::F16 => bytes.chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            other => {
                return Err(Error::input(format!("its dtype {other:?} is not supported"))
                    .at(&self.path)
                    .parameter(name)
                    .next("save the model as float32, float16 or bfloat16"));
            }
        };
        tensor(values, shape)
    }
}

impl Weights {
    /// Opens the weights in `dir`.
    ///
    /// # Errors
    /// If there are none, a file is damaged, or the index names what is not there.
    pub fn open(dir: &Path) -> Result<Self> {
        let single = dir.join(SINGLE);
        if let Some(bytes) = model_folder::embedded(dir, SINGLE) {
            return Self::of_one(Shard::open(single, Some(bytes))?);
        }
        let index = dir.join("model.safetensors.index.json");
        let paths: Vec<PathBuf> = match (single.is_file(), index.is_file()) {
            (true, _) => vec![single],
            (false, true) => Self::shards_of(&index)?,
            (false, false) => {
                return Err(Error::input("it has neither model.safetensors nor model.safetensors.index.json")
                    .at(dir)
                    .flag("--model")
                    .next("save the model with save_pretrained(DIR, safe_serialization=True)"));
            }
        };
        let shards = paths.into_iter().map(|path| Shard::open(path, None)).collect::<Result<Vec<_>>>()?;
        let mut place = BTreeMap::new();
        for (number, shard) in shards.iter().enumerate() {
            for name in shard.metadata.offset_keys() {
                if let Some(other) = place.insert(name.clone(), number) {
                    let other: &Shard = &shards[other];
                    return Err(Error::input(format!("it is in {} too", other.path.display()))
                        .at(&shard.path)
                        .parameter(name)
                        .next("keep one of the two"));
                }
            }
        }
        Ok(Self { shards, place })
    }

    /// Opens one file.
    pub fn open_file(path: PathBuf) -> Result<Self> {
        Self::of_one(Shard::open(path, None)?)
    }

    fn of_one(shard: Shard) -> Result<Self> {
        let place = shard.metadata.offset_keys().into_iter().map(|name| (name, 0)).collect();
        Ok(Self { shards: vec![shard], place })
    }

    fn shards_of(index: &Path) -> Result<Vec<PathBuf>> {
        let text = std::fs::read_to_string(index).map_err(|error| Error::io("read", index, error))?;
        let parsed: Index = serde_json::from_str(&text).map_err(|error| {
            Error::input(format!("it is not an index of shards: {error}"))
                .at(index)
                .line(error.line())
                .next(REMEDY)
                .caused_by(error)
        })?;
        let mut files: Vec<&String> = parsed.weight_map.values().collect();
        files.sort();
        files.dedup();
        let dir = index.parent().unwrap_or(Path::new("."));
        files
            .into_iter()
            .map(|file| {
                let plain = Path::new(file).components().count() == 1 && !file.starts_with('.');
                let path = dir.join(file);
                match plain && path.is_file() {
                    true => Ok(path),
                    false => Err(Error::input(format!("the shard `{file}` that it names is not there"))
                        .at(index)
                        .next("fetch or save the model again")),
                }
            })
            .collect()
    }

    /// Files that the tensors are in.
    pub fn files(&self) -> Vec<PathBuf> {
        self.shards.iter().map(|shard| shard.path.clone()).collect()
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.place.keys().map(String::as_str)
    }

    /// Whether a tensor of that name is there.
    pub fn has(&self, name: &str) -> bool {
        self.place.contains_key(name)
    }

    /// The shape of the tensor `name`, if it is there.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        let shard = &self.shards[*self.place.get(name)?];
        shard.metadata.info(name).map(|info| info.shape.as_slice())
    }

    /// The vector `name` of whatever length.
    pub fn vector(&self, name: &str) -> Result<Tensor> {
        let length = self
            .place
            .get(name)
            .and_then(|&number| self.shards[number].metadata.info(name))
            .map(|info| info.shape.iter().product());
        self.tensor(name, &[length.unwrap_or(0)])
    }

    /// The tensor `name` as f32, which must have shape `shape`.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let (shard, info) = self.check(name, shape)?;
        let (start, end) = info.data_offsets;
        shard.read(name, start as u64, end as u64, info.dtype, shape)
    }

    /// Errors unless there is a tensor `name` of shape `shape`.
    pub fn check(&self, name: &str, shape: &[usize]) -> Result<(&Shard, &TensorInfo)> {
        let found = self.place.get(name).map(|&number| &self.shards[number]);
        let Some((shard, info)) = found.and_then(|shard| Some((shard, shard.metadata.info(name)?))) else {
            let dir = self.shards.first().map_or(Path::new("."), |shard| shard.path.as_path());
            return Err(Error::input("the checkpoint lacks this tensor").at(dir).parameter(name).next(REMEDY));
        };
        if info.shape != shape {
            return Err(Error::input(format!("its shape is {:?}; config.json makes it {shape:?}", info.shape))
                .at(&shard.path)
                .parameter(name)
                .next("use the config.json that belongs to the weights"));
        }
        Ok((shard, info))
    }
}
