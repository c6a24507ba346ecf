//! SentencePiece models, `spiece.model`: the ids and the texts that Google's library gives. The tokenizers crate's models come close:
//! their sums are float64, their normalizer works by grapheme where Google's takes the longest match, their merges have other
//! ties. On plain text that hardly ever shows; `tests/fixtures/README.md` says on how many awkward lines it does.
//!
//! It must not know files or whole tokenizers: bytes go in, and ids, without an end of sequence.

mod bpe;
mod normalizer;
mod proto;
mod trie;
mod unigram;
mod vocabulary;

use prost::Message;

use self::normalizer::Normalizer;
use self::unigram::Unigram;
use self::vocabulary::{Kind, SPACE, Vocabulary};

/// Bytes of the largest file that is read: the largest known one, of 262,144 pieces, has 5 million.
const LIMIT: usize = 16 << 20;
/// How a sentinel begins, before its number and `>`.
const SENTINEL: &str = "<extra_id_";

#[derive(Debug)]
pub(super) struct SentencePiece {
    vocabulary: Vocabulary,
    normalizer: Normalizer,
    search: Search,
    /// What an unknown piece is in a text.
    unknown: String,
    /// Sentinels that follow the pieces, the one of number 0 last.
    added: usize,
}

#[derive(Debug)]
enum Search {
    Unigram(Unigram),
    Bpe,
}

impl SentencePiece {
    /// The model that is `bytes`. If it has no sentinel among its pieces, as T5's has none, `sentinels` of them follow the last
    /// piece. Else what is wrong with it.
    pub fn of(bytes: &[u8], sentinels: usize) -> Result<Self, String> {
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
        Ok(Self { vocabulary, normalizer, search, unknown, added: if inside { 0 } else { sentinels } })
    }

    /// The ids of `text`. A sentinel that is none of the model's pieces is taken out of it first, with the spaces around it.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut rest = text;
        while let Some((start, length, id)) = self.sentinel(rest) {
            self.cut(rest[..start].trim_end(), &mut ids);
            ids.push(id);
            rest = rest[start + length..].trim_start();
        }
        self.cut(rest, &mut ids);
        ids
    }

    /// The first sentinel in `text` that follows the pieces: where it is, its length and its id.
    fn sentinel(&self, text: &str) -> Option<(usize, usize, u32)> {
        text.match_indices(SENTINEL).filter(|_| self.added > 0).find_map(|(start, _)| {
            let digits = text[start + SENTINEL.len()..].bytes().take_while(u8::is_ascii_digit).count();
            let length = SENTINEL.len() + digits + 1;
            Some((start, length, self.added_id(text.get(start..start + length)?)?))
        })
    }

    fn added_id(&self, token: &str) -> Option<u32> {
        let number = number(token).filter(|number| *number < self.added)?;
        u32::try_from(self.vocab_size() - 1 - number).ok()
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
                None if skip_special => {}
                None => text.push_str(&self.added_name(id).unwrap_or_default()),
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

    fn added_name(&self, id: u32) -> Option<String> {
        let number = self.vocab_size().checked_sub(1 + id as usize).filter(|number| *number < self.added)?;
        Some(format!("{SENTINEL}{number}>"))
    }

    /// Number of tokens, sentinels included.
    pub fn vocab_size(&self) -> usize {
        self.vocabulary.pieces.len() + self.added
    }

    /// The token of `id`.
    pub fn token(&self, id: u32) -> Option<String> {
        let piece = self.vocabulary.pieces.get(id as usize).map(|piece| piece.text.clone());
        piece.or_else(|| self.added_name(id))
    }

    /// The id of `token`. mT5's sentinels are pieces that begin with a space, and are found without it.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        let sentinel = number(token).is_some();
        let is = |text: &str| text == token || (sentinel && bare(text) == token);
        let piece = self.vocabulary.pieces.iter().position(|piece| is(&piece.text));
        piece.and_then(|id| u32::try_from(id).ok()).or_else(|| self.added_id(token))
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

/// A piece without the space that it begins with.
fn bare(piece: &str) -> &str {
    piece.strip_prefix(SPACE).unwrap_or(piece)
}

/// The number of the sentinel that `token` is.
fn number(token: &str) -> Option<usize> {
    let digits = token.strip_prefix(SENTINEL)?.strip_suffix('>')?;
    digits.parse().ok().filter(|number: &usize| number.to_string() == digits)
}
