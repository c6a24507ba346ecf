//! Greedy and beam-4 decoding (batch 64, source 128, exactly 16 new tokens) in the shape of t5-v1_1-small, against
//! transformers in the same run: `cargo bench --bench decoding`.

mod support;

use fsa::model::Packed;
use fsa::spec::{Decoding, LengthPenalty};
use support::{compare, ids, model};

const BATCH: usize = 64;
const SOURCE: usize = 128;
const NEW: usize = 16;

fn main() {
    let model = model();
    let sources = Packed::new((0..BATCH).map(|i| ids(i, SOURCE)));
    for (what, num_beams, beams) in [("greedy", 1, "1"), ("beam 4", 4, "4")] {
        let decoding =
            Decoding { num_beams, max_new_tokens: NEW, min_new_tokens: NEW, length_penalty: LengthPenalty::Hf(1.0) };
        let peer =
            ["--mode", "generate", "--batch", "64", "--source-len", "128", "--target-len", "16", "--beams", beams];
        compare(&format!("{what}, t5-v1_1-small, batch 64, source 128, 16 new tokens"), &peer, || {
            let outputs = model.generate(&sources, &decoding).expect("generate");
            assert!(outputs.iter().all(|output| output.ids.len() == NEW));
        });
    }
}
