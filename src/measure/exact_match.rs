//! Exact match of a free answer: two published normalisers, the best over all of a question's aliases.
//!
//! Sources: `triviaqa_evaluation.py` of the TriviaQA release (Joshi et al. 2017) and `evaluate-v1.1.py` of SQuAD (Rajpurkar
//! et al. 2016); T5's `qa_utils.py` has the same two. An alias that normalises to nothing ("The The") matches an output that
//! does: so it is in both scripts.

use super::text::collapse;

/// How an answer is normalised before it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normaliser {
    /// Punctuation becomes a space: `_`, ASCII's, and ‘ ’ ´.
    TriviaQa,
    /// ASCII punctuation, `_` among it, is removed; other marks stay. WebQuestions is scored with it.
    Squad,
}

impl Normaliser {
    /// Both.
    pub const ALL: [Self; 2] = [Self::TriviaQa, Self::Squad];

    /// Its name in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::TriviaQa => "triviaqa",
            Self::Squad => "squad",
        }
    }

    /// `text` in lower case, without punctuation, the words *a*, *an* and *the*, and needless white space.
    pub fn normalise(self, text: &str) -> String {
        let text = text.to_lowercase();
        let unmarked: String = match self {
            Self::TriviaQa => text.chars().map(|c| if is_trivia_mark(c) { ' ' } else { c }).collect(),
            Self::Squad => text.chars().filter(|c| !c.is_ascii_punctuation()).collect(),
        };
        collapse(&without_articles(&unmarked))
    }

    /// Whether `output` is one of `aliases`, once both are normalised.
    pub fn matches(self, output: &str, aliases: &[impl AsRef<str>]) -> bool {
        let output = self.normalise(output);
        aliases.iter().any(|alias| self.normalise(alias.as_ref()) == output)
    }

    /// The signature of a score.
    pub fn signature(self) -> String {
        format!("exact-match|normaliser:{}|aliases:best|version:fsa-{}", self.name(), env!("CARGO_PKG_VERSION"))
    }
}

fn is_trivia_mark(character: char) -> bool {
    character.is_ascii_punctuation() || matches!(character, '‘' | '’' | '´')
}

/// `s/\b(a|an|the)\b/ /g`: a run of word characters that is an article becomes a space.
///
/// Word characters are Rust's alphanumerics and `_`. Python's leave out the few signs that are alphabetic without being
/// letters (vowel signs of Indic scripts, circled letters); it matters only for one that touches a bare `a`, `an` or `the`.
fn without_articles(text: &str) -> String {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (run, after) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
        out.push_str(if matches!(run, "a" | "an" | "the") { " " } else { run });
        let (marks, after) = after.split_at(after.find(is_word).unwrap_or(after.len()));
        out.push_str(marks);
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_normalisers_differ_in_punctuation() {
        assert_eq!(Normaliser::TriviaQa.normalise("The U.S._A., an O’Neill"), "u s o neill");
        assert_eq!(Normaliser::Squad.normalise("The U.S._A., an O’Neill"), "usa o’neill");
    }

    #[test]
    fn any_alias_will_do() {
        assert!(Normaliser::TriviaQa.matches("the Beatles!", &["Fab Four", "Beatles"]));
        assert!(!Normaliser::TriviaQa.matches("Beatle", &["Fab Four", "Beatles"]));
        assert!(!Normaliser::Squad.matches("anything", &[] as &[&str]));
    }
}
