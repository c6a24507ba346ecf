//! BPE: neighbours are merged, those that make the piece of the highest score first and the leftmost of equals, until none make
//! a piece.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};

use super::vocabulary::{Kind, Vocabulary};

/// A part of the text: where it lies, and its neighbours' numbers. It is empty once its left neighbour has taken it over.
struct Symbol {
    start: usize,
    length: usize,
    before: Option<usize>,
    after: Option<usize>,
    /// Never merged.
    frozen: bool,
}

/// Two neighbours that make a piece together.
struct Pair {
    score: f32,
    left: usize,
    right: usize,
    length: usize,
}

impl Ord for Pair {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(Reverse(self.left).cmp(&Reverse(other.left)))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Pair {}

struct Merging<'a> {
    text: &'a str,
    vocabulary: &'a Vocabulary,
    symbols: Vec<Symbol>,
    agenda: BinaryHeap<Pair>,
    /// Which two made an unused piece: it has to be cut again there.
    halves: HashMap<&'a str, (&'a str, &'a str)>,
}

/// The pieces of `text` with their lengths, an unknown character being one of its own.
pub(super) fn cut(text: &str, vocabulary: &Vocabulary) -> Vec<(usize, u32)> {
    let mut merging =
        Merging { text, vocabulary, symbols: Vec::new(), agenda: BinaryHeap::new(), halves: HashMap::new() };
    let mut start = 0;
    while let Some(character) = text[start..].chars().next() {
        let whole = vocabulary.user_defined.longest(&text[start..]);
        let (length, number) = (whole.unwrap_or(character.len_utf8()), merging.symbols.len());
        let after = (start + length < text.len()).then_some(number + 1);
        merging.symbols.push(Symbol { start, length, before: number.checked_sub(1), after, frozen: whole.is_some() });
        start += length;
    }
    for right in 1..merging.symbols.len() {
        merging.consider(Some(right - 1), Some(right));
    }
    merging.run();
    merging.pieces()
}

impl<'a> Merging<'a> {
    fn consider(&mut self, left: Option<usize>, right: Option<usize>) {
        let (Some(left), Some(right)) = (left, right) else { return };
        let (first, second) = (&self.symbols[left], &self.symbols[right]);
        if first.frozen || second.frozen {
            return;
        }
        let length = first.length + second.length;
        let both = &self.text[first.start..first.start + length];
        let Some(id) = self.vocabulary.cut.id(both) else { return };
        if self.vocabulary.kind(id) == Kind::Unused {
            self.halves.insert(both, both.split_at(first.length));
        }
        // -0 becomes 0, which the order of pairs would tell apart.
        self.agenda.push(Pair { score: self.vocabulary.score(id) + 0.0, left, right, length });
    }

    fn run(&mut self) {
        while let Some(Pair { left, right, length, .. }) = self.agenda.pop() {
            let (first, second) = (self.symbols[left].length, self.symbols[right].length);
            // One of them has been merged with another neighbour since.
            if first == 0 || second == 0 || first + second != length {
                continue;
            }
            let after = self.symbols[right].after;
            self.symbols[right].length = 0;
            self.symbols[left].length = length;
            self.symbols[left].after = after;
            if let Some(after) = after {
                self.symbols[after].before = Some(left);
            }
            self.consider(self.symbols[left].before, Some(left));
            self.consider(Some(left), after);
        }
    }

    fn pieces(&self) -> Vec<(usize, u32)> {
        let mut pieces = Vec::new();
        for symbol in self.symbols.iter().filter(|symbol| symbol.length > 0) {
            let mut open = vec![&self.text[symbol.start..symbol.start + symbol.length]];
            while let Some(part) = open.pop() {
                let id = self.vocabulary.cut.id(part);
                let unused = id.is_some_and(|id| self.vocabulary.kind(id) == Kind::Unused);
                match self.halves.get(part).filter(|_| unused) {
                    Some((first, second)) => open.extend([*second, *first]),
                    None => pieces.push((part.len(), id.unwrap_or(self.vocabulary.unknown))),
                }
            }
        }
        pieces
    }
}
