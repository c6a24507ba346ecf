//! Prompts: the same at every probe, and never with the evaluated question as a shot.

use super::support::*;

#[test]
fn every_probe_and_method_asks_the_same() {
    let place = place();
    place.done(&format!("{TRAIN} --probe-every 2 --out out"));
    checkpoint(&place, 5, 1, true);
    place.done(&format!("{OVER} --out over"));
    for evaluation in ["web_questions-2shot", "wmt16_ende-0shot"] {
        let asked = |out: &str, step| {
            let answers = answers(&place, out, step, evaluation);
            let one = |answer: &serde_json::Value| {
                (answer["row"].clone(), answer["prompt"].clone(), answer["references"].clone())
            };
            answers.iter().map(one).collect::<Vec<_>>()
        };
        let first = asked("out", 0);
        for step in [2, 4, 6] {
            assert_eq!(asked("out", step), first);
        }
        assert_eq!(asked("over", 5), first);
    }
}

#[test]
fn a_question_is_never_its_own_shot() {
    let place = place();
    // Shots from the evaluated file itself.
    place.write("wq-test.jsonl", questions(0..4));
    place.write("wq-train.jsonl", questions(0..4));
    place.done(&format!("{TRAIN} --steps 0 --eval web_questions:3 --out out"));
    let file = rows(&place.text("wq-test.jsonl"));
    let answers = answers(&place, "out", 0, "web_questions-3shot");
    assert_eq!(answers.len(), 4);
    for answer in answers {
        let question = text(&file[answer["row"].as_u64().unwrap() as usize], "question");
        let prompt = text(&answer, "prompt");
        assert_eq!(prompt.matches("Q: ").count(), 4);
        assert_eq!(prompt.matches(question).count(), 1, "{prompt}");
        assert!(prompt.ends_with(&format!("Q: {question} A: <extra_id_0>")), "{prompt}");
    }
    // With four shots there are too few others.
    let said = place.refusal(&format!("{TRAIN} --steps 0 --eval web_questions:4 --out more"));
    assert!(said.contains("4 shots asked for"), "{said}");
}
