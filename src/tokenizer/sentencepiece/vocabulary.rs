//! A SentencePiece model's pieces, and what each is for.

use std::collections::HashMap;

use super::proto;
use super::trie::Trie;

/// What stands for a space in pieces.
pub(super) const SPACE: &str = "▁";
/// Longer pieces Google's reader refuses, too.
const LONGEST: usize = 8000;

/// What a piece is for. Numbers are those of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal = 1,
    /// Stands for what no piece covers.
    Unknown = 2,
    /// Never in a text: `</s>`.
    Control = 3,
    /// Never cut or changed.
    UserDefined = 4,
    /// Counts as not there.
    Unused = 5,
    /// One byte of a character that no piece covers.
    Byte = 6,
}

const KINDS: [Kind; 6] = [Kind::Normal, Kind::Unknown, Kind::Control, Kind::UserDefined, Kind::Unused, Kind::Byte];

#[derive(Debug)]
pub(super) struct Piece {
    pub text: String,
    pub score: f32,
    pub kind: Kind,
    /// That of a byte piece.
    pub byte: u8,
}

#[derive(Debug)]
pub(super) struct Vocabulary {
    /// By id.
    pub pieces: Vec<Piece>,
    /// Those that a text can be cut into, with those that are unused.
    pub cut: Trie,
    pub user_defined: Trie,
    /// Those that no text is cut into, by text.
    outside: HashMap<String, u32>,
    pub unknown: u32,
    /// The ids of the byte pieces, where the model has them.
    pub bytes: Option<Box<[u32; 256]>>,
}

impl Vocabulary {
    /// Of the file's pieces; what is wrong with them if it cannot be.
    pub fn of(pieces: Vec<proto::Piece>, byte_fallback: bool) -> Result<Self, String> {
        let pieces = pieces.into_iter().map(piece).collect::<Result<Vec<_>, _>>()?;
        let ids_of = |wanted: &'static [Kind]| {
            let numbered = pieces.iter().zip(0..);
            numbered.filter(move |(piece, _)| wanted.contains(&piece.kind)).map(|(piece, id)| (piece.text.as_str(), id))
        };
        let of_text = &[Kind::Normal, Kind::UserDefined, Kind::Unused];
        let mut texts: Vec<&str> = ids_of(of_text).map(|(text, _)| text).collect();
        texts.sort_unstable();
        if let Some([twice, _]) = texts.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("its piece `{}` is there twice", twice.escape_debug()));
        }
        let unknown = ids_of(&[Kind::Unknown]).map(|(_, id)| id).collect::<Vec<_>>();
        let [unknown] = unknown[..] else {
            return Err(format!("it has {} pieces for what is unknown, and should have one", unknown.len()));
        };
        let mut bytes = [None; 256];
        for (piece, id) in pieces.iter().zip(0..).filter(|(piece, _)| piece.kind == Kind::Byte) {
            bytes[usize::from(piece.byte)] = Some(id);
        }
        let found = bytes.iter().flatten().copied().collect::<Vec<u32>>().try_into().ok().map(Box::new);
        if byte_fallback && found.is_none() {
            return Err("it falls back to bytes and lacks pieces for some".into());
        }
        let outside = ids_of(&[Kind::Unknown, Kind::Control, Kind::Byte]);
        let outside = outside.map(|(text, id)| (text.to_string(), id)).collect();
        let (cut, user_defined) = (Trie::of(ids_of(of_text)), Trie::of(ids_of(&[Kind::UserDefined])));
        Ok(Self { cut, user_defined, outside, unknown, bytes: found.filter(|_| byte_fallback), pieces })
    }

    /// The id of the piece `text`.
    pub fn id(&self, text: &str) -> Option<u32> {
        self.cut.id(text).or_else(|| self.outside.get(text).copied())
    }

    pub fn kind(&self, id: u32) -> Kind {
        self.pieces[id as usize].kind
    }

    pub fn score(&self, id: u32) -> f32 {
        self.pieces[id as usize].score
    }
}

fn piece(stored: proto::Piece) -> Result<Piece, String> {
    let number = stored.kind();
    let kind = KINDS.into_iter().find(|kind| *kind as i32 == number);
    let kind = kind.ok_or_else(|| format!("it has a piece of the kind {number}, which is none"))?;
    let (text, score) = (stored.piece().to_string(), stored.score());
    if text.is_empty() || text.len() >= LONGEST || text.contains('\0') {
        return Err("it has a piece that is empty, or no text".into());
    }
    let byte = match kind {
        Kind::Byte => text.strip_prefix("<0x").and_then(|text| text.strip_suffix('>')),
        _ => Some("0"),
    };
    let byte = byte.and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let byte = byte.ok_or_else(|| format!("its piece `{}` should be a byte", text.escape_debug()))?;
    Ok(Piece { text, score, kind, byte })
}
