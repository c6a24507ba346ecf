//! Tensors on disk, in the layouts that Hugging Face folders have: one file or shards with their index, of safetensors or of
//! PyTorch. Files are mapped and each tensor is read when it is asked for, so that a model never lies in memory twice.

mod bytes;
pub mod describe;
mod header;
mod pickle;
mod torch;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use serde::Deserialize;

use self::bytes::{Bytes, Place};
pub(crate) use self::write::{Values, write};
use super::array::tensor;
use crate::error::{Error, Result};
use crate::model_folder::{self, WEIGHTS};

/// The file of weights that are in one piece.
const SINGLE: &str = WEIGHTS[0].0;
/// What holds weights, the first that there is: the file of weights in one piece, the index of their shards, and how these are
/// read.
const LAYOUTS: [(&str, &str, Layout); 2] =
    [(SINGLE, WEIGHTS[0].1, Layout::Safetensors), (WEIGHTS[1].0, WEIGHTS[1].1, Layout::Torch)];
const REMEDY: &str = "the file is damaged or incomplete: fetch or save it again";

/// How a file says where its tensors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Safetensors,
    Torch,
}

/// One file, with the places of its tensors.
struct Shard {
    path: PathBuf,
    bytes: Bytes,
    places: BTreeMap<String, Place>,
}

/// What files from anywhere are tried on ([`crate::fuzz`]): the reader of each layout, and of a pickle without its archive. Values
/// are read too, since no place may lead out of its file.
pub(crate) mod tried {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::{Place, Result, header, pickle, torch};

    pub fn safetensors(bytes: &[u8]) -> Result<()> {
        values(bytes, header::places(bytes)?)
    }

    pub fn torch(bytes: &[u8]) -> Result<()> {
        values(bytes, torch::places(bytes, Path::new("pytorch_model.bin"))?)
    }

    pub fn pickle(bytes: &[u8]) -> Result<()> {
        pickle::state_dict(bytes).map(drop)
    }

    fn values(bytes: &[u8], places: BTreeMap<String, Place>) -> Result<()> {
        places.values().for_each(|place| drop(place.values(bytes, |_| ())));
        Ok(())
    }
}

/// All tensors of a model folder by name.
pub(crate) struct Weights {
    layout: Layout,
    shards: Vec<Shard>,
    /// The shard that a tensor is in.
    shard_of: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// A shape from a file as an error shows it.
fn shown(shape: &[usize]) -> String {
    /// Sizes that are enough to know it by.
    const ENOUGH: usize = 8;
    match shape.get(..ENOUGH) {
        Some(first) if shape.len() > ENOUGH => format!("{first:?}").replace(']', ", …]"),
        _ => format!("{shape:?}"),
    }
}

impl Shard {
    fn open(path: PathBuf, layout: Layout) -> Result<Self> {
        let bytes = Bytes::of(&path).map_err(|error| Error::io("read", &path, error))?;
        Self::of(path, bytes, layout)
    }

    fn of(path: PathBuf, bytes: Bytes, layout: Layout) -> Result<Self> {
        let places = match layout {
            Layout::Safetensors => header::places(&bytes),
            Layout::Torch => torch::places(&bytes, &path),
        };
        let places = places.map_err(|error| error.at(&path))?;
        Ok(Self { path, bytes, places })
    }
}

impl Weights {
    /// Opens the weights in `dir`.
    ///
    /// # Errors
    /// If there are none, a file is damaged, or the index names what is not there.
    pub fn open(dir: &Path) -> Result<Self> {
        if let Some(bytes) = model_folder::embedded(dir, SINGLE) {
            let layout = Layout::Safetensors;
            return Self::of(layout, vec![Shard::of(dir.join(SINGLE), Bytes::Embedded(bytes), layout)?]);
        }
        let folder = model_folder::on_disk(dir);
        for (single, index, layout) in LAYOUTS {
            let (single, index) = (folder.join(single), folder.join(index));
            let paths = match (single.is_file(), index.is_file()) {
                (true, _) => vec![single],
                (false, true) => Self::shards_of(&index)?,
                (false, false) => continue,
            };
            return Self::of(layout, paths.into_iter().map(|path| Shard::open(path, layout)).collect::<Result<_>>()?);
        }
        let files: Vec<&str> = LAYOUTS.iter().flat_map(|(single, index, _)| [*single, *index]).collect();
        Err(Error::input(format!("it has no weights, none of {}", files.join(", ")))
            .at(dir)
            .flag("--model")
            .next("save the model with save_pretrained(DIR)"))
    }

    /// Opens one file: of PyTorch if its name ends in `.bin`, else of safetensors.
    pub fn open_file(path: PathBuf) -> Result<Self> {
        let is_torch = path.extension().is_some_and(|extension| extension == "bin");
        let layout = if is_torch { Layout::Torch } else { Layout::Safetensors };
        Self::of(layout, vec![Shard::open(path, layout)?])
    }

    fn of(layout: Layout, shards: Vec<Shard>) -> Result<Self> {
        let mut shard_of = BTreeMap::new();
        for (number, shard) in shards.iter().enumerate() {
            for name in shard.places.keys() {
                if let Some(other) = shard_of.insert(name.clone(), number) {
                    let other: &Shard = &shards[other];
                    return Err(Error::input(format!("it is in {} too", other.path.display()))
                        .at(&shard.path)
                        .parameter(name)
                        .next("keep one of the two"));
                }
            }
        }
        Ok(Self { layout, shards, shard_of })
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
        self.shard_of.keys().map(String::as_str)
    }

    /// Whether a tensor of that name is there.
    pub fn has(&self, name: &str) -> bool {
        self.shard_of.contains_key(name)
    }

    /// The shape of the tensor `name`, if it is there.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.find(name).map(|(_, place)| place.shape.as_slice())
    }

    /// The vector `name` of whatever length.
    pub fn vector(&self, name: &str) -> Result<Tensor> {
        self.tensor(name, &[self.find(name).map_or(0, |(_, place)| place.count())])
    }

    /// The tensor `name` as f32, which must have shape `shape`.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let (shard, place) = self.checked(name, shape)?;
        let values = place.values(&shard.bytes, |range| shard.bytes.let_go(range)).ok_or_else(|| {
            Error::input(format!("its dtype {:?} is not supported", place.dtype))
                .at(&shard.path)
                .parameter(name)
                .next("save the model as float32, float16 or bfloat16")
        })?;
        tensor(values, shape)
    }

    /// Errors unless there is a tensor `name` of shape `shape`.
    pub fn check(&self, name: &str, shape: &[usize]) -> Result<()> {
        self.checked(name, shape).map(drop)
    }

    fn find(&self, name: &str) -> Option<(&Shard, &Place)> {
        let shard = &self.shards[*self.shard_of.get(name)?];
        shard.places.get(name).map(|place| (shard, place))
    }

    fn checked(&self, name: &str, shape: &[usize]) -> Result<(&Shard, &Place)> {
        let Some((shard, place)) = self.find(name) else {
            let dir = self.shards.first().map_or(Path::new("."), |shard| shard.path.as_path());
            return Err(Error::input("the checkpoint lacks this tensor").at(dir).parameter(name).next(REMEDY));
        };
        if place.shape != shape {
            return Err(Error::input(format!("its shape is {}; config.json makes it {shape:?}", shown(&place.shape)))
                .at(&shard.path)
                .parameter(name)
                .next("use the config.json that belongs to the weights"));
        }
        Ok((shard, place))
    }
}
