//! What words mean: kinds of things, opposites and synonyms, and words of two senses.

use super::dice::Dice;
use super::facts::text;
use super::words::{COLOURS, FOODS, INSTRUMENTS, JOBS, OPPOSITES, PETS, THINGS};

/// A kind, how it is asked for, and what belongs to it.
pub(super) fn kinds() -> Vec<(&'static str, [&'static str; 2], Vec<&'static str>)> {
    vec![
        ("animal", ["Which of these is an animal?", "Which of these can run or fly?"], PETS.to_vec()),
        ("food", ["Which of these is a food?", "Which of these can one eat?"], FOODS.to_vec()),
        ("colour", ["Which of these is a colour?", "Which of these can a wall have?"], COLOURS.to_vec()),
        (
            "trade",
            ["Which of these is a trade?", "Which of these can a person become?"],
            JOBS.iter().map(|job| job.0).collect(),
        ),
        (
            "instrument",
            ["Which of these is an instrument?", "On which of these can one make music?"],
            INSTRUMENTS.to_vec(),
        ),
        ("thing", ["Which of these is a thing in the house?", "Which of these can one carry home?"], THINGS.to_vec()),
    ]
}

/// A question with four choices, one of which is right.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub question: String,
    pub choices: Vec<String>,
    pub right: usize,
}

pub(super) fn choice(dice: &mut Dice) -> Choice {
    let kinds = kinds();
    let picked = dice.sample(kinds.len(), 4);
    let right = dice.below(4);
    let question = dice.pick(&kinds[picked[right]].1).to_string();
    let choices = picked.iter().map(|&kind| dice.pick(&kinds[kind].2).to_string()).collect();
    Choice { question, choices, right }
}

/// A word and, for each of its two senses, what is said of it in that sense; `X` is an animal or a person.
const SENSES: [(&str, [[&str; 4]; 2]); 8] = [
    (
        "bank",
        [
            [
                "the X sits on the bank of the river",
                "the X swims to the bank",
                "the X sleeps on the bank in the grass",
                "the X walks along the bank of the river",
            ],
            [
                "the X brings money to the bank",
                "the X opens the door of the bank",
                "the bank gives the X some money",
                "the X works at the bank",
            ],
        ],
    ),
    (
        "bat",
        [
            [
                "the X hears a bat in the night",
                "the bat flies over the X",
                "the X fears the bat in the tree",
                "the X sees a bat fly",
            ],
            [
                "the X holds the bat in the game",
                "the X hits the ball with a bat",
                "the bat of the X is of wood",
                "the X takes the bat and the ball",
            ],
        ],
    ),
    (
        "light",
        [
            [
                "the X sees the light of the lamp",
                "the light falls on the X",
                "the X sleeps without light",
                "the light of the sun helps the X",
            ],
            [
                "the X carries a light basket",
                "the box is light for the X",
                "the X takes a light bottle",
                "the X finds the cloth light",
            ],
        ],
    ),
    (
        "ring",
        [
            [
                "the X wears a ring of gold",
                "the X finds a ring in the box",
                "the X takes the ring from the table",
                "the ring of the X is old",
            ],
            [
                "the X hears the bells ring",
                "the bells ring for the X",
                "the X lets the bell ring",
                "the bells ring and the X runs",
            ],
        ],
    ),
    (
        "match",
        [
            [
                "the X lights the lamp with a match",
                "the X takes a match from the box",
                "a match burns near the X",
                "the X dries the match",
            ],
            [
                "the X plays a match",
                "the X sees a match with a ball",
                "the match ends and the X is sad",
                "the X is happy after the match",
            ],
        ],
    ),
    (
        "park",
        [
            [
                "the X sits in the park",
                "the X walks in the park",
                "the X plays in the park with a ball",
                "the X sleeps in the park",
            ],
            [
                "the X will park at the door",
                "the X can not park here",
                "it is hard for the X to park",
                "the X wants to park at the house",
            ],
        ],
    ),
    (
        "seal",
        [
            [
                "the seal swims to the X",
                "the X sees a seal in the sea",
                "a seal eats the fish of the X",
                "the X hears the seal in the sea",
            ],
            [
                "the X puts a seal on the paper",
                "the paper has the seal of the X",
                "the X opens the seal of the box",
                "the seal on the paper is of the X",
            ],
        ],
    ),
    (
        "wave",
        [
            [
                "a wave of the sea falls on the X",
                "the X swims in the wave",
                "the wave carries the X",
                "the X fears the wave of the sea",
            ],
            [
                "the X will wave to a friend",
                "the X can wave with the cloth",
                "friends wave to the X",
                "the X likes to wave",
            ],
        ],
    ),
];

/// A word in two sentences.
#[derive(Debug, Clone)]
pub(super) struct TwoUses {
    pub word: &'static str,
    pub sentences: [String; 2],
    pub same: bool,
}

pub(super) fn two_uses(dice: &mut Dice) -> TwoUses {
    let (word, senses) = dice.pick(&SENSES);
    let same = dice.chance(0.5);
    let first = dice.below(2);
    let second = if same { first } else { 1 - first };
    let wording = dice.below(4);
    let other = if same { (wording + 1 + dice.below(3)) % 4 } else { dice.below(4) };
    let creatures = super::words::creatures();
    let sentence = |dice: &mut Dice, wording: &str| {
        let creature = *dice.pick(&creatures);
        text([wording.replace('X', creature)])
    };
    let sentences = [sentence(dice, senses[first][wording]), sentence(dice, senses[second][other])];
    TwoUses { word, sentences, same }
}

/// Some remarks on words, as a dictionary makes them.
pub(super) fn remarks(dice: &mut Dice, count: usize) -> String {
    let kinds = kinds();
    let others = [
        ("True", "right"),
        ("False", "wrong"),
        ("Neither", "none"),
        ("yes", "right"),
        ("no", "wrong"),
        ("true", "right"),
        ("false", "wrong"),
    ];
    let remark = |dice: &mut Dice| match dice.below(5) {
        0 => {
            let (a, b) = dice.pick(&OPPOSITES);
            let (a, b) = if dice.chance(0.5) { (a, b) } else { (b, a) };
            format!("the opposite of {a} is {b}")
        }
        1 => {
            let (a, b) = dice.pick(&JOBS);
            format!("another word for {b} is {a}")
        }
        2 => {
            let (kind, _, members) = dice.pick(&kinds);
            format!("{} is a kind of {kind}", dice.pick(members))
        }
        3 => {
            let (a, b) = dice.pick(&others);
            format!("another word for {a} is {b}")
        }
        _ => {
            let (_, senses) = dice.pick(&SENSES);
            let sense = dice.below(2);
            let wording = *dice.pick(&senses[sense]);
            let creature = *dice.pick(&super::words::creatures());
            wording.replace('X', creature)
        }
    };
    text((0..count).map(|_| remark(dice)))
}
