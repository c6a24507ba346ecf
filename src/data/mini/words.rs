//! The words that the world is told in: English nouns, verbs and adjectives, and invented names.

use super::dice::Dice;
use crate::spec::Seeds;

/// Trades, and another word for each.
pub(super) const JOBS: [(&str, &str); 14] = [
    ("doctor", "physician"),
    ("teacher", "tutor"),
    ("sailor", "seaman"),
    ("lawyer", "attorney"),
    ("cook", "chef"),
    ("guard", "watchman"),
    ("singer", "vocalist"),
    ("farmer", "grower"),
    ("tailor", "dressmaker"),
    ("pilot", "flyer"),
    ("writer", "author"),
    ("merchant", "trader"),
    ("painter", "artist"),
    ("smith", "blacksmith"),
];

pub(super) const FOODS: [&str; 12] =
    ["bread", "rice", "soup", "cheese", "fish", "corn", "pasta", "salad", "cake", "honey", "beans", "plums"];

pub(super) const PETS: [&str; 10] =
    ["dog", "cat", "horse", "bird", "goat", "snake", "rabbit", "mouse", "duck", "sheep"];

pub(super) const COLOURS: [&str; 8] = ["red", "blue", "green", "white", "black", "yellow", "brown", "grey"];

pub(super) const INSTRUMENTS: [&str; 8] = ["violin", "piano", "flute", "drum", "harp", "guitar", "horn", "organ"];

/// Adjectives and their opposites.
pub(super) const OPPOSITES: [(&str, &str); 5] =
    [("big", "small"), ("old", "young"), ("happy", "sad"), ("fast", "slow"), ("strong", "weak")];

/// Verbs between two creatures, without the third person's ending.
pub(super) const VERBS: [&str; 8] = ["see", "like", "follow", "hear", "hate", "help", "find", "fear"];

/// What steps of a guide do.
pub(super) const ACTIONS: [&str; 8] = ["take", "wash", "open", "cut", "fold", "move", "dry", "paint"];

/// What steps of a guide are done to.
pub(super) const THINGS: [&str; 10] =
    ["box", "table", "chair", "door", "paper", "cloth", "bottle", "basket", "window", "lamp"];

pub(super) const CURRENCIES: [&str; 8] = ["crown", "mark", "pound", "franc", "dollar", "peso", "real", "dinar"];

/// What stands before a noun.
pub(super) fn adjectives() -> Vec<&'static str> {
    OPPOSITES.iter().flat_map(|pair| [pair.0, pair.1]).collect()
}

/// Animals, and people by some of the trades: what does something.
pub(super) fn creatures() -> Vec<&'static str> {
    PETS.into_iter().chain(JOBS.iter().take(6).map(|job| job.0)).collect()
}

/// Invented names, all different.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// People of whom the world knows facts.
    pub known: Vec<String>,
    /// People who occur in contexts only.
    pub strangers: Vec<String>,
    pub cities: Vec<String>,
    pub countries: Vec<String>,
}

const SYLLABLES: [&str; 24] = [
    "ba", "de", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "ze", "fi", "go", "hu", "ja", "ke", "li", "mo",
    "nu", "ra", "se", "ta", "vi",
];

/// `count` words of `syllables` syllables from `from`, other than those in `taken`, which they join.
pub(super) fn invent(
    dice: &mut Dice,
    taken: &mut Vec<String>,
    from: &[&str],
    syllables: usize,
    count: usize,
) -> Vec<String> {
    let mut words = Vec::with_capacity(count);
    while words.len() < count {
        let word: String = (0..syllables).map(|_| *dice.pick(from)).collect();
        if !taken.contains(&word) {
            taken.push(word.clone());
            words.push(word);
        }
    }
    words
}

/// `word` with a capital.
pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

impl Names {
    pub fn new(seeds: &Seeds) -> Self {
        let mut dice = Dice::new(seeds, "mini.names", 0);
        let mut taken = Vec::new();
        let mut names = |count: usize, ending: &str| -> Vec<String> {
            let words = invent(&mut dice, &mut taken, &SYLLABLES, 2, count);
            words.iter().map(|word| capital(word) + ending).collect()
        };
        Self {
            known: names(40, ""),
            strangers: names(40, ""),
            cities: names(24, "ville"),
            countries: names(12, "land"),
        }
    }
}
