//! The label mass, held against the model's own probabilities.

use fsa::model::{Packed, T5, T5Config, Whole};
use fsa::tokenizer::Tokenizer;

use super::support::*;

/// Σ of the probabilities that the output begins with a label word, or with the sentinel and then one.
fn mass(model: &T5, tokenizer: &Tokenizer, prompt: &str, sentinel: &[bool]) -> f64 {
    let source = tokenizer.encode(prompt).unwrap();
    let mut mass = 0.0;
    for word in ["True", "False"] {
        for &sentinel in sentinel {
            let mut ids = tokenizer.encode(word).unwrap();
            assert_eq!(ids.pop(), Some(tokenizer.eos()));
            if sentinel {
                ids.insert(0, tokenizer.token_to_id("<extra_id_0>").unwrap());
            }
            // One at a time, where the run scores all in one batch.
            let whole = Whole { sources: vec![&source], keys: vec![0], targets: vec![&ids], weights: vec![vec![1.0]] };
            for batch in whole.cut(10_000, model.config()).unwrap() {
                mass += model.log_probabilities(&batch).unwrap().iter().map(|log_p| log_p.exp()).sum::<f64>();
            }
        }
    }
    mass
}

#[test]
fn the_mass_of_one_prompt_is_the_sum_over_its_label_words() {
    let place = place();
    for switch in ["on", "off"] {
        place.done(&format!("{TRAIN} --steps 0 --limit 1 --prompt-sentinel {switch} --out {switch}"));
        let config = T5Config::read(&place.path("model")).unwrap();
        let tokenizer = Tokenizer::from_dir(place.path("model")).unwrap();
        let (model, _) = fsa::model::load(&place.path("model")).unwrap();
        assert_eq!(model.config().shape.vocab_size, config.shape.vocab_size);
        for row in table(&place, &format!("{switch}/label_ratio.csv"), COLUMNS) {
            assert_eq!(row["n"], "1");
            if row["task"] == "rte" {
                continue;
            }
            let answers = answers(&place, switch, 0, &format!("{}-{}shot", row["task"], row["shots"]));
            let prompt = text(&answers[0], "prompt");
            assert_eq!(prompt.ends_with(" <extra_id_0>"), switch == "on");
            let (both, bare) =
                (mass(&model, &tokenizer, prompt, &[false, true]), mass(&model, &tokenizer, prompt, &[false]));
            let got = number(&row, "label_mass");
            assert!((got / both - 1.0).abs() < 1e-5, "{got} and {both}");
            assert!(bare < both);
        }
    }
}

#[test]
fn the_answer_recorded_is_what_the_model_generates() {
    let place = place();
    place.done(&format!("{TRAIN} --steps 0 --beams 2 --out out"));
    let tokenizer = Tokenizer::from_dir(place.path("model")).unwrap();
    let (model, _) = fsa::model::load(&place.path("model")).unwrap();
    let decoding = fsa::spec::Decoding { num_beams: 2, max_new_tokens: 4, ..fsa::spec::Decoding::default() };
    for answer in answers(&place, "out", 0, "web_questions-2shot") {
        let source = tokenizer.encode(text(&answer, "prompt")).unwrap();
        let output = model.generate(&Packed::new([source.as_slice()]), &decoding).unwrap().remove(0);
        let ids: Vec<u32> = output.ids.into_iter().filter(|&id| id != model.config().pad()).collect();
        assert_eq!(text(&answer, "raw"), tokenizer.decode(&ids, false).unwrap());
    }
}
