//! A model folder's tokenizer → token ids and back: `tokenizer.json` by the tokenizers crate, where there is one, else
//! `spiece.model`.
//!
//! It must not know tasks or models: text goes in and ids come out, each text ended by one end-of-sequence token and never
//! cut or padded.

mod beside;
pub mod describe;
mod sentencepiece;
#[cfg(test)]
mod tests;
pub mod words;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::beside::Beside;
use self::sentencepiece::{Others, SentencePiece};
use crate::error::{Error, Result};
use crate::guard::guarded;
use crate::model_folder;

/// The end-of-sequence token of T5 and mT5.
const EOS: &str = "</s>";
const JSON: &str = "tokenizer.json";
const SPIECE: &str = "spiece.model";

/// A tokenizer, as its model's folder stores it.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: Inner,
    path: PathBuf,
    eos: u32,
}

#[derive(Debug, Clone)]
enum Inner {
    Json(Box<tokenizers::Tokenizer>),
    SentencePiece(Arc<SentencePiece>),
}

impl Tokenizer {
    /// Reads `tokenizer.json` in `model_dir` or, without one, `spiece.model`. Truncation and padding that the former asks for are
    /// turned off: inputs are never cut, and batches hold no padding.
    pub fn from_dir(model_dir: impl AsRef<Path>) -> Result<Self> {
        let dir = model_dir.as_ref();
        let path = dir.join(JSON);
        match model_folder::read(dir, JSON) {
            Ok(bytes) => return Self::of_json(&bytes, path),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::io("read", path, error)),
            Err(_) => {}
        }
        let path = dir.join(SPIECE);
        match model_folder::read(dir, SPIECE) {
            Ok(bytes) => {
                let Beside { sentinels, others } = Beside::read(dir)?;
                Self::of_spiece_with(&bytes, sentinels, others, path)
            }
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("read", path, error)),
            Err(_) => Err(missing(dir)),
        }
    }

    /// The tokenizer whose `tokenizer.json` is `bytes`; `path` is named in errors.
    ///
    /// # Errors
    /// If it is damaged, or lacks the end of sequence.
    pub fn of_json(bytes: &[u8], path: PathBuf) -> Result<Self> {
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
        Ok(Self { inner: Inner::Json(inner.into()), path, eos })
    }

    /// The tokenizer whose `spiece.model` is `bytes`, with that many sentinels added if it has none; `path` is named in errors.
    ///
    /// # Errors
    /// As [`Tokenizer::of_json`].
    pub fn of_spiece(bytes: &[u8], sentinels: usize, path: PathBuf) -> Result<Self> {
        Self::of_spiece_with(bytes, sentinels, Others::default(), path)
    }

    fn of_spiece_with(bytes: &[u8], sentinels: usize, others: Others, path: PathBuf) -> Result<Self> {
        let bad = |what: String| Error::input(what).at(&path).next("get the file again from where the model is from");
        let inner = SentencePiece::of(bytes, sentinels, others).map_err(bad)?;
        let eos = inner.control(EOS).ok_or_else(|| bad(format!("it has no end-of-sequence token `{EOS}`")))?;
        Ok(Self { inner: Inner::SentencePiece(inner.into()), path, eos })
    }

    /// The file that the tokenizer is read from in `model_dir`, if there is one.
    pub fn file(model_dir: &Path) -> Option<PathBuf> {
        let folder = model_folder::on_disk(model_dir);
        let has = |name: &&str| model_folder::embedded(model_dir, name).is_some() || folder.join(name).is_file();
        [JSON, SPIECE].iter().find(|name| has(name)).map(|name| model_dir.join(name))
    }

    /// The ids of `text`, ended by exactly one end-of-sequence token, whether or not the file's post-processor adds it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let bad = |what: &str| {
            Error::input(format!("cannot turn a text into tokens{what}"))
                .at(&self.path)
                .next("check that the tokenizer is the model's own")
        };
        let mut ids = match &self.inner {
            Inner::Json(inner) => {
                let encoding = guarded(|| inner.encode_fast(text, true))
                    .ok_or_else(|| bad(""))?
                    .map_err(|source| bad(&format!(": {source}")))?;
                encoding.get_ids().to_vec()
            }
            Inner::SentencePiece(inner) => inner.encode(text),
        };
        while ids.last() == Some(&self.eos) {
            ids.pop();
        }
        ids.push(self.eos);
        Ok(ids)
    }

    /// The text of `ids`, with special tokens (padding, end of sequence, sentinels) left out if `skip_special`.
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> Result<String> {
        match &self.inner {
            Inner::Json(inner) => inner
                .decode(ids, skip_special)
                .map_err(|source| Error::input(format!("cannot turn tokens into text: {source}")).at(&self.path)),
            Inner::SentencePiece(inner) => Ok(inner.decode(ids, skip_special)),
        }
    }

    /// The id of the end-of-sequence token, `</s>`.
    pub fn eos(&self) -> u32 {
        self.eos
    }

    /// Number of tokens, added ones included.
    pub fn vocab_size(&self) -> usize {
        match &self.inner {
            Inner::Json(inner) => inner.get_vocab_size(true),
            Inner::SentencePiece(inner) => inner.vocab_size(),
        }
    }

    /// The id of `token`, if it is one.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        match &self.inner {
            Inner::Json(inner) => inner.token_to_id(token),
            Inner::SentencePiece(inner) => inner.token_to_id(token),
        }
    }

    /// The token of the largest id.
    fn last(&self) -> Option<(String, u32)> {
        match &self.inner {
            Inner::Json(inner) => inner.get_vocab(true).into_iter().max_by_key(|(_, id)| *id),
            Inner::SentencePiece(inner) => inner.last().and_then(|id| inner.token(id).map(|token| (token, id))),
        }
    }

    /// Errors if some token's id has no row in an embedding of `embedding_rows` rows. More rows than tokens are usual: models
    /// pad their vocabulary.
    pub fn check_vocab(&self, embedding_rows: usize) -> Result<()> {
        match self.last() {
            Some((token, id)) if id as usize >= embedding_rows => Err(Error::input(format!(
                "token `{token}` has id {id}, and the model's embedding has only {embedding_rows} rows"
            ))
            .at(&self.path)
            .next("the tokenizer is another model's: put the model's own in its folder")),
            _ => Ok(()),
        }
    }
}

/// Why there is no tokenizer in `dir`, and how to get one.
fn missing(dir: &Path) -> Error {
    if !model_folder::on_disk(dir).is_dir() {
        return Error::input("there is no such folder")
            .at(dir)
            .next("give a model folder, or the name of a model on the hub: OWNER/NAME");
    }
    Error::input(format!("it has no {JSON} and no {SPIECE}"))
        .at(dir)
        .next("put the one that belongs to the model there")
}
