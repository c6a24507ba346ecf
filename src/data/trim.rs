//! From a model's raw output to the answer in it (Wang et al., A.2.2).
//!
//! A model pretrained on span corruption answers a prompt that ends in [`SENTINEL`] with that sentinel, the answer, and the
//! next sentinel; and one that has seen shots goes on with another prompt after its answer. Both are cut away.

/// The sentinel that stands for the missing answer at the end of a prompt, and begins an output.
pub const SENTINEL: &str = "<extra_id_0>";
/// The sentinel after the answer.
pub const NEXT_SENTINEL: &str = "<extra_id_1>";
/// How the paper's free-text prompts begin. They are looked for in the outputs of every task: a model fine-tuned on one task
/// goes on with that task's prompts on another.
pub const PREFIXES: [&str; 3] = ["Q:", "Translate", "Article:"];

/// The answer in `raw`, an output as decoded, with its sentinels and without padding and end of sequence:
///
/// 1. the text after the first [`SENTINEL`] (from the start where there is none) and before the [`NEXT_SENTINEL`] that
///    follows (to the end where none does). A repeated [`SENTINEL`] is skipped before the answer and ends it after;
/// 2. up to the first of `prefixes` that follows its first character other than white space: an answer may begin like a
///    prompt, and the prompt's own prefix counts as the first of the paper's "second prefix";
/// 3. without white space around it.
///
/// Trimming what is trimmed changes nothing.
pub fn trim<'a>(raw: &'a str, prefixes: &[&str]) -> &'a str {
    let mut text = raw.split_once(SENTINEL).map_or(raw, |(_, after)| after).trim_start();
    while let Some(after) = text.strip_prefix(SENTINEL) {
        text = after.trim_start();
    }
    let text = before(before(text, NEXT_SENTINEL), SENTINEL);
    let Some(first) = text.chars().next() else { return "" };
    let rest = &text[first.len_utf8()..];
    let end = prefixes.iter().filter(|prefix| !prefix.is_empty()).filter_map(|prefix| rest.find(prefix)).min();
    text[..end.map_or(text.len(), |end| first.len_utf8() + end)].trim_end()
}

/// `text` up to the first `mark`, all of it where there is none.
fn before<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split_once(mark).map_or(text, |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trimmed(raw: &str) -> &str {
        trim(raw, &PREFIXES)
    }

    #[test]
    fn the_answer_stands_between_the_sentinels() {
        assert_eq!(trimmed("<extra_id_0> True <extra_id_1> something else"), "True");
        assert_eq!(trimmed("<extra_id_0>True"), "True");
        assert_eq!(trimmed("True <extra_id_1> False"), "True");
        assert_eq!(trimmed("False"), "False");
        assert_eq!(trimmed("one <extra_id_1> two <extra_id_0> three <extra_id_1> four"), "three");
        assert_eq!(trimmed("<extra_id_0> <extra_id_0> True <extra_id_0> True"), "True");
        assert_eq!(trimmed("<extra_id_0> <extra_id_1> True"), "");
        assert_eq!(trimmed("<extra_id_10> a"), "<extra_id_10> a");
        assert_eq!(trimmed(""), "");
        assert_eq!(trimmed(" \n "), "");
    }

    #[test]
    fn a_further_prompt_is_cut_and_the_first_prefix_is_not() {
        assert_eq!(trimmed("<extra_id_0> Paris Q: Who wrote it? A: she <extra_id_1>"), "Paris");
        assert_eq!(trimmed("Ja. Translate English to German: No."), "Ja.");
        assert_eq!(trimmed("A storm. Article: Q: x"), "A storm.");
        assert_eq!(trimmed("  Q: who? A: he Q: where?"), "Q: who? A: he");
        assert_eq!(trimmed("éQ: x"), "é");
        assert_eq!(trimmed("translate article Q :"), "translate article Q :");
        assert_eq!(trim("a Text: b", &["Text:"]), "a");
        assert_eq!(trim("a Q: b", &[]), "a Q: b");
        assert_eq!(trim("a", &[""]), "a");
    }

    proptest! {
        #[test]
        fn any_text_gives_a_part_of_itself_and_twice_is_once(raw in any::<String>()) {
            let once = trimmed(&raw);
            prop_assert!(raw.contains(once));
            prop_assert_eq!(trimmed(once), once);
        }

        #[test]
        fn texts_full_of_marks_too(parts in prop::collection::vec(
            prop::sample::select(vec![
                "<extra_id_0>", "<extra_id_1>", "<extra_id_", "0>", "Q:", "Q", ":", "Translate", "Article:", " ", "\u{3000}", "é", "True",
            ]),
            0..14,
        )) {
            let raw = parts.concat();
            let once = trimmed(&raw);
            prop_assert!(raw.contains(once));
            prop_assert_eq!(trimmed(once), once);
            prop_assert!(!once.contains(SENTINEL) && !once.contains(NEXT_SENTINEL));
            prop_assert_eq!(once.trim(), once);
        }
    }
}
