//! Real sentences (English and German), where the shared data folder is: `FSA_SHARED_DATA`, or `../shared/data` beside the
//! repository. Only numbers are committed. Elsewhere these tests say that they are skipped.

use std::path::PathBuf;

use fsa::data::read;
use fsa::measure::Language;
use fsa::measure::bleu::{Statistics, Tokenizer};
use fsa::measure::rouge;
use serde_json::Value;

use super::{close, json, root};

/// The lines of the file that the expected values are for, English and German.
fn pairs(expected: &Value) -> Option<Vec<[String; 2]>> {
    let folder = std::env::var_os("FSA_SHARED_DATA").map_or_else(|| root("../shared/data"), PathBuf::from);
    let path = folder.join(expected["file"].as_str().unwrap());
    if !path.exists() {
        println!("skipped: no {}", path.display());
        return None;
    }
    let text = |record: &read::Record, name: &str| record.get(name).unwrap().as_str().unwrap().to_owned();
    let pair = |record: read::Record| [text(&record, "translation.en"), text(&record, "translation.de")];
    Some(read::open(&path).unwrap().map(|record| pair(record.unwrap())).collect())
}

/// `hashed` of `tests/fixtures/metrics.py`.
fn hashed(line: usize, word: usize) -> u32 {
    let mut x = (line as u32).wrapping_mul(2_654_435_761);
    x = x.wrapping_add((word as u32).wrapping_mul(2_246_822_519)).wrapping_add(3_266_489_917);
    x ^= x >> 16;
    x = x.wrapping_mul(2_146_121_005);
    x ^= x >> 15;
    x = x.wrapping_mul(2_221_713_035);
    x ^ (x >> 16)
}

/// `copy_of` of `tests/fixtures/metrics.py`.
fn copy_of(line: usize, text: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for (place, word) in text.split(' ').enumerate() {
        match hashed(line, place) % 16 {
            0 => {}
            1 => out.extend([word, word]),
            2 => out.insert(out.len().saturating_sub(1), word),
            3 => out.push(word.chars().next().map_or("", |first| &word[first.len_utf8()..])),
            _ => out.push(word),
        }
    }
    out.join(" ")
}

#[test]
fn bleu_and_rouge2_of_real_lines() {
    let expected: Value = json("real.json");
    let Some(pairs) = pairs(&expected) else { return };
    assert_eq!(pairs.len() as u64, expected["lines"]);
    for (language, which) in [("en", 0), ("de", 1)] {
        let references: Vec<&str> = pairs.iter().map(|pair| pair[which].as_str()).collect();
        let copies: Vec<String> = references.iter().enumerate().map(|(line, text)| copy_of(line, text)).collect();
        for tokenizer in Tokenizer::ALL {
            let segments =
                copies.iter().zip(&references).map(|(ours, theirs)| Statistics::of(ours, &[theirs], tokenizer));
            let score = segments.sum::<Statistics>().score().score;
            close(
                &format!("{language}, {}", tokenizer.name()),
                score,
                expected[language][tokenizer.name()].as_f64().unwrap(),
            );
        }
        let scores: Vec<f64> =
            copies.iter().zip(&references).map(|(ours, theirs)| rouge::rouge2(ours, theirs)).collect();
        close(
            &format!("{language}, ROUGE-2"),
            rouge::corpus(&scores).unwrap(),
            expected[language]["rouge2"].as_f64().unwrap(),
        );
    }
}

/// The heuristic's two errors, on single sentences: it should hardly ever accuse a right language, and find most wrong ones.
#[test]
fn the_language_heuristic_seldom_errs_on_real_lines() {
    let Some(pairs) = pairs(&json("real.json")) else { return };
    let share = |language: Language, which: usize| {
        pairs.iter().filter(|pair| language.rules_out(&pair[which])).count() as f64 / pairs.len() as f64
    };
    for (expected, right, wrong) in [(Language::English, 0, 1), (Language::German, 1, 0)] {
        let (accused, found) = (share(expected, right), share(expected, wrong));
        println!("{expected:?}: {accused:.3} of the right sentences ruled out, {found:.3} of the wrong ones");
        assert!(accused <= 0.01 && found >= 0.85, "{expected:?}: {accused}, {found}");
    }
}
