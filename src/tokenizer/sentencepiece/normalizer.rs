//! What SentencePiece does to a text before it cuts it into pieces: characters and sequences of them are replaced by the model's
//! table, and spaces become `▁`, by the model's switches. Step for step as Google's normalizer: one way alone gives its ids.

use super::proto;
use super::trie::Trie;
use super::vocabulary::SPACE;

/// Bytes of the longest replacement: NFKC's has 33. A longer one would make a long text of a character.
const LONGEST: usize = 1024;
/// Bytes of a unit of the table's trie.
const UNIT: usize = 4;

#[derive(Debug)]
pub(super) struct Normalizer {
    table: Option<Table>,
    /// A text begins with a space.
    dummy_prefix: bool,
    /// … which stands behind it instead.
    suffix: bool,
    /// Spaces at the ends are dropped, and a run of them is one.
    remove_extra: bool,
    space: &'static str,
}

/// Sequences of bytes and what replaces them: a double array, each of whose leaves says where in `texts` the replacement begins.
#[derive(Debug)]
struct Table {
    units: Vec<u32>,
    /// Each text is ended by a zero.
    texts: String,
}

impl Normalizer {
    /// As the model's file describes it; what is wrong with it if it cannot be.
    pub fn of(spec: &proto::Normalizer, trainer: &proto::Trainer) -> Result<Self, String> {
        let table = match spec.precompiled_charsmap() {
            [] => None,
            bytes => Some(Table::of(bytes).ok_or("its table of replaced characters is damaged")?),
        };
        Ok(Self {
            table,
            dummy_prefix: spec.add_dummy_prefix(),
            suffix: trainer.treat_whitespace_as_suffix(),
            remove_extra: spec.remove_extra_whitespaces(),
            space: if spec.escape_whitespaces() { SPACE } else { " " },
        })
    }

    /// Whether a decoded text loses the space that it begins with.
    pub fn strips_first_space(&self) -> bool {
        self.dummy_prefix || self.remove_extra
    }

    /// Whether it loses further ones, as long as nothing else has come.
    pub fn strips_all_spaces(&self) -> bool {
        self.remove_extra
    }

    /// `text` as it is cut into pieces; `kept` are the symbols that are never changed.
    pub fn normalize(&self, text: &str, kept: &Trie) -> String {
        let mut rest = text;
        while self.remove_extra && !rest.is_empty() {
            let (" ", length) = self.first(rest, kept) else { break };
            rest = &rest[length..];
        }
        let mut normal = String::with_capacity(text.len() + text.len() / 2);
        if rest.is_empty() {
            return normal;
        }
        if self.dummy_prefix && !self.suffix {
            normal.push_str(self.space);
        }
        let mut after_space = self.remove_extra;
        while !rest.is_empty() {
            let (mut part, length) = self.first(rest, kept);
            if after_space {
                part = part.trim_start_matches(' ');
            }
            if !part.is_empty() {
                part.split_inclusive(' ').for_each(|part| match part.strip_suffix(' ') {
                    Some(part) => normal.extend([part, self.space]),
                    None => normal.push_str(part),
                });
                after_space = part.ends_with(' ');
            }
            after_space &= self.remove_extra;
            rest = &rest[length..];
        }
        while self.remove_extra && normal.ends_with(self.space) {
            normal.truncate(normal.len() - self.space.len());
        }
        if self.dummy_prefix && self.suffix {
            normal.push_str(self.space);
        }
        normal
    }

    /// What `text`, which is not empty, begins with once it is normal, and how many of its bytes that stands for.
    fn first<'a>(&'a self, text: &'a str, kept: &Trie) -> (&'a str, usize) {
        if let Some(length) = kept.longest(text) {
            return (&text[..length], length);
        }
        let replaced = self.table.as_ref().and_then(|table| table.longest(text));
        replaced.unwrap_or_else(|| {
            let length = text.chars().next().map_or(text.len(), char::len_utf8);
            (&text[..length], length)
        })
    }
}

impl Table {
    fn of(bytes: &[u8]) -> Option<Self> {
        let (size, rest) = bytes.split_first_chunk()?;
        let (units, texts) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
        let units = units.as_chunks::<UNIT>().0.iter().map(|unit| u32::from_le_bytes(*unit)).collect();
        let texts = String::from_utf8(texts.to_vec()).ok()?;
        texts.split('\0').all(|text| text.len() <= LONGEST).then_some(Self { units, texts })
    }

    /// The replacement of the longest sequence that `text` begins with, and that sequence's length.
    fn longest(&self, text: &str) -> Option<(&str, usize)> {
        let unit = |place: usize| self.units.get(place).copied();
        // In a unit: the byte that leads to it, the distance to its children, and whether a leaf is among them.
        let distance = |unit: u32| ((unit >> 10) << ((unit & (1 << 9)) >> 6)) as usize;
        let (mut place, mut longest) = (distance(unit(0)?), None);
        for (index, byte) in text.bytes().enumerate() {
            place ^= usize::from(byte);
            let Some(node) = unit(place).filter(|node| node & (1 << 31 | 0xff) == u32::from(byte)) else { break };
            place ^= distance(node);
            if node >> 8 & 1 == 1 {
                longest = unit(place).map(|leaf| (leaf & !(1 << 31), index + 1)).or(longest);
            }
        }
        let (start, length) = longest?;
        // A damaged table may point between characters, or into one: it then replaces nothing.
        let replacement = self.texts.get(start as usize..)?.split('\0').next()?;
        text.is_char_boundary(length).then_some((replacement, length))
    }
}
