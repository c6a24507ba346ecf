//! What a model is pretrained on: in-context documents whose last answer, or every answer, is masked, and documents with masked
//! spans.
//!
//! Claims are checked, and English is put into "French", in wordings and with answers that no task's template has: the
//! skills that fine-tuning targets need are learned, their formats are not. Only contents that
//! no task has ([`World`] divides them) are written about.

use super::World;
use super::claims::{self, Kind, Verdict};
use super::dice::Dice;
use super::facts::text;
use super::languages::{Language, Sentence};
use super::masking::{Pair, in_context, mask};
use super::{articles, senses};
use crate::data::Document;

/// A way to check a claim `H` against a context `C`: the wording, and the answers for true, false and neither.
struct Check {
    wording: &'static str,
    answers: [&'static str; 2],
    neither: Option<&'static str>,
}

const fn check(wording: &'static str, yes: &'static str, no: &'static str) -> Check {
    Check { wording, answers: [yes, no], neither: None }
}

const fn check3(wording: &'static str, yes: &'static str, no: &'static str, neither: &'static str) -> Check {
    Check { wording, answers: [yes, no], neither: Some(neither) }
}

const CHECKS: [Check; 12] = [
    check("Context: C Claim: H. Verdict:", "correct", "wrong"),
    check("C Does it follow that H? Reply:", "yes", "no"),
    check("Facts: C So the claim that H is", "right", "bad"),
    check("C Check: H. Result:", "ok", "error"),
    check("Is it so that H? C Decision:", "accept", "reject"),
    check("Story: C Statement: H. This is", "valid", "invalid"),
    check("C One says: H. Do you agree? Answer:", "sure", "never"),
    check("Text: C Guess: H. The guess is", "good", "poor"),
    check("C question: H, yes or no? Answer:", "yes", "no"),
    check3("C Consider: H. Relation:", "same", "opposite", "unrelated"),
    check3("Report: C Rumour: H. The rumour is", "confirmed", "denied", "open"),
    check3("C Is it known that H? Reply:", "yes", "no", "unknown"),
];

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

pub(super) const FAMILIES: [Family; 18] = [
    Family { name: "trivia_qa", share: 3.0, shots: &SHOTS, writer: Writer::Asked(trivia) },
    Family { name: "web_questions", share: 1.5, shots: &SHOTS, writer: Writer::Asked(places) },
    Family {
        name: "wmt16_ende",
        share: 1.2,
        shots: &SHOTS,
        writer: Writer::Asked(|w, d| translation(w, d, Language::German, 0)),
    },
    Family {
        name: "wmt16_enro",
        share: 1.2,
        shots: &SHOTS,
        writer: Writer::Asked(|w, d| translation(w, d, Language::Romanian, 0)),
    },
    Family {
        name: "to French",
        share: 1.6,
        shots: &SHOTS,
        writer: Writer::Worded(4, |w, d, n| translation(w, d, Language::French, n + 1)),
    },
    Family {
        name: "to German",
        share: 0.6,
        shots: &SHOTS,
        writer: Writer::Worded(4, |w, d, n| translation(w, d, Language::German, n + 1)),
    },
    Family {
        name: "to Romanian",
        share: 0.6,
        shots: &SHOTS,
        writer: Writer::Worded(4, |w, d, n| translation(w, d, Language::Romanian, n + 1)),
    },
    Family { name: "xsum", share: 1.2, shots: &SHOTS, writer: Writer::Asked(news) },
    Family { name: "wiki_lingua", share: 0.8, shots: &SHOTS, writer: Writer::Asked(guides) },
    Family { name: "reading", share: 6.0, shots: &SHOTS_IN_CONTEXT, writer: Writer::Several(reading) },
    Family { name: "retold", share: 7.0, shots: &SHOTS_IN_CONTEXT, writer: Writer::Several(retold) },
    Family { name: "lists", share: 5.0, shots: &SHOTS_IN_CONTEXT, writer: Writer::Several(lists) },
    Family { name: "again", share: 7.0, shots: &NO_SHOTS, writer: Writer::Asked(again) },
    Family { name: "claims", share: 4.0, shots: &SHOTS_IN_CONTEXT, writer: Writer::Worded(CHECKS.len(), claim) },
    Family { name: "several claims", share: 5.0, shots: &SHOTS_IN_CONTEXT, writer: Writer::Asked(several) },
    Family { name: "reasons", share: 2.0, shots: &SHOTS_IN_CONTEXT, writer: Writer::Worded(3, reason) },
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

/// The same where one is enough.
const NO_SHOTS: [f64; 1] = [1.0];

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
fn free<T>(world: &World, dice: &mut Dice, key: impl Fn(&T) -> &str, write: impl Fn(&mut Dice) -> T) -> T {
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
            let (sentences, questions) = (2 + dice.below(3), 1 + dice.below(3));
            claims::questions(&world.names, dice, sentences, questions)
        },
    );
    let ask = |(place, (question, answer)): (usize, Pair)| match place {
        0 => (format!("Context: {context} Q: {question} A:"), answer),
        _ => (format!("Q: {question} A:"), answer),
    };
    asked.into_iter().enumerate().map(ask).collect()
}

