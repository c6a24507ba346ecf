//! Tokens that are none of a model's pieces: sentinels that follow them, and those that a model's folder adds. A text is cut at them
//! before it is cut into pieces.

use std::collections::{BTreeMap, HashMap};

use super::trie::Trie;

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
    /// Whether it is left out of texts together with control pieces, as sentinels are in any case.
    pub special: bool,
}

impl Token {
    /// The sentinel of this number.
    fn sentinel(number: usize, id: u32) -> Self {
        Self { text: format!("{SENTINEL}{number}>"), id, strips: (true, true), special: true }
    }
}

/// A special token that a folder names without an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tokenizer) struct Named {
    pub text: String,
    /// As a token's.
    pub strips: (bool, bool),
}

/// All of them.
#[derive(Debug)]
pub(super) struct Added {
    /// How many pieces there are before them.
    pieces: usize,
    /// By id.
    tokens: BTreeMap<u32, Token>,
    /// Their texts.
    texts: Trie,
}

impl Added {
    /// So many sentinels behind so many pieces, the one of number 0 last; `tokens`; and what is `named` and not among them, each with
    /// the id that is the number of tokens before it. Else what is wrong with these: each must have an id that no piece, and none of
    /// the others, has.
    pub fn of(pieces: usize, sentinels: usize, tokens: Vec<Token>, named: Vec<Named>) -> Result<Self, String> {
        let mut added = Self { pieces, tokens: BTreeMap::new(), texts: Trie::default() };
        // By text, and not one by one: a folder may add ten thousand.
        let mut known: HashMap<String, u32> = HashMap::new();
        let behind = pieces + sentinels;
        let sentinel = |number| Some(Token::sentinel(number, u32::try_from(behind - 1 - number).ok()?));
        for token in (0..sentinels).filter_map(sentinel).chain(tokens) {
            let id = *known.entry(token.text.clone()).or_insert(token.id);
            if id != token.id {
                return Err(format!("its added token `{}` should have the id {id}, not {}", token.text, token.id));
            }
            if token.id as usize >= behind + FARTHEST {
                let Token { text, id, .. } = token;
                return Err(format!("its added token `{text}` has the id {id}, far behind its {pieces} pieces"));
            }
            added.add(token)?;
        }
        for Named { text, strips } in named {
            // A sentinel that is listed has its place behind the pieces.
            let is_known = known.contains_key(&text) || (sentinels > 0 && number(&text).is_some());
            if let (false, Ok(id)) = (is_known, u32::try_from(pieces + added.count())) {
                known.insert(text.clone(), id);
                added.add(Token { text, id, strips, special: true })?;
            }
        }
        added.texts = Trie::of(added.tokens.values().map(|token| (token.text.as_str(), token.id)));
        Ok(added)
    }

    /// Adds one, or says anew how spaces around it are seen.
    fn add(&mut self, token: Token) -> Result<(), String> {
        let (text, id) = (&token.text, token.id);
        match self.tokens.get(&id) {
            Some(other) if other.text != *text => {
                Err(format!("its added tokens `{}` and `{text}` have one id, {id}", other.text))
            }
            _ if (id as usize) < self.pieces => Err(format!("its added token `{text}` has the id {id} of a piece")),
            _ => {
                self.tokens.insert(id, token);
                Ok(())
            }
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.tokens.len()
    }

    /// They, by id.
    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.tokens.values()
    }

    /// One more than the largest id, pieces and all.
    pub fn end(&self) -> usize {
        self.tokens.keys().next_back().map_or(self.pieces, |id| *id as usize + 1)
    }

    /// The first one in `text`, and where it is. The longest, where several begin.
    pub fn first(&self, text: &str) -> Option<(usize, &Token)> {
        text.char_indices().find_map(|(start, _)| {
            let (_, id) = self.texts.prefixes(&text[start..]).last()?;
            Some((start, self.tokens.get(&id)?))
        })
    }

    /// The id of `token`.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.texts.id(token)
    }

    /// The token of `id`.
    pub fn name(&self, id: u32) -> Option<String> {
        self.tokens.get(&id).map(|token| token.text.clone())
    }

    /// Whether `id` is left out of texts together with control pieces.
    pub fn is_special(&self, id: u32) -> bool {
        self.tokens.get(&id).is_none_or(|token| token.special || number(&token.text).is_some())
    }
}

/// The number of the sentinel that `token` is.
pub(in crate::tokenizer) fn number(token: &str) -> Option<usize> {
    let digits = token.strip_prefix(SENTINEL)?.strip_suffix('>')?;
    digits.parse().ok().filter(|number: &usize| number.to_string() == digits)
}
