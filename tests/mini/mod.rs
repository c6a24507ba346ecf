//! The mini world, by its public face and by the command.

mod commands;
mod leak;
mod snapshot;
mod tokens;
mod world;

use fsa::data::Document;

/// The text that a document was made of: its spans back in the places of their sentinels.
fn unmasked(document: &Document) -> String {
    let spans: Vec<Vec<&str>> = document
        .target
        .split("<extra_id_")
        .skip(1)
        .map(|span| span.split_once('>').unwrap().1.split_whitespace().collect())
        .collect();
    let mut words = Vec::new();
    for word in document.source.split_whitespace() {
        match word.strip_prefix("<extra_id_").and_then(|number| number.strip_suffix('>')) {
            Some(number) => words.extend(&spans[number.parse::<usize>().unwrap()]),
            None => words.push(word),
        }
    }
    words.join(" ")
}

#[test]
fn a_document_is_put_together_again() {
    let document =
        |source: &str, target: &str| Document { source: source.into(), target: target.into(), family: "x".into() };
    assert_eq!(
        unmasked(&document("a <extra_id_0> d <extra_id_1>", "<extra_id_0> b c <extra_id_1> e. <extra_id_2>")),
        "a b c d e."
    );
}
