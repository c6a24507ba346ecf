//! A model folder's `tokenizer.json` → token ids and back, by the tokenizers crate.
//!
//! It must not know tasks or models: text goes in and ids come out, each text ended by one end-of-sequence token and never
//! cut or padded.

#[cfg(test)]
mod tests;
pub mod words;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::guard::guarded;
use crate::model_folder;

/// The end-of-sequence token of T5 and mT5.
const EOS: &str = "</s>";

/// A tokenizer, as its model's folder stores it.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    path: PathBuf,
    eos: u32,
}

impl Tokenizer {
    /// Reads `tokenizer.json` in `model_dir`. Truncation and padding that the file asks for are turned off: inputs are never
    /// cut, and batches hold no padding.
    pub fn from_dir(model_dir: impl AsRef<Path>) -> Result<Self> {
        let dir = model_dir.as_ref();
        let path = dir.join("tokenizer.json");
        let bytes = model_folder::read(dir, "tokenizer.json").map_err(|source| missing(dir, &path, source))?;
        let bad = |what: String| {
            Error::input(what).at(&path).next("get the file again, or make it anew from the model's tokenizer")
        };
        // The crate panics on some files that are JSON and no tokenizer.
        let mut inner = guarded(|| tokenizers::Tokenizer::from_bytes(bytes))
            .ok_or_else(|| bad("not a tokenizer that can be read".into()))?
            .map_err(|source| bad(format!("not a tokenizer that can be read: {source}")))?;
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|source| bad(format!("its truncation cannot be turned off: {source}")))?;
        let eos = inner.token_to_id(EOS).ok_or_else(|| bad(format!("it has no end-of-sequence token `{EOS}`")))?;
        Ok(Self { inner, path, eos })
    }

    /// The ids of `text`, ended by exactly one end-of-sequence token, whether or not the file's post-processor adds it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let bad = |what: &str| {
            Error::input(format!("cannot turn a text into tokens{what}"))
                .at(&self.path)
                .next("check that the tokenizer is the model's own")
        };
        let encoding = guarded(|| self.inner.encode_fast(text, true))
            .ok_or_else(|| bad(""))?
            .map_err(|source| bad(&format!(": {source}")))?;
        let mut ids = encoding.get_ids().to_vec();
        while ids.last() == Some(&self.eos) {
            ids.pop();
        }
        ids.push(self.eos);
        Ok(ids)
    }

    /// The text of `ids`, with special tokens (padding, end of sequence, sentinels) left out if `skip_special`.
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> Result<String> {
        self.inner
            .decode(ids, skip_special)
            .map_err(|source| Error::input(format!("cannot turn tokens into text: {source}")).at(&self.path))
    }

    /// The id of the end-of-sequence token, `</s>`.
    pub fn eos(&self) -> u32 {
        self.eos
    }

    /// Number of tokens, added ones included.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The id of `token`, if it is one.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Errors if some token's id has no row in an embedding of `embedding_rows` rows. More rows than tokens are usual: models
    /// pad their vocabulary.
    pub fn check_vocab(&self, embedding_rows: usize) -> Result<()> {
        let largest = self.inner.get_vocab(true).into_iter().max_by_key(|(_, id)| *id);
        match largest {
            Some((token, id)) if id as usize >= embedding_rows => Err(Error::input(format!(
                "token `{token}` has id {id}, and the model's embedding has only {embedding_rows} rows"
            ))
            .at(&self.path)
            .next("the tokenizer is another model's: put the model's own in its folder")),
            _ => Ok(()),
        }
    }
}

/// Why there is no tokenizer.json in `dir`, and how to get one.
fn missing(dir: &Path, path: &Path, source: std::io::Error) -> Error {
    if source.kind() != std::io::ErrorKind::NotFound {
        return Error::io("read", path, source);
    }
    if !dir.is_dir() {
        return Error::input("there is no such folder").at(dir).next("give the folder of a model");
    }
    let what = match dir.join("spiece.model").exists() {
        true => "the file is missing, and `spiece.model` alone is not read yet",
        false => "the file is missing",
    };
    Error::input(what).at(path).next(
        "make it in Python by `AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)` of the transformers package",
    )
}
