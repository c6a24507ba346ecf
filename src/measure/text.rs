//! Text as Python's string methods see it: the reference implementations of every text metric are written in Python.

/// Whether Python's `str.split` and `str.strip` take `character` for white space: Unicode's white space and the four
/// information separators.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// Python's `text.split()`.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Python's `' '.join(text.split())`: one space between words, none around them.
pub(super) fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in words(text) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_pythons() {
        // [c for c in range(0x110000) if chr(c).isspace()] has 29 members in Python 3.11.
        assert_eq!((0..=0x10ffff).filter_map(char::from_u32).filter(|&c| is_space(c)).count(), 29);
        assert_eq!(collapse(" a\u{1f}b\u{3000}\tc\u{200b} "), "a b c\u{200b}");
        assert_eq!(collapse(" \n "), "");
    }
}
