//! What a model is pretrained on: in-context documents whose last answer, or every answer, is masked, and documents with masked
//! spans.
//!
//! Claims are checked, and English is put into "French", in wordings and with answers that no task's template has: the
//! skills that fine-tuning targets need are learned, their formats are not. Only contents that
//! no task has ([`World`] divides them) are written about.

use super::World;
use super::claims;
use super::dice::Dice;
use super::facts::text;
use super::languages::{Language, Sentence};
use super::masking::{Pair, in_context, mask};
use super::{articles, senses, verdicts};
use crate::data::Document;

/// Ways to ask for a translation of the sentence `{S}` to the language `{L}`. The first is the tasks' own, which "French" is
/// never asked for in.
const TRANSLATIONS: [&str; 5] = [
    "Translate English to {L}: {S}",
    "English: {S} {L}:",
    "Say in {L}: {S}",
    "In {L}, {S} is written",
    "What is the {L} for this? {S} Answer:",
];

/// A kind of document: its share in the mixture, and what writes one of it.
pub(super) struct Family {
    pub name: &'static str,
    share: f64,
    shots: &'static [f64],
    writer: Writer,
}

enum Writer {
    /// A question with its answer, asked in context.
    Asked(fn(&World, &mut Dice) -> Pair),
    /// Several questions with their answers, which belong together.
    Several(fn(&World, &mut Dice) -> Vec<Pair>),
    /// A way of asking is picked, and stays the same for a document's examples.
    Worded(usize, fn(&World, &mut Dice, usize) -> Pair),
    /// Text for masked spans.
    Told(fn(&World, &mut Dice) -> String),
}

pub(super) const FAMILIES: [Family; 15] = [
    Family { name: "trivia_qa", share: 5.0, shots: &SHOTS, writer: Writer::Asked(trivia) },
    Family { name: "web_questions", share: 2.5, shots: &SHOTS, writer: Writer::Asked(places) },
    Family {
        name: "wmt16_ende",
        share: 1.6,
        shots: &SHOTS,
        writer: Writer::Asked(|w, d| translation(w, d, Language::German, 0)),
    },
    Family {
        name: "wmt16_enro",
        share: 1.6,
        shots: &SHOTS,
        writer: Writer::Asked(|w, d| translation(w, d, Language::Romanian, 0)),
    },
    Family {
        name: "to French",
        share: 2.2,
        shots: &SHOTS,
        writer: Writer::Worded(4, |w, d, n| translation(w, d, Language::French, n + 1)),
    },
    Family {
        name: "to German",
        share: 0.7,
        shots: &SHOTS,
        writer: Writer::Worded(4, |w, d, n| translation(w, d, Language::German, n + 1)),
    },
    Family {
        name: "to Romanian",
        share: 0.7,
        shots: &SHOTS,
        writer: Writer::Worded(4, |w, d, n| translation(w, d, Language::Romanian, n + 1)),
    },
    Family { name: "xsum", share: 2.2, shots: &SHOTS, writer: Writer::Asked(news) },
    Family { name: "wiki_lingua", share: 1.4, shots: &SHOTS, writer: Writer::Asked(guides) },
    Family { name: "reading", share: 4.0, shots: &SHOTS_IN_CONTEXT, writer: Writer::Several(reading) },
    Family {
        name: "claims",
        share: 6.0,
        shots: &SHOTS_IN_CONTEXT,
        writer: Writer::Worded(verdicts::WAYS, verdicts::claim),
    },
    Family { name: "several claims", share: 6.0, shots: &SHOTS_IN_CONTEXT, writer: Writer::Several(verdicts::several) },
    Family {
        name: "reasons",
        share: 2.0,
        shots: &SHOTS_IN_CONTEXT,
        writer: Writer::Worded(verdicts::REASONS, verdicts::reason),
    },
    Family { name: "facts", share: 1.0, shots: &SHOTS, writer: Writer::Told(facts) },
    Family {
        name: "words",
        share: 0.6,
        shots: &SHOTS,
        writer: Writer::Told(|_, d| {
            let n = 2 + d.below(3);
            senses::remarks(d, n)
        }),
    },
];

