//! What readers of tables and figures call tasks and metrics.

/// Registered tasks, by the names that their publications use.
const TASKS: [(&str, &str); 12] = [
    ("cb", "CB"),
    ("openbookqa", "OpenbookQA"),
    ("rte", "RTE"),
    ("snli", "SNLI"),
    ("trivia_qa", "TriviaQA"),
    ("web_questions", "WebQuestions"),
    ("wic", "WiC"),
    ("wiki_lingua", "WikiLingua"),
    ("wmt14_enfr", "WMT14 En-Fr"),
    ("wmt16_ende", "WMT16 En-De"),
    ("wmt16_enro", "WMT16 En-Ro"),
    ("xsum", "XSum"),
];

/// Metrics; which normaliser or tokenizer stays in the rows.
const METRICS: [(&str, &str); 5] = [
    ("em-trivia", "exact match"),
    ("em-squad", "exact match"),
    ("bleu-13a", "BLEU"),
    ("bleu-intl", "BLEU"),
    ("rouge2", "ROUGE-2"),
];

/// The name of a task; a task that nobody has registered keeps its own.
pub fn task(name: &str) -> &str {
    known(&TASKS, name)
}

/// The name of a metric.
pub fn metric(name: &str) -> &str {
    known(&METRICS, name)
}

fn known<'a>(names: &[(&str, &'static str)], name: &'a str) -> &'a str {
    names.iter().find(|(known, _)| *known == name).map_or(name, |(_, pretty)| pretty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_stay() {
        assert_eq!((task("trivia_qa"), task("my task")), ("TriviaQA", "my task"));
        assert_eq!((metric("bleu-intl"), metric("accuracy")), ("BLEU", "accuracy"));
    }
}
