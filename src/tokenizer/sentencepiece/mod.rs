//! SentencePiece models, `spiece.model`: the ids and the texts that Google's library gives. The tokenizers crate's models come close:
//! their sums are float64, their normalizer works by grapheme where Google's takes the longest match, their merges have other
//! ties. On plain text that hardly ever shows; `tests/fixtures/README.md` says on how many awkward lines it does.
//!
//! It must not know files or whole tokenizers: bytes go in, and ids, without an end of sequence.

mod added;
mod bpe;
mod normalizer;
mod proto;
mod trie;
mod unigram;
mod vocabulary;

use prost::Message;

use self::added::Added;
pub(super) use self::added::{Named, Token, number};
use self::normalizer::Normalizer;
use self::unigram::Unigram;
use self::vocabulary::{Kind, SPACE, Vocabulary};

/// Bytes of the largest file that is read: the largest known one, of 262,144 pieces, has 5 million.
const LIMIT: usize = 16 << 20;

#[derive(Debug)]
pub(super) struct SentencePiece {
    vocabulary: Vocabulary,
    normalizer: Normalizer,
    search: Search,
    /// What an unknown piece is in a text.
    unknown: String,
    added: Added,
}

#[derive(Debug)]
enum Search {
    Unigram(Unigram),
    Bpe,
}

/// What a folder says of tokens that are no pieces.
#[derive(Debug, Default)]
pub(super) struct Others {
    pub tokens: Vec<Token>,
    /// Special tokens, which get ids of their own if they are nothing yet.
    pub named: Vec<Named>,
}

impl SentencePiece {
    /// The model that is `bytes`. If it has no sentinel among its pieces, as T5's has none, `sentinels` of them follow the last
    /// piece; then there are `others` that are no pieces. Else what is wrong with it.
    pub fn of(bytes: &[u8], sentinels: usize, others: Others) -> Result<Self, String> {
        if bytes.len() > LIMIT {
            return Err(format!("it has {} bytes, and no SentencePiece model has more than {LIMIT}", bytes.len()));
        }
        let model = proto::Model::decode(bytes).map_err(|error| format!("it is no SentencePiece model: {error}"))?;
        let trainer = model.trainer.unwrap_or_default();
        if model.denormalizer.is_some_and(|spec| !spec.precompiled_charsmap().is_empty()) {
            return Err("it changes characters back when it decodes, which fsa does not do".into());
        }
        let vocabulary = Vocabulary::of(model.pieces, trainer.byte_fallback())?;
        let search = match trainer.model_type() {
            1 => Search::Unigram(Unigram::of(&vocabulary)),
            2 => Search::Bpe,
            other => return Err(format!("it is of the type {other}, and fsa knows Unigram (1) and BPE (2)")),
        };
        let normalizer = Normalizer::of(&model.normalizer.unwrap_or_default(), &trainer)?;
        let inside = vocabulary.pieces.iter().any(|piece| number(bare(&piece.text)).is_some());
        let unknown = trainer.unk_surface().to_string();
        let (pieces, sentinels) = (vocabulary.pieces.len(), if inside { 0 } else { sentinels });
        let Others { mut tokens, mut named } = others;
        tokens.retain(|token| piece_id(&vocabulary, &token.text).is_none());
        named.retain(|token| piece_id(&vocabulary, &token.text).is_none());
        let added = Added::of(pieces, sentinels, tokens, named)?;
        Ok(Self { vocabulary, normalizer, search, unknown, added })
    }

