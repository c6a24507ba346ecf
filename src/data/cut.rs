//! Cutting articles that are too long. Only tasks that say so (`max_source_tokens`: summarization) have anything cut, and only
//! the article: the words of the template around it, which say what to do, stay whole.

use std::ops::Range;
use std::path::Path;

use super::example::{Example, Split};
use super::task::Task;
use crate::error::{Error, Result};

/// Cuts the article of every source of `split` that has more tokens than the task allows, and says how many it cut.
/// `encode` is the tokenizer's; the end-of-sequence token that it ends every text in counts.
pub fn split(task: &Task, split: &mut Split, encode: impl Fn(&str) -> Result<Vec<u32>>) -> Result<usize> {
    let mut cut = 0;
    for example in &mut split.examples {
        if let Some((source, article)) = source(task, &split.path, example, &encode)? {
            (example.source, example.article) = (source, Some(article));
            cut += 1;
        }
    }
    Ok(cut)
}

/// The source of `example` with as long a beginning of its article as the task allows, and where that is in it; `None` if
/// the source is short enough as it is.
pub(super) fn source(
    task: &Task,
    path: &Path,
    example: &Example,
    encode: impl Fn(&str) -> Result<Vec<u32>>,
) -> Result<Option<(String, Range<usize>)>> {
    let Some(limit) = task.max_source_tokens() else { return Ok(None) };
    let tokens = encode(&example.source)?.len();
    if tokens <= limit {
        return Ok(None);
    }
    let range = example.article.clone().unwrap_or(0..0);
    // invariant: a task's examples mark their article on character boundaries; without a mark there is nothing to cut.
    let article = example.source.get(range.clone()).unwrap_or_default();
    let (before, after) =
        (example.source.get(..range.start).unwrap_or_default(), example.source.get(range.end..).unwrap_or_default());
    let ends: Vec<usize> = article.char_indices().map(|(at, _)| at).chain([article.len()]).collect();
    // Without white space at the end, so that the template's own is not doubled.
    let beginning = |index: usize| article[..ends[index]].trim_end();
    let count = |index: usize| encode(&format!("{before}{}{after}", beginning(index))).map(|ids| ids.len());

    // `low` characters of the article fit and `high` do not.
    let (mut low, mut high) = ((0, count(0)?), (ends.len() - 1, tokens));
    if low.1 > limit {
        return Err(Error::input(format!(
            "row {} (from 0): its prompt without the article has {} tokens, and the task `{}` allows {limit}",
            example.row,
            low.1,
            task.name()
        ))
        .at(path)
        .next("raise max_source_tokens in the task's description"));
    }
    let mut halve = false;
    while high.0 - low.0 > 1 {
        // Tokens are spread over an article evenly enough to guess the place; halving in between bounds the steps.
        let step = match halve {
            true => (high.0 - low.0) / 2,
            false => (high.0 - low.0) * (limit - low.1) / (high.1 - low.1),
        };
        let middle = (low.0 + step).clamp(low.0 + 1, high.0 - 1);
        match count(middle)? {
            tokens if tokens <= limit => low = (middle, tokens),
            tokens => high = (middle, tokens),
        }
        halve = !halve;
    }
    let kept = beginning(low.0);
    Ok(Some((format!("{before}{kept}{after}"), before.len()..before.len() + kept.len())))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;
    use crate::data::testing::file;

    /// A token for every word and one for the end.
    fn words(text: &str) -> Result<Vec<u32>> {
        Ok(vec![7; text.split_whitespace().count() + 1])
    }

    fn xsum(article: &str) -> Split {
        let row = serde_json::json!({"document": article, "summary": "s"});
        let (_folder, path) = file("a.jsonl", format!("{row}\n"));
        Task::named("xsum").unwrap().read(path).unwrap()
    }

    #[test]
    fn the_article_is_cut_and_the_words_around_it_stay() {
        let task = Task::named("xsum").unwrap();
        let article: Vec<String> = (0..3000).map(|word| format!("w{word}")).collect();
        let mut long = xsum(&article.join(" "));
        let calls = Cell::new(0);
        let counted = |text: &str| {
            calls.set(calls.get() + 1);
            words(text)
        };
        assert_eq!(split(&task, &mut long, counted).unwrap(), 1);
        // `Article:`, three words after it and the end are five of the 1024 tokens: a cut word counts as one.
        let example = &long.examples[0];
        assert_eq!(example.source, format!("Article: {} One sentence summary:", article[..1019].join(" ")));
        assert_eq!(words(&example.source).unwrap().len(), 1024);
        assert_eq!(example.source[example.article.clone().unwrap()], article[..1019].join(" "));
        assert!(calls.get() < 20, "{} texts encoded", calls.get());
        // What is short enough is left alone, and so is what was cut before.
        assert_eq!(split(&task, &mut long, words).unwrap(), 0);
        let mut short = xsum("a b");
        assert_eq!((split(&task, &mut short, words).unwrap(), short.examples), (0, xsum("a b").examples));
    }

    #[test]
    fn other_tasks_are_not_cut() {
        let (_folder, path) =
            file("a.jsonl", format!("{{\"question\":\"{}\",\"answers\":[\"b\"]}}", "a ".repeat(3000)));
        let task = Task::named("web_questions").unwrap();
        let mut long = task.read(path).unwrap();
        let before = long.clone();
        assert_eq!((split(&task, &mut long, words).unwrap(), long), (0, before));
    }

    #[test]
    fn a_template_that_is_too_long_by_itself_is_named() {
        let mut long = xsum("a");
        let error = split(&Task::named("xsum").unwrap(), &mut long, |_| Ok(vec![0; 2000])).unwrap_err().to_string();
        assert!(
            error.ends_with(
                "row 0 (from 0): its prompt without the article has 2000 tokens, and the task `xsum` allows 1024; \
                 raise max_source_tokens in the task's description"
            ),
            "{error}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn cut_sources_fit_and_hold_a_beginning_of_the_article(article in "[a-cé\u{3042} \n]{900,1600}") {
            // A token for every byte: characters of several bytes must not be split.
            let bytes = |text: &str| Ok(text.bytes().map(u32::from).chain([1]).collect::<Vec<_>>());
            let mut long = xsum(&article);
            let whole = long.examples[0].source.clone();
            let cut = split(&Task::named("xsum").unwrap(), &mut long, bytes).unwrap();
            let example = &long.examples[0];
            prop_assert_eq!(cut, usize::from(whole.len() + 1 > 1024));
            prop_assert!(example.source.len() < 1024);
            prop_assert!(article.starts_with(&example.source[example.article.clone().unwrap()]));
            prop_assert!(example.source.starts_with("Article: ") && example.source.ends_with(" One sentence summary:"));
        }
    }
}
