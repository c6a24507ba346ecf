//! Articles with summaries: news of one person, and guides in three steps.

use super::dice::Dice;
use super::facts::{Fact, Relation, text};
use super::words::{ACTIONS, Names, THINGS, capital};

/// An article and its summary.
#[derive(Debug, Clone)]
pub(super) struct Article {
    pub text: String,
    pub summary: String,
}

/// News of a stranger: trade, home, pet and something else in any order; the summary keeps the first three.
pub(super) fn news(names: &Names, dice: &mut Dice) -> Article {
    let person = dice.pick(&names.strangers).clone();
    let mut fact = |relation: Relation| Fact {
        person: person.clone(),
        relation,
        value: dice.pick(&relation.values(names)).clone(),
    };
    let kept = [fact(Relation::Job), fact(Relation::Home), fact(Relation::Pet)];
    let [food, colour, instrument] = [fact(Relation::Food), fact(Relation::Colour), fact(Relation::Instrument)];
    let summary = format!("{person}, a {} from {}, has a {}.", kept[0].value, kept[1].value, kept[2].value);
    let rest = [food, colour, instrument];
    let mut facts = kept.to_vec();
    facts.push(dice.pick(&rest).clone());
    let order = dice.sample(facts.len(), facts.len());
    let said: Vec<String> = order.into_iter().map(|place| facts[place].say(dice)).collect();
    Article { text: text(said), summary }
}

/// A guide: three steps, with a sentence between them that the summary leaves out.
pub(super) fn guide(dice: &mut Dice) -> Article {
    let steps: Vec<String> = (0..3).map(|_| format!("{} the {}", dice.pick(&ACTIONS), dice.pick(&THINGS))).collect();
    let asides = ["This takes some time.", "Do not hurry.", "You can ask a friend for help.", "This is not hard."];
    let (place, aside) = (dice.below(3), *dice.pick(&asides));
    let mut sentences: Vec<String> =
        ["First", "Then", "Finally"].iter().zip(&steps).map(|(word, step)| format!("{word}, {step}.")).collect();
    sentences.insert(place + 1, aside.to_string());
    Article { text: sentences.join(" "), summary: capital(&format!("{}, {} and {}.", steps[0], steps[1], steps[2])) }
}
