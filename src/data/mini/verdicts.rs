//! Documents in which claims are checked, in wordings and with answers that no task's template has: what fine-tuning targets
//! need is learned, their formats are not.

use super::World;
use super::claims::{self, Case, Kind, Verdict};
use super::dice::Dice;
use super::documents::free;
use super::masking::Pair;

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

/// Ways to check a claim, which a document keeps to.
pub(super) const WAYS: usize = CHECKS.len();

/// Ways to ask for what a claim follows from.
const WHYS: [&str; 3] =
    ["C Why is it that H? Since", "Context: C Claim: H. Reason:", "Which of this says that H? C Namely"];

/// How many there are.
pub(super) const REASONS: usize = WHYS.len();

/// Contexts of one to three sentences, none of which can hold a task's within; the short ones are learned first.
fn sentences(dice: &mut Dice) -> usize {
    1 + dice.weighted(&[0.25, 0.35, 0.4])
}

/// A claim, asked in way number `way`.
pub(super) fn claim(world: &World, dice: &mut Dice, way: usize) -> Pair {
    let check = &CHECKS[way];
    let verdicts = [Verdict::True, Verdict::False, Verdict::Neither];
    let case = free(
        world,
        dice,
        |case: &Case| &case.context,
        |dice| {
            let verdict = *dice.pick(&verdicts[..if check.neither.is_some() { 3 } else { 2 }]);
            let kind = Kind { sentences: sentences(dice), denied: check.neither.is_some() };
            match dice.chance(0.15) {
                true => claims::scene(dice, verdict),
                false => claims::case(&world.names, dice, kind, verdict),
            }
        },
    );
    let answer = match (case.verdict, check.neither) {
        (Verdict::True, _) => check.answers[0],
        (Verdict::Neither, Some(neither)) => neither,
        _ => check.answers[1],
    };
    (filled(check.wording, &case.context, &case.claim), answer.to_string())
}

/// A context, and several claims with a verdict each.
pub(super) fn several(world: &World, dice: &mut Dice) -> Vec<Pair> {
    let (context, said) = free(
        world,
        dice,
        |told: &(String, Vec<(String, bool)>)| &told.0,
        |dice| {
            let (sentences, count) = (sentences(dice), 2 + dice.below(5));
            claims::several(&world.names, dice, sentences, count)
        },
    );
    let ask = |(place, (claim, follows)): (usize, (String, bool))| {
        let asked = match place {
            0 => format!("Facts: {context} Yes or no? {claim}:"),
            _ => format!("{claim}:"),
        };
        (asked, if follows { "yes" } else { "no" }.to_string())
    };
    said.into_iter().enumerate().map(ask).collect()
}

/// What a claim follows from, asked in way number `way`.
pub(super) fn reason(world: &World, dice: &mut Dice, way: usize) -> Pair {
    let (context, claim, ground) = free(
        world,
        dice,
        |told: &(String, String, String)| &told.0,
        |dice| {
            let sentences = sentences(dice);
            claims::reason(&world.names, dice, sentences)
        },
    );
    (filled(WHYS[way], &context, &claim), ground)
}

/// `wording` with the context for `C` and the claim for `H`.
fn filled(wording: &str, context: &str, claim: &str) -> String {
    let words = wording.split(' ').map(|word| match word.trim_end_matches(['.', ',', '?']) {
        "C" => word.replace('C', context),
        "H" => word.replace('H', claim),
        _ => word.to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}
