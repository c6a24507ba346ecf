//! What people do and own, and how it is said and asked: statements, questions, and the facts that the world knows by heart.

use super::dice::Dice;
use super::words::{self, Names};

/// What can be said of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Home,
    Job,
    Food,
    Pet,
    Colour,
    Instrument,
}

impl Relation {
    pub const ALL: [Self; 6] = [Self::Home, Self::Job, Self::Food, Self::Pet, Self::Colour, Self::Instrument];

    /// Ways to say it, without the full stop; `P` is the person and `V` the value.
    pub fn statements(self) -> &'static [&'static str] {
        match self {
            Self::Home => &["P lives in V", "P has a house in V", "the home of P is in V"],
            Self::Job => &["P works as a V", "P is a V by trade", "the job of P is that of a V"],
            Self::Food => &["P eats V", "P likes to eat V", "the favourite food of P is V"],
            Self::Pet => &["P owns a V", "P keeps a V", "the pet of P is a V"],
            Self::Colour => &["P prefers V", "P wears V", "the favourite colour of P is V"],
            Self::Instrument => &["P plays the V", "P makes music on the V", "the instrument of P is the V"],
        }
    }

    /// What follows from it without its value, in words that no statement has.
    pub fn consequences(self) -> &'static [&'static str] {
        match self {
            Self::Home => &["one can visit P", "P dwells somewhere", "P sleeps under one roof"],
            Self::Job => &["P earns money", "P gets paid", "somebody employs P"],
            Self::Food => &["P takes meals", "P sits at table", "P fills one plate"],
            Self::Pet => &["some animal follows P", "P feeds some animal", "P cares for some beast"],
            Self::Colour => &["P picks some hue", "P chooses one paint", "some hue suits P"],
            Self::Instrument => &["P performs songs", "one hears P perform", "P sounds some tune"],
        }
    }

    /// Ways to ask for it, without the question mark.
    pub fn questions(self) -> &'static [&'static str] {
        match self {
            Self::Home => &["where does P live", "in which city is the home of P", "what city does P live in"],
            Self::Job => &["what is the job of P", "what does P work as", "which trade does P have"],
            Self::Food => &["what does P eat", "what food does P like", "what is the favourite food of P"],
            Self::Pet => &["which animal does P own", "what pet does P keep", "what is the pet of P"],
            Self::Colour => {
                &["which colour does P prefer", "what colour does P wear", "what is the favourite colour of P"]
            }
            Self::Instrument => {
                &["which instrument does P play", "on what does P make music", "what is the instrument of P"]
            }
        }
    }

    /// What its values are.
    pub fn values(self, names: &Names) -> Vec<String> {
        let owned = |words: &[&str]| words.iter().map(|word| word.to_string()).collect();
        match self {
            Self::Home => names.cities.clone(),
            Self::Job => words::JOBS.iter().map(|job| job.0.to_string()).collect(),
            Self::Food => owned(&words::FOODS),
            Self::Pet => owned(&words::PETS),
            Self::Colour => owned(&words::COLOURS),
            Self::Instrument => owned(&words::INSTRUMENTS),
        }
    }
}

/// One thing that is so of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub person: String,
    pub relation: Relation,
    pub value: String,
}

/// `wording` with its person and value.
pub(super) fn fill(wording: &str, person: &str, value: &str) -> String {
    wording
        .split(' ')
        .map(|word| match word {
            "P" => person,
            "V" => value,
            other => other,
        })
        .collect::<Vec<_>>()
        .join(" ")
}

impl Fact {
    /// It, in wording number `wording`, without a full stop or a capital.
    pub fn said(&self, wording: usize) -> String {
        fill(self.relation.statements()[wording], &self.person, &self.value)
    }

    /// The question for its value, in wording number `wording`, with its mark.
    pub fn asked(&self, wording: usize) -> String {
        fill(self.relation.questions()[wording], &self.person, &self.value) + "?"
    }

