//! The files of a model's folder: on disk, or built into the program where the folder is called [`MINI`](crate::spec::MINI). The one
//! place that knows the difference. What is in the files is the business of whoever reads them.

use std::borrow::Cow;
use std::path::Path;

use crate::error::{Error, Result};
use crate::spec::{MINI_NOTE, is_mini};

macro_rules! embedded {
    ($($name:literal)*) => {
        [$(($name, include_bytes!(concat!("../notebooks-data/mini-t5/", $name)).as_slice())),*]
    };
}

/// Every file of the embedded model, the weights last: its name and its bytes.
pub static EMBEDDED: [(&str, &[u8]); 6] = embedded! {
    "config.json" "generation_config.json" "tokenizer.json" "tokenizer_config.json" "README.md" "model.safetensors"
};

/// The bytes of the file `name` in `dir`, if `dir` stands for the embedded model and it has such a file.
pub(crate) fn embedded(dir: &Path, name: &str) -> Option<&'static [u8]> {
    let found = || EMBEDDED.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes);
    is_mini(dir).then(found).flatten()
}

/// The bytes of the file `name` in `dir`.
pub(crate) fn read(dir: &Path, name: &str) -> std::io::Result<Cow<'static, [u8]>> {
    match embedded(dir, name) {
        Some(bytes) => Ok(bytes.into()),
        None => std::fs::read(dir.join(name)).map(Cow::from),
    }
}

/// The text of the file `name` in `dir`.
pub(crate) fn read_text(dir: &Path, name: &str) -> std::io::Result<String> {
    match embedded(dir, name) {
        Some(bytes) => String::from_utf8(bytes.to_vec()).map_err(std::io::Error::other),
        None => std::fs::read_to_string(dir.join(name)),
    }
}

/// Errors if there is no such folder.
pub(crate) fn refuse_missing(dir: &Path) -> Result<()> {
    match is_mini(dir) || dir.is_dir() {
        true => Ok(()),
        false => Err(Error::input("there is no such folder").at(dir).flag("--model").next("give a model folder")),
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
