//! The README's table of what fsa reads, row by row with the tests that say so.

use std::fs;
use std::path::Path;

/// What a row is about, and the tests of what it says: of what is read, and of what is not.
const ROWS: [(&str, [&str; 2]); 9] = [
    ("architecture", ["logits_loss_and_every_gradient_agree_with_transformers", "what_is_no_model_is_refused"]),
    ("weights", ["every_layout_is_named", "weights_of_pytorch_that_are_no_weights_are_refused"]),
    (
        "numbers",
        ["half_precision_is_read_from_both_layouts", "what_is_wrong_with_a_model_is_named_and_all_else_is_told"],
    ),
    ("pickles", ["what_pytorch_saved_is_the_model", "what_is_refused_is_named"]),
    ("tokenizer", ["every_line_has_the_ids_and_the_text_that_google_gives", "the_vocabulary_must_fit_the_embedding"]),
    (
        "sentinels",
        [
            "sentinels_are_found_inside_the_vocabulary_and_behind_it",
            "a_folder_says_how_many_sentinels_there_are_and_whether_the_model_is_used_at_all",
        ],
    ),
    (
        "added tokens",
        ["texts_are_cut_at_added_tokens_as_transformers_cuts_them", "lists_that_cannot_be_are_refused_in_one_line"],
    ),
    ("adapters", ["logits_losses_and_gradients_agree_with_peft", "what_cannot_be_attached_is_refused_in_one_line"]),
    (
        "series",
        [
            "a_series_that_pytorch_saved_is_the_series_of_safetensors_bit_for_bit",
            "a_series_of_adapters_gives_what_each_gives_beside_its_base",
        ],
    ),
];

/// The text of every source below `folder`.
fn sources(folder: &Path, text: &mut String) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => sources(&path, text),
            false if path.extension().is_some_and(|extension| extension == "rs") => {
                text.push_str(&fs::read_to_string(&path).unwrap());
            }
            false => {}
        }
    }
}

#[test]
fn every_row_of_the_table_is_held_by_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let table =
        readme.split("| what | fsa reads | it does not read |\n|---|---|---|\n").nth(1).expect("the table is there");
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let about: Vec<&str> = rows.map(|row| row.split('|').nth(1).unwrap_or_default().trim()).collect();
    assert_eq!(about, ROWS.map(|(about, _)| about));
    let mut text = String::new();
    ["tests", "src"].iter().for_each(|folder| sources(&root.join(folder), &mut text));
    for (about, tests) in ROWS {
        for test in tests {
            assert!(text.contains(&format!("#[test]\nfn {test}()")), "{about}: there is no test {test}");
        }
    }
}