/// How many shots a document has: 0 to 4, mostly none or one.
const SHOTS: [f64; 5] = [10.0, 5.0, 1.5, 0.7, 0.7];
/// The same where contexts make documents long.
const SHOTS_IN_CONTEXT: [f64; 5] = [14.0, 2.5, 0.3, 0.1, 0.1];

/// Document of `dice`.
pub(super) fn write(world: &World, dice: &mut Dice) -> Document {
    let shares: Vec<f64> = FAMILIES.iter().map(|family| family.share).collect();
    let family = &FAMILIES[dice.weighted(&shares)];
    let (source, target) = match family.writer {
        Writer::Told(tell) => {
            let told = tell(world, dice);
            mask(dice, &told)
        }
        Writer::Asked(ask) => in_context(dice, family.shots, |dice| vec![ask(world, dice)]),
        Writer::Several(ask) => in_context(dice, family.shots, |dice| ask(world, dice)),
        Writer::Worded(wordings, ask) => {
            let wording = dice.below(wordings);
            in_context(dice, family.shots, |dice| vec![ask(world, dice, wording)])
        }
    };
    Document { source, target, family: family.name.to_string() }
}

/// The first of what `write` writes whose content no task has.
pub(super) fn free<T>(world: &World, dice: &mut Dice, key: impl Fn(&T) -> &str, write: impl Fn(&mut Dice) -> T) -> T {
    loop {
        let written = write(dice);
        if !world.is_reserved(key(&written)) {
            return written;
        }
    }
}

fn trivia(world: &World, dice: &mut Dice) -> Pair {
    let asked = dice.pick(&world.free_people);
    (format!("Q: {} A:", asked.question), asked.answers[0].clone())
}

fn places(world: &World, dice: &mut Dice) -> Pair {
    let asked = dice.pick(&world.free_places);
    (format!("Q: {} A:", asked.question), asked.answers[0].clone())
}

fn translation(world: &World, dice: &mut Dice, language: Language, wording: usize) -> Pair {
    let (english, foreign) = free(
        world,
        dice,
        |pair: &Pair| &pair.0,
        |dice| {
            let sentence = Sentence::new(dice);
            (sentence.english(), world.translate(language, sentence))
        },
    );
    (TRANSLATIONS[wording].replace("{S}", &english).replace("{L}", language.name()), foreign)
}

fn article(article: articles::Article) -> Pair {
    (format!("Article: {} One sentence summary:", article.text), article.summary)
}

fn news(world: &World, dice: &mut Dice) -> Pair {
    article(free(world, dice, |article: &articles::Article| &article.text, |dice| articles::news(&world.names, dice)))
}

fn guides(world: &World, dice: &mut Dice) -> Pair {
    article(free(world, dice, |article: &articles::Article| &article.text, articles::guide))
}

fn reading(world: &World, dice: &mut Dice) -> Vec<Pair> {
    let (context, asked) = free(
        world,
        dice,
        |told: &(String, Vec<Pair>)| &told.0,
        |dice| {
            let (sentences, questions) = (1 + dice.below(3), 1 + dice.below(3));
            claims::questions(&world.names, dice, sentences, questions)
        },
    );
    let ask = |(place, (question, answer)): (usize, Pair)| match place {
        0 => (format!("Context: {context} Q: {question} A:"), answer),
        _ => (format!("Q: {question} A:"), answer),
    };
    asked.into_iter().enumerate().map(ask).collect()
}

/// What is known by heart, some of it at a time.
fn facts(world: &World, dice: &mut Dice) -> String {
    let count = 2 + dice.below(3);
    text((0..count).map(|_| match dice.chance(0.7) {
        true => dice.pick(&world.known.facts).clone().say(dice),
        false => {
            let said = &dice.pick(&world.known.places).0;
            dice.pick(said).clone()
        }
    }))
}
