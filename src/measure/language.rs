//! In which of the tasks' languages a text is written: a small heuristic, not a language identifier.
//!
//! Two signs, both conservative. *Script*: more than half of the letters lie outside Unicode's Latin blocks, and none of the
//! languages here is written so. *Stop words*: words that one of the languages uses all the time and the three others
//! hardly ever; a text counts for the language with the most of them. A text of names, numbers or a few rare words shows
//! neither sign, and then nothing is claimed. `tests/measure/real.rs` says how often it errs on real sentences.

/// A language that an evaluation task expects its outputs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// German.
    German,
    /// French.
    French,
    /// Romanian.
    Romanian,
}

/// Fewer stop words than this are no evidence against the expected language.
const ENOUGH: usize = 2;

impl Language {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::English, Self::German, Self::French, Self::Romanian];

    /// Its stop words, lower-case and sorted. Words that are common in another of the four are left out: `die`, `in`, `was`,
    /// `des`, `la`, `un`, `care`, `mai`, …
    fn stop_words(self) -> &'static [&'static str] {
        match self {
            Self::English => &[
                "and", "are", "because", "been", "but", "by", "can", "could", "for", "from", "had", "has", "have",
                "he", "his", "if", "is", "it", "its", "of", "our", "she", "should", "that", "the", "their", "there",
                "these", "they", "this", "to", "we", "were", "what", "when", "which", "who", "with", "would", "you",
                "your",
            ],
            Self::German => &[
                "aber", "als", "auch", "auf", "aus", "bei", "bis", "das", "dem", "den", "der", "dieser", "durch",
                "ein", "eine", "einem", "einen", "einer", "für", "haben", "hat", "ich", "im", "ist", "kann", "mit",
                "nach", "nicht", "oder", "sich", "sie", "sind", "und", "vom", "von", "werden", "wir", "wird", "wurde",
                "zu", "zum", "zur", "über",
            ],
            Self::French => &[
                "aux", "avec", "cette", "dans", "elle", "elles", "est", "et", "il", "ils", "je", "les", "leur",
                "leurs", "mais", "nos", "notre", "nous", "ont", "où", "pas", "pour", "qu", "que", "qui", "sans", "ses",
                "son", "sont", "sur", "une", "vous", "été", "être",
            ],
            Self::Romanian => &[
                "această", "acest", "aceste", "ca", "cel", "cele", "cu", "că", "către", "după", "este", "fi", "fost",
                "lor", "nu", "pe", "pentru", "prin", "sau", "sunt", "să", "unei", "unui", "în", "şi", "și",
            ],
        }
    }

    /// How many words of `text` are stop words of this language.
    fn evidence(self, text: &str) -> usize {
        let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
        words.filter(|word| self.stop_words().binary_search(word).is_ok()).count()
    }

    /// Whether `text` shows that it is not in this language: by its script, or by at least two stop words of another language
    /// and more of them than of this one.
    pub fn rules_out(self, text: &str) -> bool {
        if !mostly_latin(text) {
            return true;
        }
        let text = text.to_lowercase();
        let others = Self::ALL.into_iter().filter(|&other| other != self);
        let most = others.map(|other| other.evidence(&text)).max().unwrap_or(0);
        most >= ENOUGH && most > self.evidence(&text)
    }
}

/// Whether at least half of the letters of `text` are in Latin blocks; so it is where there is no letter.
fn mostly_latin(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic());
    let (all, latin) = letters.fold((0, 0), |(all, latin), c| (all + 1, latin + usize::from(is_latin(c))));
    2 * latin >= all
}

/// Whether `letter` is in a block of Latin letters: Basic Latin to IPA Extensions, Latin Extended Additional, C, D and E,
/// the ligatures of Alphabetic Presentation Forms, and the full-width forms.
fn is_latin(letter: char) -> bool {
    matches!(
        u32::from(letter),
        0x0..=0x2af | 0x1e00..=0x1eff | 0x2c60..=0x2c7f | 0xa720..=0xa7ff | 0xab30..=0xab6f | 0xfb00..=0xfb06 | 0xff21..=0xff5a
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_sorted_and_no_language_shares_one() {
        for language in Language::ALL {
            let words = language.stop_words();
            assert!(words.is_sorted_by(|a, b| a < b), "{language:?}");
            for other in Language::ALL.into_iter().filter(|&other| other != language) {
                assert_eq!(
                    words.iter().find(|word| other.stop_words().contains(word)),
                    None,
                    "{language:?}, {other:?}"
                );
            }
        }
    }

    #[test]
    fn a_sentence_is_ruled_out_by_the_other_three_and_not_by_its_own() {
        for (language, text) in [
            (Language::English, "The house that we have seen is for sale."),
            (Language::German, "Das Haus, das wir gesehen haben, ist nicht zu verkaufen."),
            (Language::French, "La maison que nous avons vue est dans cette rue."),
            (Language::Romanian, "Casa pe care am văzut-o este de vânzare și nu este mare."),
        ] {
            for expected in Language::ALL {
                assert_eq!(expected.rules_out(text), expected != language, "{expected:?}: {text}");
            }
        }
    }

    #[test]
    fn without_evidence_nothing_is_ruled_out() {
        for text in ["", "1984", "Berlin", "True", "E = mc²", "Casa mare"] {
            assert!(!Language::German.rules_out(text), "{text}");
        }
        assert!(Language::English.rules_out("это не английский"));
        assert!(!Language::English.rules_out("这 is one sign among Latin letters"));
    }
}
