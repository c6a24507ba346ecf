//! Contexts, and claims that follow from them, contradict them, or do neither: what the inference tasks are made of.
//!
//! A context says several things of one person, and a claim what would follow from one of them or from another ("Bade plays the
//! horn": "one hears Bade perform"). Claims share no word with sentences but the name, so that comparing words does not help.

use super::dice::Dice;
use super::facts::{Fact, Relation, fill, text};
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
}

/// How cases are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// Sentences of the context, at most five.
    pub sentences: usize,
    /// Whether claims may be denied: what follows is then contradicted, and what does not is open.
    pub denied: bool,
}

impl Kind {
    /// The tasks' own.
    pub const TASK: Self = Self { sentences: 3, denied: false };
}

/// Facts of one stranger, each of another relation, with the wordings in which they are said.
fn facts(names: &Names, dice: &mut Dice, sentences: usize) -> Vec<(Fact, usize)> {
    let person = dice.pick(&names.strangers).clone();
    let relations = dice.sample(Relation::ALL.len(), sentences);
    let fact = |relation: usize| {
        let relation = Relation::ALL[relation];
        let value = dice.pick(&relation.values(names)).clone();
        (Fact { person: person.clone(), relation, value }, dice.below(relation.statements().len()))
    };
    relations.into_iter().map(fact).collect()
}

fn told(facts: &[(Fact, usize)]) -> String {
    text(facts.iter().map(|(fact, wording)| fact.said(*wording)))
}

/// What follows for the person of `facts` from one of them, or from none; and in the first case, from which.
fn claim<'a>(dice: &mut Dice, facts: &'a [(Fact, usize)], follows: bool) -> (String, &'a (Fact, usize)) {
    let ground = dice.pick(facts);
    let relation = match follows {
        true => ground.0.relation,
        false => loop {
            let relation = *dice.pick(&Relation::ALL);
            if !facts.iter().any(|(fact, _)| fact.relation == relation) {
                break relation;
            }
        },
    };
    let wording = *dice.pick(relation.consequences());
    (fill(wording, &ground.0.person, ""), ground)
}

/// A case whose claim deserves `verdict`.
pub(super) fn case(names: &Names, dice: &mut Dice, kind: Kind, verdict: Verdict) -> Case {
    let facts = facts(names, dice, kind.sentences);
    let follows = verdict == Verdict::True || (kind.denied && verdict == Verdict::False);
    let (mut claim, _) = claim(dice, &facts, follows);
    if kind.denied && (verdict == Verdict::False || (verdict == Verdict::Neither && dice.chance(0.5))) {
        claim = format!("it is untrue that {claim}");
    }
    Case { context: told(&facts), claim, verdict }
}

/// A context, and several claims about it with whether each follows.
pub(super) fn several(
    names: &Names,
    dice: &mut Dice,
    sentences: usize,
    claims: usize,
) -> (String, Vec<(String, bool)>) {
    let facts = facts(names, dice, sentences);
    let said = (0..claims).map(|_| {
        let follows = dice.chance(0.5);
        (claim(dice, &facts, follows).0, follows)
    });
    let said = said.collect();
    (told(&facts), said)
}

/// A context, a claim that follows from it, and the sentence from which it does, without capital and full stop.
pub(super) fn reason(names: &Names, dice: &mut Dice, sentences: usize) -> (String, String, String) {
    let facts = facts(names, dice, sentences);
    let (claim, (ground, wording)) = claim(dice, &facts, true);
    (told(&facts), claim, ground.said(*wording))
}

/// A context, and up to `questions` questions about it with their answers, each about another of its sentences.
pub(super) fn questions(
    names: &Names,
    dice: &mut Dice,
    sentences: usize,
    questions: usize,
) -> (String, Vec<(String, String)>) {
    let facts = facts(names, dice, sentences);
    let asked = dice.sample(facts.len(), questions.min(facts.len()));
    let ask = |place: usize| {
        let (about, _) = &facts[place];
        (about.asked(dice.below(about.relation.questions().len())), about.value.clone())
    };
    let asked = asked.into_iter().map(ask).collect();
    (told(&facts), asked)
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
    Case { context, claim, verdict }
}
