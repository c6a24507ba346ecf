//! One gradient-alignment step (true labels, one shuffle, every parameter's cosine) in the shape of t5-v1_1-small, against
//! eager PyTorch in the same run: `cargo bench --bench alignment`.

mod support;

use fsa::grad::Dots;
use fsa::model::loss::LossOptions;
use fsa::model::t5::Pass;
use fsa::model::{Batch, Mix, Packed};
use support::{compare, ids, model};

const BATCH: usize = 16;
const SOURCE: usize = 128;
const TARGET: usize = 4;

fn main() {
    let model = model();
    let targets: Vec<Vec<u32>> = (0..BATCH).map(|i| ids(1000 + i, TARGET)).collect();
    let shuffled = (0..BATCH).map(|i| targets[(i + 5) % BATCH].clone());
    let batches = [Batch::new(
        Packed::new((0..BATCH).map(|i| ids(i, SOURCE))),
        &(0..BATCH as u64).collect::<Vec<_>>(),
        Packed::new(targets.iter().cloned().chain(shuffled)),
        Mix::lanes(2, BATCH),
        0,
        0,
    )
    .expect("batch")];
    let peer = ["--mode", "align", "--batch", "16", "--source-len", "128", "--target-len", "4"];
    compare("alignment step, t5-v1_1-small, batch 16, source 128, target 4", &peer, || {
        let pass = Pass { dropout: None, loss: LossOptions::PLAIN, scale: 1.0, low_memory: false };
        let tape = model.forward(&batches, pass).expect("forward");
        let mut sink = Dots::new(2);
        model.backward(tape, &mut sink).expect("backward");
        let cosines: Vec<f64> = sink.into_grams().values().filter_map(|gram| gram.cosine(0, 1)).collect();
        assert_eq!(cosines.len(), model.params().iter().count());
    });
}
