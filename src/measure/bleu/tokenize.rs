//! sacreBLEU's tokenizers `13a` and `intl`: the same substitutions in the same order, without a regular expression engine.
//!
//! Sources: sacreBLEU 2.6.0, `tokenizers/tokenizer_13a.py`, `tokenizer_re.py` and `tokenizer_intl.py` (after mteval-v13a.pl
//! and mteval-v14.pl). A substitution goes once through the text, left to right, and its matches do not overlap: of
//! `a..` only the first dot is split from what precedes it. Scores depend on that, so it is kept.

use super::categories::{NUMBERS, PUNCTUATION, SYMBOLS};
use crate::measure::text::{collapse, is_space};

/// How BLEU cuts a segment into tokens. The choice is part of the score's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tokenizer {
    /// mteval-v13a, sacreBLEU's default: entities are resolved, ASCII punctuation is split off, numbers stay whole.
    #[default]
    V13a,
    /// mteval-v14's international one: every Unicode punctuation mark and symbol is split off, numbers stay whole.
    Intl,
}

impl Tokenizer {
    /// All of them, the default first.
    pub const ALL: [Self; 2] = [Self::V13a, Self::Intl];

    /// sacreBLEU's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::V13a => "13a",
            Self::Intl => "intl",
        }
    }

    /// The tokens of `segment`, joined by single spaces. White space at the segment's end is dropped first, as sacreBLEU does.
    pub fn tokenize(self, segment: &str) -> String {
        let segment = segment.trim_end_matches(is_space);
        match self {
            Self::V13a => v13a(segment),
            Self::Intl => intl(segment),
        }
    }
}

fn v13a(segment: &str) -> String {
    let mut text = segment.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    if text.contains('&') {
        // In this order: `&amp;lt;` becomes `<`.
        text = text.replace("&quot;", "\"").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
    }
    let digit = |character: char| character.is_ascii_digit();
    let stop = |character: char| matches!(character, '.' | ',');
    let text = isolate(&format!(" {text} "), is_13a_mark);
    let text = split_pairs(&text, |c| !digit(c), stop, Outer::After);
    let text = split_pairs(&text, stop, |c| !digit(c), Outer::Before);
    let text = split_pairs(&text, digit, |c| c == '-', Outer::After);
    collapse(&text)
}

fn intl(segment: &str) -> String {
    let number = |character: char| holds(&NUMBERS, character);
    let punctuation = |character: char| holds(&PUNCTUATION, character);
    let text = split_pairs(segment, |c| !number(c), punctuation, Outer::After);
    let text = split_pairs(&text, punctuation, |c| !number(c), Outer::Before);
    collapse(&isolate(&text, |c| holds(&SYMBOLS, c)))
}

/// `[\{-\~\[-\` -\&\(-\+\:-\@\/]`: ASCII's punctuation, symbols and space, without `'`, `,`, `-` and `.`.
fn is_13a_mark(character: char) -> bool {
    matches!(character, '{'..='~' | '['..='`' | ' '..='&' | '('..='+' | ':'..='@' | '/')
}

/// Whether `character` lies in one of a category's `ranges`.
fn holds(ranges: &[(u32, u32)], character: char) -> bool {
    let code = u32::from(character);
    let after = ranges.partition_point(|&(first, _)| first <= code);
    after.checked_sub(1).is_some_and(|index| code <= ranges[index].1)
}

/// `s/(X)/ \1 /g`.
fn isolate(text: &str, mark: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(2 * text.len());
    for character in text.chars() {
        match mark(character) {
            true => out.extend([' ', character, ' ']),
            false => out.push(character),
        }
    }
    out
}

/// Where the outer space of a pair's replacement goes; another always goes between the two characters.
#[derive(Clone, Copy)]
enum Outer {
    /// ` \1 \2`.
    Before,
    /// `\1 \2 `.
    After,
}

/// `s/(X)(Y)/…/g` for two adjacent characters.
fn split_pairs(text: &str, first: impl Fn(char) -> bool, second: impl Fn(char) -> bool, outer: Outer) -> String {
    let mut out = String::with_capacity(2 * text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match first(character).then(|| characters.next_if(|&next| second(next))).flatten() {
            None => out.push(character),
            Some(next) => match outer {
                Outer::Before => out.extend([' ', character, ' ', next]),
                Outer::After => out.extend([character, ' ', next, ' ']),
            },
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v13a_splits_marks_and_keeps_numbers() {
        // Expected: sacreBLEU 2.6.0's Tokenizer13a.
        for (text, tokens) in [
            ("Hello, world!", "Hello , world !"),
            ("1,000.5 and 3-4", "1,000.5 and 3 - 4"),
            ("a.. b", "a . . b"),
            ("It's &quot;so&quot; &amp;lt; 5.", "It's \" so \" < 5 ."),
            ("well-known “quotes”", "well-known “quotes”"),
            ("<skipped>", ""),
            ("", ""),
        ] {
            assert_eq!(Tokenizer::V13a.tokenize(text), tokens, "{text}");
        }
    }

    #[test]
    fn intl_splits_unicode_marks_and_leaves_entities_and_a_final_dot_after_a_number() {
        // Expected: sacreBLEU 2.6.0's TokenizerV14International.
        for (text, tokens) in [
            ("“quotes” well-known", "“ quotes ” well - known"),
            ("5€ &amp; in 1999.", "5 € & amp ; in 1999."),
            ("1,000.5", "1,000.5"),
            ("中文，句子。", "中文 ， 句子 。"),
        ] {
            assert_eq!(Tokenizer::Intl.tokenize(text), tokens, "{text}");
        }
    }

    /// FNV-1a, 64 bits, over the code points as four little-endian bytes each.
    fn fnv1a(characters: impl Iterator<Item = char>) -> u64 {
        characters
            .flat_map(|c| u32::from(c).to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    }

    #[test]
    fn tables_are_sorted_and_hold_what_the_python_module_holds() {
        let expected = include_str!("../../../tests/fixtures/metrics/categories.json");
        let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
        for (name, table) in [("P", &PUNCTUATION[..]), ("S", &SYMBOLS[..]), ("N", &NUMBERS[..])] {
            assert!(table.is_sorted() && table.iter().all(|(first, last)| first <= last), "{name}");
            let members = || (0..=0x10_ffff).filter_map(char::from_u32).filter(|&c| holds(table, c));
            assert_eq!(members().count() as u64, expected[name]["count"], "{name}");
            assert_eq!(format!("{:016x}", fnv1a(members())), expected[name]["fnv1a"], "{name}");
        }
    }
}