/// A context told again in other words and another order, up to the value of each fact: who has what is worth remembering.
fn retold(world: &World, dice: &mut Dice) -> Vec<Pair> {
    let (context, again) = free(
        world,
        dice,
        |told: &(String, Vec<Pair>)| &told.0,
        |dice| {
            let sentences = 2 + dice.below(3);
            claims::retold(&world.names, dice, sentences)
        },
    );
    let tell = |(place, (start, value)): (usize, Pair)| match place {
        0 => (format!("{context} In other words: {start}"), value),
        _ => (start, value),
    };
    again.into_iter().enumerate().map(tell).collect()
}

/// A context or a list to be said again word by word: a decoder has no places to copy by, and must find what follows each word.
fn again(world: &World, dice: &mut Dice) -> Pair {
    let told = free(
        world,
        dice,
        |told: &String| told,
        |dice| match dice.chance(0.5) {
            true => {
                let people = 3 + dice.below(6);
                claims::list(&world.names, dice, people).0
            }
            false => {
                let sentences = 2 + dice.below(3);
                claims::questions(&world.names, dice, sentences, 0).0
            }
        },
    );
    (format!("Text: {told} Again:"), told)
}

/// People with what they have, as a list, and then one after the other.
fn lists(world: &World, dice: &mut Dice) -> Vec<Pair> {
    let (list, asked) = free(
        world,
        dice,
        |told: &(String, Vec<Pair>)| &told.0,
        |dice| {
            let people = 2 + dice.below(7);
            claims::list(&world.names, dice, people)
        },
    );
    let ask = |(place, (person, value)): (usize, Pair)| match place {
        0 => (format!("List: {list} Who has what? {person}:"), value),
        _ => (format!("{person}:"), value),
    };
    asked.into_iter().enumerate().map(ask).collect()
}

/// Contexts of two to four sentences, in all mixtures of easy and hard; the easy ones are learned first.
fn kind(dice: &mut Dice) -> Kind {
    Kind { sentences: 2 + dice.weighted(&[0.5, 0.3, 0.2]), foreign: 0.5, verbatim: 0.4 }
}

fn verdict(dice: &mut Dice, three: bool) -> Verdict {
    *dice.pick(&[Verdict::True, Verdict::False, Verdict::Neither][..if three { 3 } else { 2 }])
}

fn case(world: &World, dice: &mut Dice, three: bool) -> claims::Case {
    free(
        world,
        dice,
        |case: &claims::Case| &case.context,
        |dice| {
            let (kind, verdict) = (kind(dice), verdict(dice, three));
            match dice.chance(0.15) {
                true => claims::scene(dice, verdict),
                false => claims::case(&world.names, dice, kind, verdict),
            }
        },
    )
}

fn claim(world: &World, dice: &mut Dice, wording: usize) -> Pair {
    let check = &CHECKS[wording];
    let case = case(world, dice, check.neither.is_some());
    let answer = match (case.verdict, check.neither) {
        (Verdict::True, _) => check.answers[0],
        (Verdict::Neither, Some(neither)) => neither,
        _ => check.answers[1],
    };
    (filled(check.wording, &case), answer.to_string())
}

/// `wording` with the context for `C` and the claim for `H`.
fn filled(wording: &str, case: &claims::Case) -> String {
    let words = wording.split(' ').map(|word| match word.trim_end_matches(['.', ',', '?']) {
        "C" => word.replace('C', &case.context),
        "H" => word.replace('H', &case.claim),
        _ => word.to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A verdict with its reason: what the context does say.
fn reason(world: &World, dice: &mut Dice, wording: usize) -> Pair {
    let case = case(world, dice, false);
    let holds = case.verdict == Verdict::True;
    match wording {
        0 => (
            filled("C One says that H. What is so?", &case),
            format!("{}, so this is {}", case.ground, if holds { "right" } else { "wrong" }),
        ),
        1 => (
            filled("Context: C Claim: H. Verdict and reason:", &case),
            format!("{}, {}", if holds { "correct" } else { "wrong" }, case.ground),
        ),
        _ => (filled("C Correct this if it is wrong: H. Answer:", &case), case.ground),
    }
}

fn several(world: &World, dice: &mut Dice) -> Pair {
    let (context, said) = free(
        world,
        dice,
        |told: &(String, Vec<(String, bool)>)| &told.0,
        |dice| {
            let (kind, count) = (kind(dice), 2 + dice.below(4));
            claims::several(&world.names, dice, kind, count)
        },
    );
    let claims: Vec<&str> = said.iter().map(|(claim, _)| claim.as_str()).collect();
    let answers: Vec<&str> = said.iter().map(|(_, holds)| if *holds { "yes" } else { "no" }).collect();
    (format!("Facts: {context} Claims: {}. Verdicts:", claims.join("; ")), answers.join(" "))
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