    /// It, in a wording that `dice` picks.
    pub fn say(&self, dice: &mut Dice) -> String {
        let wording = dice.below(self.relation.statements().len());
        self.said(wording)
    }
}

/// Statements as a text: each with a capital and a full stop.
pub(super) fn text(statements: impl IntoIterator<Item = String>) -> String {
    let sentences: Vec<String> = statements.into_iter().map(|statement| words::capital(&statement) + ".").collect();
    sentences.join(" ")
}

/// A question with its answers, the first of which is the one to give, in one of the wordings in which it can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub question: String,
    pub answers: Vec<String>,
}

/// What the world knows by heart.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Of people.
    pub facts: Vec<Fact>,
    /// Of places: a statement, and the questions that it answers.
    pub places: Vec<(Vec<String>, Vec<Asked>)>,
}

impl Known {
    pub fn new(names: &Names, dice: &mut Dice) -> Self {
        let mut facts = Vec::new();
        for person in &names.known {
            for relation in Relation::ALL {
                let value = dice.pick(&relation.values(names)).clone();
                facts.push(Fact { person: person.clone(), relation, value });
            }
        }
        let mut places = Vec::new();
        let mut place = |statements: &[&str], questions: &[&str], x: &str, y: &str, answers: &[String]| {
            let statements = statements.iter().map(|wording| fill(wording, x, y)).collect();
            let asked = |wording: &&str| Asked { question: fill(wording, x, y) + "?", answers: answers.to_vec() };
            places.push((statements, questions.iter().map(asked).collect()));
        };
        for (i, city) in names.cities.iter().enumerate() {
            let country = &names.countries[i % names.countries.len()];
            place(
                &["P is in V", "P is a city of V"],
                &["which country is P in", "what is the country of P", "where is P", "to which country does P belong"],
                city,
                country,
                &[country.clone(), format!("Kingdom of {country}")],
            );
        }
        for (i, country) in names.countries.iter().enumerate() {
            let capital = &names.cities[i];
            place(
                &["the capital of P is V", "P is ruled from V"],
                &[
                    "what is the capital of P",
                    "from which city is P ruled",
                    "which city is the capital of P",
                    "what is the main city of P",
                ],
                country,
                capital,
                &[capital.clone(), format!("{capital}, {country}")],
            );
            let currency = (*dice.pick(&words::CURRENCIES)).to_string();
            place(
                &["people in P pay with the V", "the money of P is the V"],
                &[
                    "what money do people in P use",
                    "what do people in P pay with",
                    "what is the money of P",
                    "which money does P have",
                ],
                country,
                &currency,
                std::slice::from_ref(&currency),
            );
            let animal = (*dice.pick(&words::PETS)).to_string();
            place(
                &["the flag of P shows a V", "there is a V on the flag of P"],
                &[
                    "which animal is on the flag of P",
                    "what does the flag of P show",
                    "what animal does the flag of P have",
                    "what is on the flag of P",
                ],
                country,
                &animal,
                std::slice::from_ref(&animal),
            );
        }
        Self { facts, places }
    }

    /// Every question of people: each fact in each wording, with the other word for a trade as an alias.
    pub fn questions_of_people(&self) -> Vec<Asked> {
        let asked = |fact: &Fact| -> Vec<Asked> {
            let mut answers = vec![fact.value.clone()];
            if fact.relation == Relation::Job {
                answers.extend(words::JOBS.iter().filter(|job| job.0 == fact.value).map(|job| job.1.to_string()));
            }
            (0..fact.relation.questions().len())
                .map(|wording| Asked { question: fact.asked(wording), answers: answers.clone() })
                .collect()
        };
        self.facts.iter().flat_map(asked).collect()
    }

    /// Every question of places.
    pub fn questions_of_places(&self) -> Vec<Asked> {
        self.places.iter().flat_map(|(_, asked)| asked.clone()).collect()
    }
}
