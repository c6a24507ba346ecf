//! The mini world: generated text in the formats of all the paper's tasks, deterministic from a seed.
//!
//! It is made of people and places that are known by heart (closed-book questions), strangers who occur in contexts only
//! (inference, reading, news), three invented languages, guides, and words with their senses. [`World::records`] gives the
//! tasks' examples in the layouts of the hub's files, so that the code that reads real data reads them;
//! [`World::document`] gives what a model is pretrained on. Contents are divided between the two by a hash: an example of a
//! task never occurs in pretraining.
//!
//! It must not know models, tokens or training.

mod articles;
mod claims;
mod dice;
mod documents;
mod facts;
mod languages;
mod masking;
mod pieces;
mod senses;
mod split;
mod tasks;
mod verdicts;
mod words;

use sha2::{Digest, Sha256};

pub use self::tasks::MiniSplit;

use self::dice::Dice;
use self::facts::{Asked, Known};
use self::languages::{Language, Lexicon, Sentence};
use self::words::Names;
use super::corpus::{ASKED, Corpus, Document, SHOTS};
use super::{Split, Task};
use crate::error::{Error, Result};
use crate::spec::{MINI, Seeds};

/// The world of one seed.
#[derive(Debug, Clone)]
pub struct World {
    seeds: Seeds,
    names: Names,
    known: Known,
    lexicons: [Lexicon; 3],
    /// Questions that pretraining may ask.
    free_people: Vec<Asked>,
    free_places: Vec<Asked>,
}

/// Of how many contents one is kept for the tasks.
const RESERVED: u64 = 6;
/// The same for questions with known answers, of which there are few.
const RESERVED_QUESTIONS: u64 = 3;

impl World {
    /// The world of seed `seed`.
    pub fn new(seed: u64) -> Self {
        let seeds = Seeds::new(seed);
        let names = Names::new(&seeds);
        let known = Known::new(&names, &mut Dice::new(&seeds, "mini.facts", 0));
        let lexicons = Language::ALL.map(|language| Lexicon::new(language, &seeds));
        let mut world = Self { seeds, names, known, lexicons, free_people: Vec::new(), free_places: Vec::new() };
        let free = |asked: &Asked| !world.is_reserved_question(&asked.question);
        let (people, places) = (world.known.questions_of_people(), world.known.questions_of_places());
        let (people, places) = (people.into_iter().filter(free).collect(), places.into_iter().filter(free).collect());
        (world.free_people, world.free_places) = (people, places);
        world
    }

    /// Whether `content` (a context, a sentence, an article) is kept for the tasks.
    fn is_reserved(&self, content: &str) -> bool {
        self.hash(content).is_multiple_of(RESERVED)
    }

    fn is_reserved_question(&self, question: &str) -> bool {
        self.hash(question).is_multiple_of(RESERVED_QUESTIONS)
    }

    fn hash(&self, content: &str) -> u64 {
        let digest = Sha256::new().chain_update(self.seeds.root().to_le_bytes()).chain_update(content).finalize();
        u64::from_le_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]])
    }

    fn translate(&self, language: Language, sentence: Sentence) -> String {
        self.lexicons[language as usize].translate(language, sentence)
    }
}

impl Corpus for World {
    fn name(&self) -> &str {
        MINI
    }

    fn document(&self, index: u64) -> Document {
        documents::write(self, &mut Dice::new(&self.seeds, "mini.documents", index))
    }

    fn held_out(&self, index: u64) -> Document {
        documents::write(self, &mut Dice::new(&self.seeds, "mini.held-out", index))
    }

    fn pieces(&self) -> Vec<String> {
        self.all_pieces()
    }

    fn evaluations(&self) -> Vec<(String, usize)> {
        let off_task = ["trivia_qa", "web_questions", "wmt14_enfr", "wmt16_ende", "wmt16_enro", "xsum", "wiki_lingua"];
        let targets = ["rte", "cb", "wic"];
        let asked = |shots: usize| move |task: &str| (task.to_string(), shots);
        off_task
            .into_iter()
            .map(asked(1))
            .chain(off_task.into_iter().map(asked(4)))
            .chain(targets.into_iter().map(asked(0)))
            .collect()
    }

    fn split(&self, name: &str, split: &str) -> Result<Split> {
        let task = Task::named(name)?;
        match split {
            SHOTS => World::split(self, &task, MiniSplit::Train),
            ASKED => World::split(self, &task, MiniSplit::Test),
            _ => Err(Error::check(format!("internal: no split {split} to ask"))),
        }
    }
}
