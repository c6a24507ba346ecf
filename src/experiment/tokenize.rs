//! `fsa tokenize`: what a model's tokenizer makes of texts, and of ids.

use std::path::PathBuf;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::model::given;
use crate::tokenizer::Tokenizer;
use crate::tokenizer::describe::Kind;

/// What to tokenize with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokenize {
    /// Folder of the model, or of an adapter of it.
    pub model: PathBuf,
}

/// A text and its tokens.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Tokenized {
    /// The text.
    pub text: String,
    /// Its ids, with the end of sequence.
    pub ids: Vec<u32>,
    /// Its tokens.
    pub tokens: Vec<Token>,
    /// What the ids without the end of sequence come to as a text.
    pub decoded: String,
    /// Whether that is the text again.
    pub same: bool,
}

/// A token of a text.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Its id.
    pub id: u32,
    /// Its text; none if the id is no token's.
    pub token: Option<String>,
    /// What it is.
    pub kind: Kind,
}

/// A model's tokenizer, read.
pub struct Reader {
    tokenizer: Tokenizer,
}

impl Reader {
    /// That of `tokenize`.
    ///
    /// # Errors
    /// If there is none.
    pub fn new(tokenize: &Tokenize) -> Result<Self> {
        let model = given::resolve(tokenize.model.clone(), None)?.existing().map_err(|error| error.flag("MODEL"))?;
        Ok(Self { tokenizer: Tokenizer::from_dir(model)? })
    }

    /// The tokens of `text`.
    ///
    /// # Errors
    /// If the tokenizer cannot take it.
    pub fn text(&self, text: &str) -> Result<Tokenized> {
        let ids = self.tokenizer.encode(text)?;
        let without_end = ids.strip_suffix(&[self.tokenizer.eos()]).unwrap_or(&ids);
        let decoded = self.tokenizer.decode(without_end, false)?;
        let same = decoded == text;
        Ok(Tokenized { text: text.to_string(), tokens: self.tokens(&ids), ids, decoded, same })
    }

    /// The text of `ids`, special tokens and all, and its tokens.
    ///
    /// # Errors
    /// If an id is no token's.
    pub fn ids(&self, ids: &[u32]) -> Result<(String, Vec<Token>)> {
        if let Some(id) = ids.iter().find(|id| self.tokenizer.token(**id).is_none()) {
            let last = self.tokenizer.describe().largest_id.unwrap_or(0);
            return Err(Error::input(format!("no token has the id {id}"))
                .flag("--decode")
                .next(format!("ids go from 0 to {last}")));
        }
        Ok((self.tokenizer.decode(ids, false)?, self.tokens(ids)))
    }

    fn tokens(&self, ids: &[u32]) -> Vec<Token> {
        let token = |&id: &u32| Token { id, token: self.tokenizer.token(id), kind: self.tokenizer.kind(id) };
        ids.iter().map(token).collect()
    }
}
