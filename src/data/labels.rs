//! The closed set of answers of a classification task, how an output is matched against it, and how labels are spread.
//!
//! It must not know how outputs are made; accuracy and the label ratio are computed elsewhere from these matches.

use crate::error::{Error, Result};

/// The label words of a task, in the order that label indices refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelSet {
    words: Vec<String>,
}

impl LabelSet {
    /// A set of at least two different words, each of which the normaliser leaves as it is: any other word could never be
    /// matched, and a label ratio of zero would follow silently.
    pub fn new(words: Vec<String>) -> Result<Self> {
        if words.len() < 2 {
            return Err(Error::input(format!("a label set needs at least 2 words, not {}", words.len()))
                .next("list every label word, or leave the words out for free text"));
        }
        for (index, word) in words.iter().enumerate() {
            if word.is_empty() || normalise(word) != word {
                return Err(Error::input(format!(
                    "label word `{word}` is empty, or starts or ends with a space or punctuation"
                ))
                .next("outputs are compared with those stripped; give the bare word"));
            }
            if words[..index].contains(word) {
                return Err(Error::input(format!("label word `{word}` is listed twice")).next("remove one of them"));
            }
        }
        Ok(Self { words })
    }

    /// The words.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Number of classes.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Never: a set has at least two words.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The word of class `label`.
    pub fn word(&self, label: usize) -> Option<&str> {
        self.words.get(label).map(String::as_str)
    }

    /// The class whose word is exactly `word`: no normaliser, as in a data file.
    pub fn index(&self, word: &str) -> Option<usize> {
        self.words.iter().position(|known| known == word)
    }

    /// The class that `output` *is*, once ASCII punctuation and white space around it are stripped; case counts. This is the
    /// label ratio's match.
    pub fn exact(&self, output: &str) -> Option<usize> {
        self.index(normalise(output))
    }

    /// The class whose word `output` *starts with*: its first word (as many words as the label has), stripped as in
    /// [`exact`](Self::exact), is the label word. This is accuracy's match, and a second column beside the label ratio.
    pub fn first_word(&self, output: &str) -> Option<usize> {
        let words: Vec<&str> = normalise(output).split_whitespace().collect();
        let starts_with = |label: &str| {
            let length = label.split_whitespace().count();
            length <= words.len() && normalise(&words[..length].join(" ")) == label
        };
        // The longest match wins, so that `Not sure` is not taken for `Not`.
        let matches = self.words.iter().enumerate().filter(|(_, label)| starts_with(label));
        matches.max_by_key(|(_, label)| label.len()).map(|(index, _)| index)
    }
}

/// `text` without the ASCII punctuation and white space around it.
pub fn normalise(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_ascii_punctuation() || character.is_whitespace())
}

/// How many of `labels` fall in each of `classes` classes.
///
/// # Panics
/// If a label is not below `classes`; labels from a task's split always are.
pub fn counts(labels: &[usize], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for &label in labels {
        counts[label] += 1;
    }
    counts
}

/// The label distribution `p_c`: the share of `labels` in each class. `None` without labels: a share of nothing is missing,
/// not zero.
pub fn distribution(labels: &[usize], classes: usize) -> Option<Vec<f64>> {
    if labels.is_empty() {
        return None;
    }
    let total = labels.len() as f64;
    Some(counts(labels, classes).into_iter().map(|count| count as f64 / total).collect())
}

/// The one class that all `labels` share, if they do. Shuffling such labels changes nothing, so that the cosine between
/// full and format gradient is 1 and says nothing: worth a warning.
pub fn single_class(labels: &[usize]) -> Option<usize> {
    let first = *labels.first()?;
    labels.iter().all(|&label| label == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(words: &[&str]) -> Result<LabelSet> {
        LabelSet::new(words.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn exact_strips_punctuation_and_spaces_around_and_keeps_case() {
        let set = set(&["True", "False"]).unwrap();
        for output in ["True", " True ", "True.", "\"True\"", "- True!\n", "(True)"] {
            assert_eq!(set.exact(output), Some(0), "{output}");
        }
        for output in ["", " ", "...", "true", "TRUE", "True False", "Truely", "It is True"] {
            assert_eq!(set.exact(output), None, "{output}");
        }
        assert_eq!(set.exact("False"), Some(1));
    }

    #[test]
    fn first_word_ignores_what_follows() {
        let rte = set(&["True", "False"]).unwrap();
        assert_eq!(rte.first_word("False, because it rains"), Some(1));
        assert_eq!(rte.first_word(" \"True\" they said"), Some(0));
        assert_eq!(rte.first_word("Truely False"), None);
        assert_eq!(rte.first_word("It is True"), None);
        assert_eq!(rte.first_word(""), None);
        let letters = set(&["A", "B", "C", "D"]).unwrap();
        assert_eq!(letters.first_word("A) a river"), Some(0));
        // Why the first word is the weaker measure: this is no answer.
        assert_eq!(letters.first_word("A man walks"), Some(0));
        assert_eq!(letters.exact("A man walks"), None);
    }

    #[test]
    fn words_of_several_words_match_whole_and_the_longest_wins() {
        let set = set(&["not", "not sure"]).unwrap();
        assert_eq!(set.first_word("not sure."), Some(1));
        assert_eq!(set.first_word("not  sure at all"), Some(1));
        assert_eq!(set.first_word("not at all"), Some(0));
    }

    #[test]
    fn refuses_sets_that_cannot_be_matched() {
        let refusal = |words: &[&str]| set(words).unwrap_err().to_string();
        assert!(refusal(&["True"]).starts_with("a label set needs at least 2 words, not 1;"));
        assert!(refusal(&["True", "False."]).starts_with("label word `False.` is empty, or starts or ends with"));
        assert!(refusal(&["True", ""]).starts_with("label word `` is empty"));
        assert_eq!(refusal(&["True", "True"]), "label word `True` is listed twice; remove one of them");
    }

    #[test]
    fn distribution_of_labels() {
        assert_eq!(counts(&[0, 1, 1, 1], 3), [1, 3, 0]);
        assert_eq!(distribution(&[0, 1, 1, 1], 3), Some(vec![0.25, 0.75, 0.0]));
        assert_eq!(distribution(&[], 2), None);
        assert_eq!(single_class(&[1, 1, 1]), Some(1));
        assert_eq!(single_class(&[1, 0, 1]), None);
        assert_eq!(single_class(&[]), None);
    }
}
