//! Contexts, and claims that follow from them, contradict them, or do neither: what the inference tasks are made of.
//!
//! A claim says what follows for somebody from having a thing of some kind ("Bade plays the horn": "one hears Bade perform"). A
//! claim that does not follow mostly says of one person what follows for another, so that comparing words does not help; and
//! claims share no word with sentences but the name.

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
    /// How often a claim that does not follow for its person follows for nobody of the context.
    pub foreign: f64,
    /// Whether claims may be denied: what follows is then contradicted, and what does not is open.
    pub denied: bool,
}

impl Kind {
    /// The tasks' own.
    pub const TASK: Self = Self { sentences: 3, foreign: 0.15, denied: false };
}

/// One fact each of several strangers, of two relations (of three in longer contexts): who has what must be known, since a relation
/// alone does not say who.
fn mixed(names: &Names, dice: &mut Dice, sentences: usize) -> Vec<(Fact, usize)> {
    let people = dice.sample(names.strangers.len(), sentences);
    let relations = dice.sample(Relation::ALL.len(), if sentences > 4 { 3 } else { 2 });
    let mut facts: Vec<(Fact, usize)> = Vec::with_capacity(sentences);
    for (place, person) in people.into_iter().enumerate() {
        // The first two differ, so that there is always something that does not follow.
        let relation = match relations.get(place) {
            Some(&relation) => Relation::ALL[relation],
            None => Relation::ALL[*dice.pick(&relations)],
        };
        let values = relation.values(names);
        let value = loop {
            let value = dice.pick(&values);
            if !facts.iter().any(|(fact, _)| fact.value == *value) {
                break value.clone();
            }
        };
        let wording = dice.below(relation.statements().len());
        facts.push((Fact { person: names.strangers[person].clone(), relation, value }, wording));
    }
    let order = dice.sample(facts.len(), facts.len());
    order.into_iter().map(|place| facts[place].clone()).collect()
}

/// What follows for the person of `about`, or does not: then mostly what follows for somebody else of `facts`.
fn claim(dice: &mut Dice, facts: &[(Fact, usize)], about: &Fact, follows: bool, foreign: f64) -> String {
    let has = |relation: Relation| facts.iter().any(|(fact, _)| fact.relation == relation);
    let relation = match (follows, dice.chance(foreign)) {
        (true, _) => about.relation,
        (false, foreign) => loop {
            let relation = *dice.pick(&Relation::ALL);
            if relation != about.relation && has(relation) != foreign {
                break relation;
            }
        },
    };
    let wording = *dice.pick(relation.consequences());
    super::facts::fill(wording, &about.person, "")
}

/// Facts of strangers: the first two of one relation and two people, the others of anything, in random order.
fn context(names: &Names, dice: &mut Dice, sentences: usize) -> Vec<(Fact, usize)> {
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
    order.into_iter().map(|place| facts[place].clone()).collect()
}

/// A case whose claim deserves `verdict`.
pub(super) fn case(names: &Names, dice: &mut Dice, kind: Kind, verdict: Verdict) -> Case {
    let facts = mixed(names, dice, kind.sentences);
    let told = text(facts.iter().map(|(fact, wording)| fact.said(*wording)));
    let (about, wording) = dice.pick(&facts).clone();
    let follows = verdict == Verdict::True || (kind.denied && verdict == Verdict::False);
    let mut claim = claim(dice, &facts, &about, follows, kind.foreign);
    if kind.denied && (verdict == Verdict::False || (verdict == Verdict::Neither && dice.chance(0.5))) {
        claim = format!("it is untrue that {claim}");
    }
    Case { context: told, claim, verdict, ground: about.said(wording) }
}

/// A context, and up to `questions` questions about it with their answers, each about another of its sentences.
pub(super) fn questions(
    names: &Names,
    dice: &mut Dice,
    sentences: usize,
    questions: usize,
) -> (String, Vec<(String, String)>) {
    let facts = context(names, dice, sentences);
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
    let facts = context(names, dice, sentences);
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

/// A claim with the value that its person does have, and whether it is true.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub claim: String,
    pub value: String,
    pub holds: bool,
}

