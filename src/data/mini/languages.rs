//! Three invented languages: each has its own lexicon, word order and morphology, and carries the name of the real one whose
//! place it takes.
//!
//! - "French": articles by gender and number, adjectives behind the noun and in agreement with it.
//! - "German": nouns with capitals, articles by gender and case, the verb at the end.
//! - "Romanian": the verb first, the article an ending of the noun, the object marked by `pe`.

use std::collections::BTreeMap;

use super::dice::Dice;
use super::words::{VERBS, adjectives, capital, creatures, invent};
use crate::spec::Seeds;

/// What one can translate to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Language {
    French,
    German,
    Romanian,
}

/// A noun with its adjective.
#[derive(Debug, Clone, Copy)]
struct Phrase {
    adjective: &'static str,
    noun: &'static str,
    plural: bool,
}

/// `The A N V the A N.`
#[derive(Debug, Clone, Copy)]
pub(super) struct Sentence {
    subject: Phrase,
    verb: &'static str,
    object: Phrase,
}

impl Phrase {
    fn new(dice: &mut Dice, not: &str) -> Self {
        let creatures: Vec<&'static str> = creatures().into_iter().filter(|noun| *noun != not).collect();
        Self { adjective: *dice.pick(&adjectives()), noun: *dice.pick(&creatures), plural: dice.chance(0.3) }
    }

    fn english(self) -> String {
        format!("the {} {}{}", self.adjective, self.noun, if self.plural { "s" } else { "" })
    }
}

impl Sentence {
    pub fn new(dice: &mut Dice) -> Self {
        let subject = Phrase::new(dice, "");
        let object = Phrase::new(dice, subject.noun);
        Self { subject, verb: *dice.pick(&VERBS), object }
    }

    /// In English, with capital and full stop.
    pub fn english(self) -> String {
        let verb = format!("{}{}", self.verb, if self.subject.plural { "" } else { "s" });
        capital(&format!("{} {verb} {}.", self.subject.english(), self.object.english()))
    }
}

/// The words of one language.
#[derive(Debug, Clone)]
pub(super) struct Lexicon {
    /// English word → its stem here.
    pub stems: BTreeMap<&'static str, String>,
    /// Nouns (in English) of the feminine gender.
    feminine: Vec<&'static str>,
}

impl Language {
    pub const ALL: [Self; 3] = [Self::French, Self::German, Self::Romanian];

    pub fn name(self) -> &'static str {
        match self {
            Self::French => "French",
            Self::German => "German",
            Self::Romanian => "Romanian",
        }
    }

    fn syllables(self) -> &'static [&'static str] {
        match self {
            Self::French => &["chau", "beu", "lon", "ter", "mai", "vin", "gra", "pou", "cel", "dou", "jar", "fin"],
            Self::German => &["kra", "sch", "ber", "wul", "fen", "tar", "hol", "zig", "mut", "lau", "bro", "gen"],
            Self::Romanian => &["car", "bun", "zor", "pes", "mic", "dru", "tim", "nor", "gal", "vra", "cop", "lin"],
        }
    }

    /// Articles and endings, which are words and pieces of their own.
    pub fn pieces(self) -> &'static [&'static str] {
        match self {
            Self::French => &["▁Le", "▁La", "▁Les", "▁le", "▁la", "▁les", "e", "s", "es", "ent"],
            Self::German => &["▁Der", "▁Die", "▁der", "▁die", "▁den", "e", "en", "er", "t"],
            Self::Romanian => &["▁pe", "ul", "a", "ii", "ele", "e", "i", "u"],
        }
    }
}

impl Lexicon {
    pub fn new(language: Language, seeds: &Seeds) -> Self {
        let mut dice = Dice::new(seeds, "mini.lexicon", language as u64);
        let mut taken = Vec::new();
        let english: Vec<&'static str> = creatures().into_iter().chain(adjectives()).chain(VERBS).collect();
        let mut stems = invent(&mut dice, &mut taken, language.syllables(), 2, english.len());
        if language == Language::German {
            let nouns = creatures().len();
            stems.iter_mut().take(nouns).for_each(|stem| *stem = capital(stem));
        }
        let feminine = creatures().into_iter().filter(|_| dice.chance(0.4)).collect();
        Self { stems: english.into_iter().zip(stems).collect(), feminine }
    }

    fn stem(&self, english: &str) -> &str {
        self.stems.get(english).map_or("", String::as_str)
    }

    /// `sentence` in this language, with capital and full stop.
    pub fn translate(&self, language: Language, sentence: Sentence) -> String {
        let verb = self.stem(sentence.verb);
        let (s, o) = (sentence.subject, sentence.object);
        let text = match language {
            Language::French => {
                let ending = if s.plural { "ent" } else { "e" };
                format!("{} {verb}{ending} {}.", self.french(s), self.french(o))
            }
            Language::German => {
                let ending = if s.plural { "en" } else { "t" };
                format!("{} {} {verb}{ending}.", self.german(s, false), self.german(o, true))
            }
            Language::Romanian => {
                let ending = if s.plural { "u" } else { "e" };
                format!("{verb}{ending} {} pe {}.", self.romanian(s), self.romanian(o))
            }
        };
        capital(&text)
    }

    fn french(&self, phrase: Phrase) -> String {
        let feminine = self.feminine.contains(&phrase.noun);
        let (article, noun_ending, ending) = match (phrase.plural, feminine) {
            (true, true) => ("les", "s", "es"),
            (true, false) => ("les", "s", "s"),
            (false, true) => ("la", "", "e"),
            (false, false) => ("le", "", ""),
        };
        format!("{article} {}{noun_ending} {}{ending}", self.stem(phrase.noun), self.stem(phrase.adjective))
    }

    fn german(&self, phrase: Phrase, accusative: bool) -> String {
        let feminine = self.feminine.contains(&phrase.noun);
        let (article, ending) = match (phrase.plural, feminine, accusative) {
            (true, _, _) => ("die", "en"),
            (false, true, _) => ("die", "e"),
            (false, false, true) => ("den", "en"),
            (false, false, false) => ("der", "e"),
        };
        let noun_ending = if phrase.plural { "er" } else { "" };
        format!("{article} {}{ending} {}{noun_ending}", self.stem(phrase.adjective), self.stem(phrase.noun))
    }

    fn romanian(&self, phrase: Phrase) -> String {
        let feminine = self.feminine.contains(&phrase.noun);
        let (article, ending) = match (phrase.plural, feminine) {
            (true, true) => ("ele", "e"),
            (true, false) => ("ii", "i"),
            (false, true) => ("a", "a"),
            (false, false) => ("ul", ""),
        };
        format!("{}{article} {}{ending}", self.stem(phrase.noun), self.stem(phrase.adjective))
    }
}
