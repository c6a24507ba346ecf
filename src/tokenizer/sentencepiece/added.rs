//! Tokens that are none of a model's pieces: sentinels that follow them, and those that a model's folder adds. A text is cut at them
//! before it is cut into pieces.

/// How a sentinel begins, before its number and `>`.
const SENTINEL: &str = "<extra_id_";
/// How far behind the sentinels an id may be: there are no more added tokens than this, and an embedding has a row for each id.
const FARTHEST: usize = 20_000;

/// A token that a folder adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tokenizer) struct Token {
    pub text: String,
    pub id: u32,
    /// Whether spaces before it are not seen, and spaces behind it.
    pub strips: (bool, bool),
    /// Whether it is left out of texts together with control pieces.
    pub special: bool,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Added {
    /// How many pieces there are before them.
    pieces: usize,
    /// Sentinels that follow the pieces, the one of number 0 last.
    sentinels: usize,
    others: Vec<Token>,
}

impl Added {
    /// So many sentinels behind so many pieces, and `others`. Else what is wrong with these: each must have an id that no piece, and
    /// none of the others, has.
    pub fn of(pieces: usize, sentinels: usize, others: Vec<Token>) -> Result<Self, String> {
        let mut added = Self { pieces, sentinels, others: Vec::new() };
        for token in others {
            let same = (added.id(&token.text), added.name(token.id));
            match same {
                (Some(id), _) if id == token.id => {}
                (Some(id), _) => {
                    return Err(format!("its added token `{}` should have the id {id}, not {}", token.text, token.id));
                }
                (None, Some(other)) => {
                    return Err(format!("its added tokens `{other}` and `{}` have one id, {}", token.text, token.id));
                }
                (None, None) if (token.id as usize) < pieces => {
                    return Err(format!("its added token `{}` has the id {} of a piece", token.text, token.id));
                }
                (None, None) if token.id as usize >= pieces + sentinels + FARTHEST => {
                    let (text, id) = (token.text, token.id);
                    return Err(format!("its added token `{text}` has the id {id}, far behind its {pieces} pieces"));
                }
                (None, None) => added.others.push(token),
            }
        }
        Ok(added)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.sentinels + self.others.len()
    }

    /// Their ids.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        let sentinels = (self.pieces..self.pieces + self.sentinels).filter_map(|id| u32::try_from(id).ok());
        sentinels.chain(self.others.iter().map(|token| token.id))
    }

    /// One more than the largest id, pieces and all.
    pub fn end(&self) -> usize {
        let others = self.others.iter().map(|token| token.id as usize + 1).max().unwrap_or(0);
        others.max(self.pieces + self.sentinels)
    }

    /// The first one in `text`: where it is, its length, its id, and whether spaces on either side are not seen. The longest, where
    /// several begin.
    pub fn first(&self, text: &str) -> Option<(usize, usize, u32, (bool, bool))> {
        let sentinel = text.match_indices(SENTINEL).filter(|_| self.sentinels > 0).find_map(|(start, _)| {
            let digits = text[start + SENTINEL.len()..].bytes().take_while(u8::is_ascii_digit).count();
            let length = SENTINEL.len() + digits + 1;
            Some((start, length, self.sentinel_id(text.get(start..start + length)?)?, (true, true)))
        });
        let others = self
            .others
            .iter()
            .filter_map(|token| text.find(&token.text).map(|start| (start, token.text.len(), token.id, token.strips)));
        sentinel.into_iter().chain(others).min_by_key(|(start, length, ..)| (*start, usize::MAX - length))
    }

    /// The id of `token`.
    pub fn id(&self, token: &str) -> Option<u32> {
        let other = || self.others.iter().find(|other| other.text == token).map(|other| other.id);
        self.sentinel_id(token).or_else(other)
    }

    fn sentinel_id(&self, token: &str) -> Option<u32> {
        let number = number(token).filter(|number| *number < self.sentinels)?;
        u32::try_from(self.pieces + self.sentinels - 1 - number).ok()
    }

    /// The token of `id`.
    pub fn name(&self, id: u32) -> Option<String> {
        let behind = (id as usize).checked_sub(self.pieces);
        let sentinel = behind.and_then(|place| self.sentinels.checked_sub(1 + place));
        let other = || self.others.iter().find(|token| token.id == id).map(|token| token.text.clone());
        sentinel.map(|number| format!("{SENTINEL}{number}>")).or_else(other)
    }

    /// Whether `id` is left out of texts together with control pieces.
    pub fn is_special(&self, id: u32) -> bool {
        self.others.iter().find(|token| token.id == id).is_none_or(|token| token.special)
    }
}

/// The number of the sentinel that `token` is.
pub(in crate::tokenizer) fn number(token: &str) -> Option<usize> {
    let digits = token.strip_prefix(SENTINEL)?.strip_suffix('>')?;
    digits.parse().ok().filter(|number: &usize| number.to_string() == digits)
}
