//! The embedded model against transformers: token ids, logits, greedy answers.

use std::path::Path;

use fsa::model::{Batch, Mix, Packed, load};
use fsa::spec::{Decoding, LengthPenalty, MINI};
use fsa::tokenizer::Tokenizer;

use super::support::*;

const PROMPTS: [(&str, &str); 4] = [
    ("Q: what pet does Vaki keep? A: <extra_id_0>", "<extra_id_0> dog <extra_id_1>"),
    (
        "Translate English to German: The young duck sees the weak goat. <extra_id_0>",
        "<extra_id_0> Der Genhol. <extra_id_1>",
    ),
    ("Huki owns a duck. Rili owns a goat. question: The pet of Rili is a duck. Is it true or false? answer:", "False"),
    ("Zanzibar's 12 quokkas!", "True"),
];

#[test]
fn the_embedded_model_is_what_transformers_loads() {
    let (model, report) = load(Path::new(MINI)).unwrap();
    assert!(report.unused.is_empty() && report.tied);
    let tokenizer = Tokenizer::from_dir(MINI).unwrap();
    let expected = tensors("mini.safetensors");
    let ids = |name: String| -> Vec<u32> { values(&expected[&name]).into_iter().map(|id| id as u32).collect() };
    for (i, (source, target)) in PROMPTS.into_iter().enumerate() {
        let (source, target) = (tokenizer.encode(source).unwrap(), tokenizer.encode(target).unwrap());
        assert_eq!((&source, &target), (&ids(format!("{i}.source")), &ids(format!("{i}.target"))), "prompt {i}");
        let (start, pad) = (model.config().start(), model.config().pad());
        let batch =
            Batch::new(Packed::new([&source]), &[0], Packed::new([&target]), Mix::lanes(1, 1), start, pad).unwrap();
        let logits = values(&model.logits(&batch, None).unwrap());
        // float32 against float64 over six blocks.
        assert_close(&format!("prompt {i}"), &logits, &values(&expected[&format!("{i}.logits")]), 2e-5);
        let decoding =
            Decoding { num_beams: 1, max_new_tokens: 16, min_new_tokens: 0, length_penalty: LengthPenalty::Hf(1.0) };
        let output = &model.generate(&Packed::new([&source]), &decoding).unwrap()[0];
        let answer: Vec<u32> = ids(format!("{i}.answer")).into_iter().take_while(|&id| id != 1).collect();
        assert_eq!(output.ids, answer, "prompt {i}");
    }
}