/// People with a thing of another kind each, as a list, and the facts.
fn things(names: &Names, dice: &mut Dice, people: usize) -> (String, Vec<Fact>) {
    let facts = mixed(names, dice, people);
    let listed: Vec<String> = facts.iter().map(|(fact, _)| format!("{} {}", fact.person, fact.value)).collect();
    (listed.join(", ") + ".", facts.into_iter().map(|(fact, _)| fact).collect())
}

/// A list of people with things, and the kind of each one's in another order.
pub(super) fn kinds(names: &Names, dice: &mut Dice, people: usize) -> (String, Vec<(String, String)>) {
    let (list, things) = things(names, dice, people);
    let order = dice.sample(things.len(), things.len());
    let of = |place: usize| (things[place].person.clone(), things[place].relation.kind().to_string());
    (list, order.into_iter().map(of).collect())
}

/// The same list, and `claims` about it with whether each is true: a person with a kind.
pub(super) fn checked_list(names: &Names, dice: &mut Dice, people: usize, claims: usize) -> (String, Vec<Said>) {
    let (list, things) = things(names, dice, people);
    let said = |dice: &mut Dice| {
        let Fact { person, relation: own, value } = dice.pick(&things).clone();
        let holds = dice.chance(0.5);
        let kind = loop {
            let among = things.len() > 1 && dice.chance(0.8);
            let kind = if among { dice.pick(&things).relation } else { *dice.pick(&Relation::ALL) };
            if kind != own {
                break kind;
            }
        };
        Said { claim: format!("{person} {}", if holds { own } else { kind }.kind()), value, holds }
    };
    let said = (0..claims).map(|_| said(dice)).collect();
    (list, said)
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

/// A context, and statements about it, half of which give somebody what is another's or nobody's, each with the value that is so:
/// where the statement is right, what it says itself.
pub(super) fn corrected(
    names: &Names,
    dice: &mut Dice,
    sentences: usize,
    statements: usize,
) -> (String, Vec<(String, String)>) {
    let facts = context(names, dice, sentences);
    let told = text(facts.iter().map(|(fact, wording)| fact.said(*wording)));
    let said = (0..statements).map(|_| {
        let (about, wording) = dice.pick(&facts).clone();
        let others: Vec<&Fact> = facts
            .iter()
            .map(|(fact, _)| fact)
            .filter(|fact| fact.relation == about.relation && fact.person != about.person)
            .collect();
        let value = match (dice.chance(0.5), others.is_empty() || dice.chance(0.5)) {
            (true, _) => about.value.clone(),
            (false, false) => dice.pick(&others).value.clone(),
            (false, true) => foreign(names, dice, &facts, about.relation),
        };
        let said = if dice.chance(0.4) { wording } else { dice.below(about.relation.statements().len()) };
        (Fact { value, ..about.clone() }.said(said), about.value)
    });
    (told.clone(), said.collect())
}

/// The same of a list as [`list`] makes it.
pub(super) fn corrected_list(
    names: &Names,
    dice: &mut Dice,
    people: usize,
    statements: usize,
) -> (String, Vec<(String, String)>) {
    let (list, pairs) = list(names, dice, people);
    let said = (0..statements).map(|_| {
        let (person, value) = dice.pick(&pairs).clone();
        let claimed = if dice.chance(0.5) { value.clone() } else { dice.pick(&pairs).1.clone() };
        (format!("{person} {claimed}"), value)
    });
    (list, said.collect())
}

/// A context of several facts, and several claims about it with whether each is true.
pub(super) fn several(names: &Names, dice: &mut Dice, kind: Kind, claims: usize) -> (String, Vec<Said>) {
    let facts = mixed(names, dice, kind.sentences);
    let told = text(facts.iter().map(|(fact, wording)| fact.said(*wording)));
    let said = (0..claims).map(|_| {
        let (about, _) = dice.pick(&facts).clone();
        let holds = dice.chance(0.5);
        Said { claim: claim(dice, &facts, &about, holds, kind.foreign), value: about.value, holds }
    });
    (told.clone(), said.collect())
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
