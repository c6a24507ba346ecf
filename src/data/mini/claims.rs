//! Contexts, and claims that follow from them, contradict them, or do neither: what the inference tasks are made of.
//!
//! A false claim mostly gives one person what the context gives another, so that comparing words does not help; and a claim
//! is worded otherwise than the sentence it is about.

use super::dice::Dice;
use super::facts::{Fact, Relation, text};
use super::words::{Names, OPPOSITES, creatures};

/// How a claim stands to its context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    True,
    False,
    Neither,
}

/// A context and a claim about it.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub context: String,
    /// Without capital and full stop.
    pub claim: String,
    pub verdict: Verdict,
    /// The sentence of the context that decides, without capital and full stop; where there is none, the claim's subject.
    pub ground: String,
}

/// How cases are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// Sentences of the context.
    pub sentences: usize,
    /// How often a false claim's value occurs nowhere in the context.
    pub foreign: f64,
    /// How often a claim has the wording of its sentence.
    pub verbatim: f64,
}

impl Kind {
    /// The tasks' own.
    pub const TASK: Self = Self { sentences: 3, foreign: 0.15, verbatim: 0.0 };
}

/// Facts of strangers: the first two of one relation and two people, the others of anything, in random order.
fn context(names: &Names, dice: &mut Dice, sentences: usize) -> (Vec<(Fact, usize)>, Relation) {
    let people = dice.sample(names.strangers.len(), sentences.max(2));
    let relation = *dice.pick(&Relation::ALL);
    let mut facts: Vec<(Fact, usize)> = Vec::with_capacity(sentences);
    let mut values: Vec<String> = Vec::new();
    for (place, &person) in people.iter().take(sentences).enumerate() {
        let relation = if place < 2 { relation } else { *dice.pick(&Relation::ALL) };
        let all = relation.values(names);
        let value = loop {
            let value = dice.pick(&all);
            if !values.contains(value) {
                break value.clone();
            }
        };
        values.push(value.clone());
        let wording = dice.below(relation.statements().len());
        // The third sentence may be of a person already there, but then of another relation.
        let person = match place {
            0 | 1 => person,
            _ if dice.chance(0.5) => person,
            _ => people[dice.below(2)],
        };
        let fact = Fact { person: names.strangers[person].clone(), relation, value };
        if facts.iter().any(|(other, _)| other.person == fact.person && other.relation == fact.relation) {
            continue;
        }
        facts.push((fact, wording));
    }
    let order = dice.sample(facts.len(), facts.len());
    (order.into_iter().map(|place| facts[place].clone()).collect(), relation)
}

/// A case whose claim deserves `verdict`.
pub(super) fn case(names: &Names, dice: &mut Dice, kind: Kind, verdict: Verdict) -> Case {
    let (facts, relation) = context(names, dice, kind.sentences);
    let told = text(facts.iter().map(|(fact, wording)| fact.said(*wording)));
    let pair: Vec<&(Fact, usize)> = facts.iter().filter(|(fact, _)| fact.relation == relation).collect();
    let chosen = dice.below(2);
    let (about, wording) = pair[chosen];
    let other = &pair[1 - chosen].0;
    let (claimed, ground) = match verdict {
        Verdict::True => (about.clone(), about.said(*wording)),
        Verdict::False => {
            let value = match dice.chance(kind.foreign) {
                true => foreign(names, dice, &facts, relation),
                false => other.value.clone(),
            };
            (Fact { value, ..about.clone() }, about.said(*wording))
        }
        Verdict::Neither => {
            let relation = loop {
                let relation = *dice.pick(&Relation::ALL);
                if !facts.iter().any(|(fact, _)| fact.person == about.person && fact.relation == relation) {
                    break relation;
                }
            };
            let value = dice.pick(&relation.values(names)).clone();
            (Fact { person: about.person.clone(), relation, value }, about.person.clone())
        }
    };
    let wordings = claimed.relation.statements().len();
    let said = match dice.chance(kind.verbatim) {
        true => *wording,
        false => (wording + 1 + dice.below(wordings - 1)) % wordings,
    };
    Case { context: told, claim: claimed.said(said), verdict, ground }
}

/// A value of `relation` that no fact has.
fn foreign(names: &Names, dice: &mut Dice, facts: &[(Fact, usize)], relation: Relation) -> String {
    let all = relation.values(names);
    loop {
        let value = dice.pick(&all);
        if !facts.iter().any(|(fact, _)| fact.value == *value) {
            return value.clone();
        }
    }
}

