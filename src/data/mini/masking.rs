//! Which words of a document are masked: T5's span corruption, and answers.

use super::dice::Dice;

/// A source and what completes it.
pub(super) type Pair = (String, String);

/// The most sentinels that a document has, the one that ends its target not counted.
const SENTINELS: usize = 8;

/// Shares of in-context documents whose last answer is masked, and whose every answer is; in the others random spans are.
const ONE_MASKED: f64 = 0.5;
const ALL_MASKED: f64 = 0.4;

/// Some of what `ask` writes, one after the other, with answers masked.
pub(super) fn in_context(dice: &mut Dice, weights: &[f64], ask: impl Fn(&mut Dice) -> Vec<Pair>) -> Pair {
    let shots = dice.weighted(weights);
    let mut examples: Vec<Pair> = (0..=shots).flat_map(|_| ask(dice)).collect();
    // Questions about one context are worth more than its reading.
    let all_masked = if examples.len() > shots + 1 { 5.0 * ALL_MASKED } else { ALL_MASKED };
    let told = |examples: &[Pair]| -> String {
        examples.iter().map(|(source, target)| format!("{source} {target}")).collect::<Vec<_>>().join(" ")
    };
    let masked = dice.weighted(&[ONE_MASKED, all_masked, 1.0 - ONE_MASKED - ALL_MASKED]);
    let first = match masked {
        0 => examples.len() - 1,
        1 => examples.len().saturating_sub(SENTINELS),
        _ => return mask(dice, &told(&examples)),
    };
    let mut target = String::new();
    for (place, (_, answer)) in examples.iter_mut().skip(first).enumerate() {
        let sentinel = format!("<extra_id_{place}>");
        target += &format!("{sentinel} {answer} ");
        *answer = sentinel;
    }
    let count = examples.len() - first;
    (told(&examples), format!("{target}<extra_id_{count}>"))
}

/// T5's span corruption by words: spans of one to three are masked until about 15 % are, the number of sentinels permitting.
pub(super) fn mask(dice: &mut Dice, told: &str) -> Pair {
    let words: Vec<&str> = told.split(' ').collect();
    let (mut source, mut target) = (Vec::new(), Vec::new());
    let mut spans = 0;
    let mut place = 0;
    while place < words.len() {
        let last_chance = spans == 0 && place + 1 == words.len();
        if spans < SENTINELS && (last_chance || dice.chance(0.09)) {
            let sentinel = format!("<extra_id_{spans}>");
            let end = words.len().min(place + 1 + dice.below(3));
            source.push(sentinel.clone());
            target.push(sentinel);
            target.extend(words[place..end].iter().map(|word| word.to_string()));
            spans += 1;
            // Two masked spans never touch.
            if end < words.len() {
                source.push(words[end].to_string());
            }
            place = end + 1;
        } else {
            source.push(words[place].to_string());
            place += 1;
        }
    }
    target.push(format!("<extra_id_{spans}>"));
    (source.join(" "), target.join(" "))
}
