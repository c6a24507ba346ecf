//! Hand-made cases, each with the rule it shows; the script checks them against the two published normalisers.

use fsa::measure::Normaliser;
use serde::Deserialize;

use super::json;

#[derive(Deserialize)]
struct Case {
    normaliser: String,
    output: String,
    aliases: Vec<String>,
    #[serde(rename = "match")]
    matches: bool,
    rule: String,
}

#[test]
fn every_rule_of_both_normalisers() {
    let cases: Vec<Case> = json("exact_match.json");
    assert!(cases.len() >= 60);
    for case in cases {
        let normaliser = Normaliser::ALL.into_iter().find(|known| known.name() == case.normaliser).unwrap();
        let found = normaliser.matches(&case.output, &case.aliases);
        assert_eq!(found, case.matches, "{}: {:?}, {:?}: {}", case.normaliser, case.output, case.aliases, case.rule);
    }
}
