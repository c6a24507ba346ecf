//! The files of a model's folder: on disk, built into the program where the folder is called [`MINI`](crate::spec::MINI), or in the
//! hub's cache where it is a name on a hub. The one place that knows the difference. What is in the files is the business of whoever
//! reads them.

mod named;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

pub use self::named::{Named, fetch, fetch_adapter, name};
use crate::error::{Error, Result};
use crate::spec::{MINI_NOTE, is_mini};

macro_rules! embedded {
    ($($name:literal)*) => {
        [$(($name, include_bytes!(concat!("../notebooks-data/mini-t5/", $name)).as_slice())),*]
    };
}

/// Names of what holds a model's weights, the first that there is: the file of weights in one piece, the index of their shards.
pub(crate) const WEIGHTS: [(&str, &str); 2] =
    [("model.safetensors", "model.safetensors.index.json"), ("pytorch_model.bin", "pytorch_model.bin.index.json")];

/// Every file of the embedded model, the weights last: its name and its bytes.
pub static EMBEDDED: [(&str, &[u8]); 6] = embedded! {
    "config.json" "generation_config.json" "tokenizer.json" "tokenizer_config.json" "README.md" "model.safetensors"
};

/// The bytes of the file `name` in `dir`, if `dir` stands for the embedded model and it has such a file.
pub(crate) fn embedded(dir: &Path, name: &str) -> Option<&'static [u8]> {
    let found = || EMBEDDED.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes);
    is_mini(dir).then(found).flatten()
}

/// The folder on disk that `dir` stands for: itself, unless it is a name that has been fetched ([`fetch`]).
pub(crate) fn on_disk(dir: &Path) -> Cow<'_, Path> {
    named::known(dir).map_or(Cow::Borrowed(dir), |named| Cow::Owned(named.folder))
}

/// The commit of the model that `dir` is the name of.
pub(crate) fn commit(dir: &Path) -> Option<String> {
    named::known(dir).map(|named| named.commit)
}

/// What another process has to be told, so that it reads the same model: a name with its commit.
pub fn pinned(dir: &Path) -> PathBuf {
    named::known(dir).map_or(dir.to_path_buf(), |named| named.id.at(&named.commit).to_string().into())
}

/// The bytes of the file `name` in `dir`.
pub(crate) fn read(dir: &Path, name: &str) -> std::io::Result<Cow<'static, [u8]>> {
    match embedded(dir, name) {
        Some(bytes) => Ok(bytes.into()),
        None => std::fs::read(on_disk(dir).join(name)).map(Cow::from),
    }
}

/// The text of the file `name` in `dir`.
pub(crate) fn read_text(dir: &Path, name: &str) -> std::io::Result<String> {
    match embedded(dir, name) {
        Some(bytes) => String::from_utf8(bytes.to_vec()).map_err(std::io::Error::other),
        None => std::fs::read_to_string(on_disk(dir).join(name)),
    }
}

/// Errors if there is no such folder.
pub(crate) fn refuse_missing(dir: &Path) -> Result<()> {
    match is_mini(dir) || on_disk(dir).is_dir() {
        true => Ok(()),
        false => Err(Error::input("there is no such folder")
            .at(dir)
            .flag("--model")
            .next("give a model folder, or the name of a model on the hub: OWNER/NAME")),
    }
}

/// What has to be said beside every number of the model in `dir`.
pub fn note(dir: &Path) -> Option<&'static str> {
    is_mini(dir).then_some(MINI_NOTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bare_name_is_the_embedded_model() {
        let mini = Path::new("mini");
        assert_eq!(read(mini, "config.json").unwrap(), EMBEDDED[0].1);
        assert!(read_text(mini, "config.json").unwrap().contains("vocab_size"));
        assert!(refuse_missing(mini).is_ok() && note(mini).is_some());
        for path in ["./mini", "mini/", "other/mini", "Mini"] {
            assert!(embedded(Path::new(path), "config.json").is_none() && note(Path::new(path)).is_none(), "{path}");
        }
        assert!(embedded(mini, "spiece.model").is_none());
    }
}
