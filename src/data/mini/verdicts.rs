//! Documents in which claims are checked, in wordings and with answers that no task's template has: what fine-tuning targets
//! need is learned, their formats are not.

use super::World;
use super::claims::{self, Kind, Said, Verdict};
use super::dice::Dice;
use super::documents::free;
use super::masking::Pair;
use super::words::capital;

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

/// Ways to check a claim that name the answers: `Y` if it is true, `N` if it is not.
const NAMED: [&str; 3] =
    ["C Say Y or N of this: H. Reply:", "Y or N? C I mean: H. Decision:", "C One says: H. Y or N?"];

/// The answers that they name.
const ANSWERS: [[&str; 2]; 4] = [["right", "wrong"], ["good", "bad"], ["sure", "never"], ["valid", "invalid"]];

/// Where a wording names no answers.
const NO_NAMES: [&str; 2] = [""; 2];

/// Ways to check a claim: [`CHECKS`], and [`NAMED`] with [`ANSWERS`].
pub(super) const WAYS: usize = CHECKS.len() + NAMED.len() * ANSWERS.len();

/// Ways to give a reason.
pub(super) const REASONS: usize = 3;

/// What a document calls true and false: mostly the same, which is learned first.
fn answers(dice: &mut Dice) -> [&'static str; 2] {
    match dice.chance(0.75) {
        true => ["yes", "no"],
        false => *dice.pick(&ANSWERS),
    }
}

/// Claims, each with its verdict; `told` and the answers' names before the first. Where they are `proved`, the value that the person
/// does have stands before each verdict.
fn verdicts(dice: &mut Dice, told: &str, said: Vec<Said>, proved: bool) -> Vec<Pair> {
    let [yes, no] = answers(dice);
    let ask = |(place, Said { claim, value, holds }): (usize, Said)| {
        let proof = if proved { "What is so? " } else { "" };
        let asked = match place {
            0 => format!("{told} {proof}{} or {no}? {claim}:", capital(yes)),
            _ => format!("{claim}:"),
        };
        let verdict = if holds { yes } else { no };
        (asked, if proved { format!("{value}, {verdict}") } else { verdict.to_string() })
    };
    said.into_iter().enumerate().map(ask).collect()
}

/// People with what they have, as a list, and then what is right and wrong about them: the shortest claims.
fn list(world: &World, dice: &mut Dice, proved: bool) -> Vec<Pair> {
    let (list, said) = free(
        world,
        dice,
        |told: &(String, Vec<Said>)| &told.0,
        |dice| {
            let (people, count) = (1 + dice.below(6), 3 + dice.below(5));
            claims::checked_list(&world.names, dice, people, count)
        },
    );
    verdicts(dice, &format!("List: {list}"), said, proved)
}

/// A context, and several claims.
fn context(world: &World, dice: &mut Dice, proved: bool) -> Vec<Pair> {
    let (context, said) = free(
        world,
        dice,
        |told: &(String, Vec<Said>)| &told.0,
        |dice| {
            let (kind, count) = (kind(dice, false), 2 + dice.below(5));
            claims::several(&world.names, dice, kind, count)
        },
    );
    verdicts(dice, &format!("Facts: {context}"), said, proved)
}

pub(super) fn checked_lists(world: &World, dice: &mut Dice) -> Vec<Pair> {
    list(world, dice, false)
}

pub(super) fn proved_lists(world: &World, dice: &mut Dice) -> Vec<Pair> {
    list(world, dice, true)
}

pub(super) fn several(world: &World, dice: &mut Dice) -> Vec<Pair> {
    context(world, dice, false)
}

pub(super) fn proved(world: &World, dice: &mut Dice) -> Vec<Pair> {
    context(world, dice, true)
}

/// Contexts of two to four sentences; the short ones are learned first.
fn kind(dice: &mut Dice, denied: bool) -> Kind {
    Kind { sentences: 2 + dice.weighted(&[0.5, 0.3, 0.2]), foreign: 0.3, denied }
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
            let (kind, verdict) = (kind(dice, three), verdict(dice, three));
            match dice.chance(0.15) {
                true => claims::scene(dice, verdict),
                false => claims::case(&world.names, dice, kind, verdict),
            }
        },
    )
}

pub(super) fn claim(world: &World, dice: &mut Dice, way: usize) -> Pair {
    let Some(check) = CHECKS.get(way) else {
        let ([yes, no], case) = (ANSWERS[way % ANSWERS.len()], case(world, dice, false));
        let answer = if case.verdict == Verdict::True { yes } else { no };
        return (filled(NAMED[way % NAMED.len()], &case, [yes, no]), answer.to_string());
    };
    let case = case(world, dice, check.neither.is_some());
    let answer = match (case.verdict, check.neither) {
        (Verdict::True, _) => check.answers[0],
        (Verdict::Neither, Some(neither)) => neither,
        _ => check.answers[1],
    };
    (filled(check.wording, &case, check.answers), answer.to_string())
}

/// `wording` with the context for `C`, the claim for `H` and the answers for `Y` and `N`.
fn filled(wording: &str, case: &claims::Case, [yes, no]: [&str; 2]) -> String {
    let first = wording.starts_with('Y');
    let words = wording.split(' ').map(|word| match word.trim_end_matches(['.', ',', '?']) {
        "C" => word.replace('C', &case.context),
        "H" => word.replace('H', &case.claim),
        "Y" if first => capital(yes),
        "Y" => yes.to_string(),
        "N" => word.replace('N', no),
        _ => word.to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A verdict with its reason: what the context does say.
pub(super) fn reason(world: &World, dice: &mut Dice, wording: usize) -> Pair {
    let case = case(world, dice, false);
    let holds = case.verdict == Verdict::True;
    match wording {
        0 => (
            filled("C One says that H. What is so?", &case, NO_NAMES),
            format!("{}, so this is {}", case.ground, if holds { "right" } else { "wrong" }),
        ),
        1 => (
            filled("Context: C Claim: H. Verdict and reason:", &case, NO_NAMES),
            format!("{}, {}", if holds { "correct" } else { "wrong" }, case.ground),
        ),
        _ => (filled("C Correct this if it is wrong: H. Answer:", &case, NO_NAMES), case.ground),
    }
}