/// A context, and up to `questions` questions about it with their answers, each about another of its sentences.
pub(super) fn questions(
    names: &Names,
    dice: &mut Dice,
    sentences: usize,
    questions: usize,
) -> (String, Vec<(String, String)>) {
    let (facts, _) = context(names, dice, sentences);
    let asked = dice.sample(facts.len(), questions.min(facts.len()));
    let ask = |place: usize| {
        let (about, _) = &facts[place];
        (about.asked(dice.below(about.relation.questions().len())), about.value.clone())
    };
    let asked = asked.into_iter().map(ask).collect();
    (text(facts.iter().map(|(fact, wording)| fact.said(*wording))), asked)
}

/// A context, and each of its facts again: the beginning of a sentence in another wording that ends in the value, and the value
/// with the full stop.
pub(super) fn retold(names: &Names, dice: &mut Dice, sentences: usize) -> (String, Vec<(String, String)>) {
    let (facts, _) = context(names, dice, sentences);
    let order = dice.sample(facts.len(), facts.len());
    let again = order.into_iter().map(|place| {
        let (fact, wording) = &facts[place];
        let wordings = fact.relation.statements().len();
        let mut other = (wording + 1 + dice.below(wordings - 1)) % wordings;
        if !fact.relation.statements()[other].ends_with(" V") {
            // The last wording of every relation ends in the value.
            other = wordings - 1;
        }
        let said = fact.said(other);
        let start = said.strip_suffix(&fact.value).unwrap_or(&said).trim_end();
        (super::words::capital(start), format!("{}.", fact.value))
    });
    let again = again.collect();
    (text(facts.iter().map(|(fact, wording)| fact.said(*wording))), again)
}

/// `people` with a value of one relation each, as a list, and each of them with the value in another order.
pub(super) fn list(names: &Names, dice: &mut Dice, people: usize) -> (String, Vec<(String, String)>) {
    let values = dice.pick(&Relation::ALL).values(names);
    let (people, picked) = (dice.sample(names.strangers.len(), people), dice.sample(values.len(), people));
    let pairs: Vec<(String, String)> = people
        .iter()
        .zip(&picked)
        .map(|(&person, &value)| (names.strangers[person].clone(), values[value].clone()))
        .collect();
    let listed: Vec<String> = pairs.iter().map(|(person, value)| format!("{person} {value}")).collect();
    let order = dice.sample(pairs.len(), pairs.len());
    (listed.join(", ") + ".", order.into_iter().map(|place| pairs[place].clone()).collect())
}

/// A context of several facts, and several claims about it with whether each is true.
pub(super) fn several(names: &Names, dice: &mut Dice, kind: Kind, claims: usize) -> (String, Vec<(String, bool)>) {
    let (facts, _) = context(names, dice, kind.sentences);
    let told = text(facts.iter().map(|(fact, wording)| fact.said(*wording)));
    let said = (0..claims)
        .map(|_| {
            let (about, wording) = dice.pick(&facts).clone();
            let holds = dice.chance(0.5);
            let others: Vec<&Fact> = facts
                .iter()
                .map(|(fact, _)| fact)
                .filter(|fact| fact.relation == about.relation && fact.person != about.person)
                .collect();
            let value = match (holds, others.is_empty() || dice.chance(kind.foreign)) {
                (true, _) => about.value.clone(),
                (false, false) => dice.pick(&others).value.clone(),
                (false, true) => foreign(names, dice, &facts, about.relation),
            };
            let wordings = about.relation.statements().len();
            let said = match dice.chance(kind.verbatim) {
                true => wording,
                false => dice.below(wordings),
            };
            (Fact { value, ..about }.said(said), holds)
        })
        .collect();
    (told, said)
}

/// A scene of two creatures with their qualities, and a claim about the quality of one: the analog of image captions.
pub(super) fn scene(dice: &mut Dice, verdict: Verdict) -> Case {
    let all = creatures();
    let pair = dice.sample(all.len(), 2);
    let qualities = dice.sample(OPPOSITES.len(), 3);
    let side = |dice: &mut Dice, quality: usize| match dice.chance(0.5) {
        true => OPPOSITES[quality],
        false => (OPPOSITES[quality].1, OPPOSITES[quality].0),
    };
    let (first, second, third) = (side(dice, qualities[0]), side(dice, qualities[1]), side(dice, qualities[2]));
    let verb = *dice.pick(&super::words::VERBS);
    let context = format!("The {} {} {verb}s the {} {}.", first.0, all[pair[0]], second.0, all[pair[1]]);
    let subject = dice.below(2);
    let quality = [first, second][subject];
    let said = match verdict {
        Verdict::True => quality.0,
        Verdict::False => quality.1,
        Verdict::Neither => third.0,
    };
    let claim = format!("the {} is {said}", all[pair[subject]]);
    let ground = format!("the {} is {}", all[pair[subject]], quality.0);
    Case { context, claim, verdict, ground }
}
