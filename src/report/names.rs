//! What readers of tables and figures call tasks, metrics and methods.

/// Registered tasks, by the names that their publications use, in the order of the paper's tables.
const TASKS: [(&str, &str); 12] = [
    ("rte", "RTE"),
    ("cb", "CB"),
    ("wic", "WiC"),
    ("snli", "SNLI"),
    ("openbookqa", "OpenbookQA"),
    ("trivia_qa", "TriviaQA"),
    ("web_questions", "WebQuestions"),
    ("wmt14_enfr", "WMT14 En-Fr"),
    ("wmt16_ende", "WMT16 En-De"),
    ("wmt16_enro", "WMT16 En-Ro"),
    ("xsum", "XSum"),
    ("wiki_lingua", "WikiLingua"),
];

/// Methods of `fsa compare`, as the paper calls them, and those that its tables tell apart by a rank.
const METHODS: [(&str, &str); 13] = [
    ("pretrained", "Pretrained"),
    ("standard", "Standard"),
    ("standard-long", "Standard, long"),
    ("prompt-tuning", "Prompt tuning"),
    ("promot", "ProMoT"),
    ("joint", "Joint"),
    ("random-prompt", "Random prompt"),
    ("lora", "LoRA"),
    ("promot-lora", "ProMoT with LoRA"),
    ("promot-lora-r2", "ProMoT with LoRA (r = 2)"),
    ("promot-lora-r4", "ProMoT with LoRA (r = 4)"),
    ("multitask", "Multi-task"),
    ("multitask-promot", "Multi-task ProMoT"),
];

/// The method that is not trained, which others are held against.
pub const PRETRAINED: &str = "pretrained";

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

/// Where a task stands in the paper's tables; tasks that nobody has registered come last.
pub fn task_place(name: &str) -> usize {
    TASKS.iter().position(|(known, _)| *known == name).unwrap_or(TASKS.len())
}

/// The name of a method: `ProMoT + 1-shot`; one that nobody has named keeps its own.
pub fn method(name: &str) -> String {
    match name.strip_suffix("+1shot") {
        Some(base) => format!("{} + 1-shot", known(&METHODS, base)),
        None => known(&METHODS, name).to_string(),
    }
}

/// Several targets with `+` between: `RTE and WMT14 En-Fr`.
pub fn targets(target: &str) -> String {
    target.split('+').map(task).collect::<Vec<_>>().join(" and ")
}

/// A measure of `summary.csv` of `fsa compare`: `CB, 1-shot`; the target's has no shots.
pub fn measure(target: &str, measure: &str, shots: Option<u64>) -> String {
    let name = match measure {
        "target" => return format!("{}, 0-shot", targets(target)),
        "norm_avg" => "Norm. Avg.",
        "matched" => "Matched mean",
        "mismatched" => "Mismatched mean",
        "label_ratio" => "Label ratio (mismatched)",
        other => task(other),
    };
    shots.map_or_else(|| name.to_string(), |shots| format!("{name}, {shots}-shot"))
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
        assert_eq!([method("promot+1shot"), method("mine")], ["ProMoT + 1-shot", "mine"]);
    }

    #[test]
    fn measures_say_their_shots() {
        assert_eq!(measure("rte", "cb", Some(1)), "CB, 1-shot");
        assert_eq!(measure("rte+snli", "target", None), "RTE and SNLI, 0-shot");
        assert_eq!(measure("rte", "norm_avg", Some(4)), "Norm. Avg., 4-shot");
    }

    #[test]
    fn every_method_has_a_name() {
        use crate::spec::method::Method;
        for name in Method::names() {
            assert_ne!(method(&name), name);
        }
    }
}
