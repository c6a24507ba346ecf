//! What there is to say of a tokenizer: its kind, its special tokens, where its sentinels are, and what each token is.

use serde::Serialize;
use tokenizers::ModelWrapper;

use super::sentencepiece::number;
use super::{EOS, Inner, Tokenizer};

/// Tokens that most models have, looked for by name.
const SPECIAL: [&str; 3] = ["<pad>", EOS, "<unk>"];

/// A tokenizer in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Description {
    /// `Unigram`, `BPE`, `WordLevel`, `WordPiece`.
    pub kind: &'static str,
    /// Whether characters that no piece covers become bytes.
    pub byte_fallback: bool,
    /// All tokens.
    pub tokens: usize,
    /// Those of the model itself, before any are added.
    pub pieces: usize,
    /// The largest id; none of an empty tokenizer.
    pub largest_id: Option<u32>,
    /// `<pad>`, `</s>` and `<unk>`, as far as they are there.
    pub special: Vec<Named>,
    /// `<extra_id_0>` and so on; none where there are none.
    pub sentinels: Option<Sentinels>,
    /// Added tokens that are neither.
    pub others: Vec<Named>,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its text.
    pub token: String,
    /// Its id.
    pub id: u32,
}

/// Where the sentinels are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sentinels {
    /// How many there are.
    pub count: usize,
    /// The id of `<extra_id_0>`.
    pub first_id: u32,
    /// The id of the last one.
    pub last_id: u32,
    /// Whether they follow the pieces (T5) or are among them (mT5).
    pub place: Place,
}

/// Where they can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Added at the end.
    BehindPieces,
    /// Pieces themselves.
    AmongPieces,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Part of a text.
    Piece,
    /// A byte of a character that no piece covers.
    Byte,
    /// `</s>` and the like.
    Special,
    /// `<extra_id_0>` and so on.
    Sentinel,
    /// What no piece covers.
    Unknown,
    /// The id is no token's.
    None,
}

impl Kind {
    /// Its name; none of an ordinary piece.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Piece => None,
            Self::Byte => Some("byte"),
            Self::Special => Some("special"),
            Self::Sentinel => Some("sentinel"),
            Self::Unknown => Some("unknown"),
            Self::None => Some("no token"),
        }
    }
}

impl Tokenizer {
    /// What there is to say of it.
    pub fn describe(&self) -> Description {
        let named = |token: &str| self.token_to_id(token).map(|id| Named { token: token.into(), id });
        let (kind, byte_fallback, pieces) = match &self.inner {
            Inner::SentencePiece(inner) => (inner.kind(), inner.falls_back_to_bytes(), inner.pieces()),
            Inner::Json(inner) => {
                let pieces = inner.get_vocab_size(false);
                match inner.get_model() {
                    ModelWrapper::BPE(bpe) => ("BPE", bpe.byte_fallback, pieces),
                    ModelWrapper::Unigram(unigram) => ("Unigram", unigram.byte_fallback(), pieces),
                    ModelWrapper::WordLevel(_) => ("WordLevel", false, pieces),
                    ModelWrapper::WordPiece(_) => ("WordPiece", false, pieces),
                }
            }
        };
        let others = self
            .added()
            .into_iter()
            .filter(|Named { token, .. }| number(token).is_none() && !SPECIAL.contains(&token.as_str()));
        Description {
            kind,
            byte_fallback,
            tokens: self.vocab_size(),
            pieces,
            largest_id: self.last().map(|(_, id)| id),
            special: SPECIAL.iter().filter_map(|token| named(token)).collect(),
            sentinels: self.sentinels(pieces),
            others: others.collect(),
        }
    }

    fn sentinels(&self, pieces: usize) -> Option<Sentinels> {
        let id = |number: usize| self.token_to_id(&format!("<extra_id_{number}>"));
        let (first_id, mut last_id, mut count) = (id(0)?, id(0)?, 1);
        while let Some(next) = id(count) {
            (last_id, count) = (next, count + 1);
        }
        let inside = (first_id as usize) < pieces;
        let place = if inside { Place::AmongPieces } else { Place::BehindPieces };
        Some(Sentinels { count, first_id, last_id, place })
    }

    /// Tokens that are added to the model's pieces, by id.
    fn added(&self) -> Vec<Named> {
        let mut added: Vec<Named> = match &self.inner {
            Inner::SentencePiece(inner) => inner.added().map(|(token, id)| Named { token, id }).collect(),
            Inner::Json(inner) => {
                let added = inner.get_added_tokens_decoder().into_iter();
                added.map(|(id, token)| Named { token: token.content, id }).collect()
            }
        };
        added.sort_by_key(|named| named.id);
        added
    }

    /// The token of `id`.
    pub fn token(&self, id: u32) -> Option<String> {
        match &self.inner {
            Inner::Json(inner) => inner.id_to_token(id),
            Inner::SentencePiece(inner) => inner.token(id),
        }
    }

    /// What the token of `id` is.
    pub fn kind(&self, id: u32) -> Kind {
        let Some(token) = self.token(id) else { return Kind::None };
        if number(token.trim_start_matches('▁')).is_some() {
            return Kind::Sentinel;
        }
        let is_byte = token.len() == 6 && token.starts_with("<0x") && token.ends_with('>');
        let (special, unknown) = match &self.inner {
            Inner::SentencePiece(inner) => (inner.is_special(id), inner.is_unknown(id)),
            Inner::Json(inner) => {
                let unknown = match inner.get_model() {
                    ModelWrapper::BPE(bpe) => bpe.unk_token.as_deref() == Some(&token),
                    ModelWrapper::WordLevel(words) => words.unk_token == token,
                    ModelWrapper::WordPiece(pieces) => pieces.unk_token == token,
                    // Its place is nobody's business; its name is T5's.
                    ModelWrapper::Unigram(_) => token == "<unk>",
                };
                (inner.get_added_vocabulary().is_special_token(&token), unknown)
            }
        };
        match (unknown, special, is_byte) {
            (true, ..) => Kind::Unknown,
            (_, true, _) => Kind::Special,
            (_, _, true) => Kind::Byte,
            _ => Kind::Piece,
        }
    }
}