    /// The ids of `text`. Tokens that are none of the model's pieces are taken out of it first, some with the spaces around them.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut rest = text;
        while let Some((start, token)) = self.added.first(rest) {
            let (left, right) = (&rest[..start], &rest[start + token.text.len()..]);
            let (before, behind) = token.strips;
            self.cut(if before { left.trim_end() } else { left }, &mut ids);
            ids.push(token.id);
            rest = if behind { right.trim_start() } else { right };
        }
        self.cut(rest, &mut ids);
        ids
    }

    fn cut(&self, text: &str, ids: &mut Vec<u32>) {
        let normal = self.normalizer.normalize(text, &self.vocabulary.user_defined);
        let pieces = match &self.search {
            Search::Unigram(unigram) => unigram.cut(&normal, &self.vocabulary),
            Search::Bpe => bpe::cut(&normal, &self.vocabulary),
        };
        let (mut start, mut after_unknown) = (0, false);
        for (length, id) in pieces {
            let unknown = id == self.vocabulary.unknown;
            match (&self.vocabulary.bytes, unknown) {
                (Some(bytes), true) => {
                    ids.extend(normal.as_bytes()[start..start + length].iter().map(|byte| bytes[usize::from(*byte)]));
                }
                // Unknown characters in a row are one.
                (None, true) if after_unknown => {}
                _ => ids.push(id),
            }
            start += length;
            after_unknown = unknown;
        }
    }

    /// The text of `ids`, with control pieces and sentinels left out if `skip_special`. Ids beyond the vocabulary, which a padded
    /// embedding has, are nothing.
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> String {
        let (mut text, mut bytes) = (String::new(), Vec::new());
        let (mut at_start, mut stripped) = (true, false);
        for &id in ids {
            let piece = self.vocabulary.pieces.get(id as usize);
            if let Some(piece) = piece.filter(|piece| piece.kind == Kind::Byte) {
                bytes.push(piece.byte);
                continue;
            }
            push_bytes(&mut text, &mut bytes);
            at_start &= !stripped && text.is_empty();
            stripped = false;
            match piece {
                None if skip_special && self.added.is_special(id) => {}
                None => text.push_str(&self.added.name(id).unwrap_or_default()),
                Some(piece) if skip_special && (piece.kind == Kind::Control || number(bare(&piece.text)).is_some()) => {
                }
                Some(piece) if piece.kind == Kind::Control => text.push_str(&piece.text),
                Some(piece) if piece.kind == Kind::Unknown => text.push_str(&self.unknown),
                Some(piece) => {
                    let rest =
                        piece.text.strip_prefix(SPACE).filter(|_| at_start && self.normalizer.strips_first_space());
                    stripped = rest.is_some() && !self.normalizer.strips_all_spaces();
                    text.push_str(&rest.unwrap_or(&piece.text).replace(SPACE, " "));
                }
            }
        }
        push_bytes(&mut text, &mut bytes);
        text
    }

    /// Number of tokens, those that are no pieces included.
    pub fn vocab_size(&self) -> usize {
        self.vocabulary.pieces.len() + self.added.count()
    }

    /// The largest id.
    pub fn last(&self) -> Option<u32> {
        u32::try_from(self.added.end()).ok()?.checked_sub(1)
    }

    /// The token of `id`.
    pub fn token(&self, id: u32) -> Option<String> {
        let piece = self.vocabulary.pieces.get(id as usize).map(|piece| piece.text.clone());
        piece.or_else(|| self.added.name(id))
    }

    /// The id of `token`.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        piece_id(&self.vocabulary, token).or_else(|| self.added.id(token))
    }

    /// What its pieces were found by.
    pub fn kind(&self) -> &'static str {
        match self.search {
            Search::Unigram(_) => "Unigram",
            Search::Bpe => "BPE",
        }
    }

    /// Whether characters that no piece covers become bytes.
    pub fn falls_back_to_bytes(&self) -> bool {
        self.vocabulary.bytes.is_some()
    }

    /// Number of pieces.
    pub fn pieces(&self) -> usize {
        self.vocabulary.pieces.len()
    }

    /// Tokens that are no pieces, with their ids.
    pub fn added(&self) -> impl Iterator<Item = (String, u32)> {
        self.added.tokens().map(|token| (token.text.clone(), token.id))
    }

    /// Whether `id` is none of a text's own.
    pub fn is_special(&self, id: u32) -> bool {
        let piece = self.vocabulary.pieces.get(id as usize);
        piece.map_or_else(|| self.added.is_special(id), |piece| piece.kind == Kind::Control)
    }

    /// Whether `id` stands for what no piece covers.
    pub fn is_unknown(&self, id: u32) -> bool {
        id == self.vocabulary.unknown
    }

    /// The id of the control piece `token`.
    pub fn control(&self, token: &str) -> Option<u32> {
        let mut pieces = self.vocabulary.pieces.iter().zip(0..);
        pieces.find(|(piece, _)| piece.kind == Kind::Control && piece.text == token).map(|(_, id)| id)
    }
}

/// Bytes become characters, and each byte that is of none becomes U+FFFD.
fn push_bytes(text: &mut String, bytes: &mut Vec<u8>) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    bytes.clear();
}

/// The id of the piece `token`. mT5's sentinels are pieces that begin with a space, and are found without it.
fn piece_id(vocabulary: &Vocabulary, token: &str) -> Option<u32> {
    let with_space = || number(token).and_then(|_| vocabulary.id(&format!("{SPACE}{token}")));
    vocabulary.id(token).or_else(with_space)
}

/// A piece without the space that it begins with.
fn bare(piece: &str) -> &str {
    piece.strip_prefix(SPACE).unwrap_or(piece)
}
