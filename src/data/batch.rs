//! Examples as token ids, one vector each and no padding. How they are laid out for the engine is the engine's business.

use super::example::Split;
use crate::error::{Error, Result};

/// One example as token ids; both sides end in the end-of-sequence token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokenized {
    /// The prompt's ids.
    pub source: Vec<u32>,
    /// The target's ids.
    pub target: Vec<u32>,
}

/// The examples of `split` as ids, in order. `encode` is the tokenizer's; it ends every text in the end-of-sequence token.
/// A source or target without a token besides that one is an error naming its row.
pub fn tokenize(split: &Split, encode: impl Fn(&str) -> Result<Vec<u32>>) -> Result<Vec<Tokenized>> {
    let side = |row: usize, what: &str, text: &str| {
        let ids = encode(text)?;
        if ids.len() < 2 {
            return Err(Error::input(format!("the {what} of row {row} (from 0) has no tokens"))
                .at(&split.path)
                .next("give it some text or remove the row"));
        }
        Ok(ids)
    };
    let examples = split.examples.iter().map(|example| {
        Ok(Tokenized {
            source: side(example.row, "source", &example.source)?,
            target: side(example.row, "target", &example.target)?,
        })
    });
    examples.collect()
}

#[cfg(test)]
mod tests {
    use super::super::example::Example;
    use super::*;

    fn split(source: &str, target: &str) -> Split {
        let example = |source: &str, row| Example {
            row,
            source: source.into(),
            target: target.into(),
            references: vec![target.into()],
            label: None,
            article: None,
        };
        Split::of_file("a.tsv".into(), vec![example("ab", 0), example(source, 2)], 1, String::new())
    }

    fn bytes(text: &str) -> Result<Vec<u32>> {
        Ok(text.bytes().map(u32::from).chain([1]).collect())
    }

    #[test]
    fn every_example_in_order() {
        let tokenized = tokenize(&split("c", "d"), bytes).unwrap();
        assert_eq!(tokenized[0], Tokenized { source: vec![97, 98, 1], target: vec![100, 1] });
        assert_eq!(tokenized[1].source, [99, 1]);
    }

    #[test]
    fn empty_sides_name_their_row() {
        assert_eq!(
            tokenize(&split("", "d"), bytes).unwrap_err().to_string(),
            "a.tsv: the source of row 2 (from 0) has no tokens; give it some text or remove the row"
        );
        assert!(tokenize(&split("c", ""), bytes).unwrap_err().to_string().contains("the target of row 0"));
    }
}
