//! The answers of each probe, and the table's shares counted from them anew.

use candle_core::Tensor;
use fsa::measure::Language;
use fsa::model::generate::Output;
use fsa::model::{Packed, T5};
use fsa::spec::Decoding;
use fsa::tokenizer::Tokenizer;
use serde_json::Value;

use super::support::*;

/// An output with nothing but its answer: between the sentinels, up to the next prompt.
fn answer(raw: &str) -> String {
    let mut text = raw.trim();
    if let Some(place) = text.find("<extra_id_0>") {
        text = text[place..].trim_start_matches("<extra_id_0>").trim_start();
        while text.starts_with("<extra_id_0>") {
            text = text.trim_start_matches("<extra_id_0>").trim_start();
        }
    }
    let ends = ["<extra_id_1>", "<extra_id_0>"].iter().filter_map(|mark| text.find(mark));
    text = &text[..ends.min().unwrap_or(text.len())];
    let begun = text.chars().next().map_or(0, char::len_utf8);
    let ends = ["Q:", "Translate", "Article:"].iter().filter_map(|prefix| text[begun..].find(prefix));
    text[..ends.min().map_or(text.len(), |end| begun + end)].trim().to_string()
}

/// Whether `output` is `True` or `False`, punctuation around it aside.
fn is_label(output: &str) -> bool {
    let letters: Vec<char> = output.chars().collect();
    let odd = |letter: &&char| letter.is_whitespace() || letter.is_ascii() && !letter.is_ascii_alphanumeric();
    let begin = letters.iter().take_while(odd).count();
    let end = letters[begin..].iter().rev().take_while(odd).count();
    let word: String = letters[begin..letters.len() - end].iter().collect();
    ["True", "False"].contains(&word.as_str())
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Texts that the prompt of `answer` holds, each of which it would be to copy to say again.
fn parts(answer: &Value, evaluation: &str) -> Vec<String> {
    let prompt = text(answer, "prompt");
    let mut parts = vec![prompt.to_string()];
    let body = prompt.strip_suffix(" <extra_id_0>").unwrap_or(prompt);
    match evaluation {
        "wmt16_ende-0shot" => {
            parts.push(body.to_string());
            parts.push(body.strip_prefix("Translate English to German: ").unwrap().to_string());
        }
        _ => {
            // `Q: … A: answer Q: … A: answer Q: … A:`
            let pieces: Vec<&str> = body.split("Q: ").skip(1).collect();
            for piece in &pieces {
                let (question, shown) = piece.split_once(" A:").unwrap();
                parts.push(format!("Q: {question} A:"));
                parts.push(shown.to_string());
            }
            let (question, _) = pieces.last().unwrap().split_once(" A:").unwrap();
            parts.push(question.to_string());
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The class of an answer that `ended` or ran into the length limit.
fn class(answer: &Value, evaluation: &str, ended: bool) -> &'static str {
    let output = words(text(answer, "output"));
    if is_label(&output) {
        "out_label"
    } else if output.is_empty() {
        "out_empty"
    } else if !ended {
        "out_runaway"
    } else if parts(answer, evaluation).iter().any(|part| words(part) == output) {
        "out_copy"
    } else if evaluation.starts_with("wmt16_ende") && Language::German.rules_out(&output) {
        "out_wrong_language"
    } else {
        "out_other"
    }
}

/// What `model` says to the prompt of `answer`, alone.
fn generated(tokenizer: &Tokenizer, model: &T5, answer: &Value) -> Output {
    let source = tokenizer.encode(text(answer, "prompt")).unwrap();
    let decoding = Decoding { num_beams: 1, max_new_tokens: 4, ..Decoding::default() };
    model.generate(&Packed::new([source.as_slice()]), &decoding).unwrap().remove(0)
}

/// Checks all answers of `out`; how many there are of each class. Without a model it is taken on trust which answers ended.
fn recount(place: &Place, out: &str, model: impl Fn(u64) -> Option<T5>) -> Vec<(&'static str, usize)> {
    let table = table(place, &format!("{out}/label_ratio.csv"), COLUMNS);
    let tokenizer = Tokenizer::from_dir(place.path("model")).unwrap();
    let mut classes = Vec::new();
    for row in table.iter().filter(|row| row["task"] != "rte") {
        let evaluation = format!("{}-{}shot", row["task"], row["shots"]);
        let step: u64 = row["step"].parse().unwrap();
        let answers = answers(place, out, step, &evaluation);
        assert_eq!(answers.len().to_string(), row["n"]);
        let mut numbers: Vec<u64> = answers.iter().map(|answer| answer["row"].as_u64().unwrap()).collect();
        let model = model(step);
        let ended = |answer: &Value| match &model {
            Some(model) => generated(&tokenizer, model, answer).ended,
            None => answer["ended"].as_bool().unwrap(),
        };
        let own: Vec<&'static str> = answers.iter().map(|answer| class(answer, &evaluation, ended(answer))).collect();
        for (answer, own) in answers.iter().zip(&own) {
            let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
            let mut want = ["row", "prompt", "raw", "output", "references", "ended", "class"];
            want.sort_unstable();
            let mut keys: Vec<&str> = keys.into_iter().map(String::as_str).collect();
            keys.sort_unstable();
            assert_eq!(keys, want);
            assert_eq!(text(answer, "class"), *own, "{answer}");
            assert_eq!(text(answer, "output"), self::answer(text(answer, "raw")), "{answer}");
            assert_eq!(answer["ended"].as_bool(), Some(ended(answer)), "{answer}");
            assert!(!answer["references"].as_array().unwrap().is_empty());
        }
        for name in CLASSES.iter().filter(|name| !row[**name].is_empty()) {
            let count = own.iter().filter(|class| *class == name).count();
            assert!((number(row, name) - count as f64 / answers.len() as f64).abs() < 1e-12, "{name} of {row:?}");
        }
        let labels = answers.iter().filter(|answer| is_label(text(answer, "output"))).count();
        assert!((number(row, "label_ratio") - labels as f64 / answers.len() as f64).abs() < 1e-12, "{row:?}");
        // In the file's order, each once.
        let before = numbers.clone();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(before, numbers);
        classes.extend(own);
    }
    CLASSES.map(|name| (name, classes.iter().filter(|class| **class == name).count())).into()
}

#[test]
fn the_shares_are_those_of_the_answers() {
    let place = place();
    place.done(&format!("{TRAIN} --out out"));
    recount(&place, "out", |_| None);
    let steps = std::fs::read_dir(place.path("out/outputs")).unwrap().count();
    assert_eq!(steps, 3);
}

#[test]
fn beams_and_a_model_that_has_learnt_its_labels_recount_too() {
    let place = place();
    place.done(&format!("{TRAIN} --beams 2 --steps 60 --probe-every 20 --lr 0.05 --out out"));
    let found = recount(&place, "out", |_| None);
    assert!(found.iter().any(|&(name, count)| name == "out_label" && count > 0), "{found:?}");
}

#[test]
fn without_the_prompt_sentinel_prompts_end_in_their_question() {
    let place = place();
    place.done(&format!("{TRAIN} --prompt-sentinel off --steps 0 --out out"));
    recount(&place, "out", |_| None);
    for answer in answers(&place, "out", 0, "web_questions-2shot") {
        assert!(text(&answer, "prompt").ends_with(" A:"), "{answer}");
    }
}

#[test]
fn the_answers_are_what_the_checkpoints_generate() {
    let place = place();
    for step in [2, 4, 6] {
        checkpoint(&place, step, step, true);
    }
    // One whose outputs end sooner, or never.
    let mut weights = place.weights("model");
    let head = weights["lm_head.weight"].clone();
    let mut values: Vec<Vec<f32>> = head.to_vec2().unwrap();
    values[1] = values[1].iter().map(|value| value * 8.0).collect();
    let shape = head.shape().clone();
    let values: Vec<f32> = values.into_iter().flatten().collect();
    weights.insert("lm_head.weight".into(), Tensor::from_vec(values, shape, head.device()).unwrap());
    place.save("trained/checkpoint-6", &weights);
    place.done(&format!("{OVER} --out out"));
    let model = |step| fsa::model::load(&place.path(&format!("trained/checkpoint-{step}"))).unwrap().0;
    let found = recount(&place, "out", |step| Some(model(step)));
    let tokenizer = Tokenizer::from_dir(place.path("model")).unwrap();
    for step in [2, 4, 6] {
        let model = model(step);
        for evaluation in ["web_questions-2shot", "wmt16_ende-0shot"] {
            for answer in answers(&place, "out", step, evaluation) {
                let ids = generated(&tokenizer, &model, &answer).ids;
                let ids: Vec<u32> = ids.into_iter().filter(|&id| id != model.config().pad()).collect();
                assert_eq!(text(&answer, "raw"), tokenizer.decode(&ids, false).unwrap());
            }
        }
    }
    assert!(found.iter().filter(|&&(_, count)| count > 0).count() > 1, "{found:?}");
}
