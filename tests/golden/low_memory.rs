//! Computing blocks again instead of keeping them, and gradients that never exist whole.

use std::alloc::{GlobalAlloc, Layout, System};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use fsa::data::Tokenized;
use fsa::grad::{Dots, Losses, Targets};
use fsa::model::dropout::Dropout;
use fsa::model::loss::LossOptions;
use fsa::model::t5::Pass;
use fsa::model::{Batch, T5, T5Config, Whole, load};
use fsa::spec::{Estimator, Optimizer, Seeds, Training};
use fsa::train::Trainer;

use super::support::*;

/// Remembers the largest allocation of the whole test program.
struct Watching;

static LARGEST: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Watching = Watching;

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.fetch_max(size, Ordering::Relaxed);
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

fn examples(count: usize, vocab: usize) -> Vec<Tokenized> {
    let id = |i: usize| (3 + i * 7919 % (vocab - 3)) as u32;
    let source = |i: usize| (0..4 + i % 5).map(|j| id(i * 31 + j)).chain([1]).collect();
    (0..count).map(|i| Tokenized { source: source(i), target: vec![id(5 + i % 2), 1] }).collect()
}

fn training_batch(split: &[Tokenized], tokens: usize, config: &T5Config) -> Vec<Batch> {
    let sources = split.iter().map(|e| e.source.as_slice()).collect();
    let targets = split.iter().map(|e| e.target.as_slice()).collect();
    Whole::training(sources, (0..split.len() as u64).collect(), targets).cut(tokens, config).unwrap()
}

/// The dot products of three losses.
fn dots(model: &T5, split: &[Tokenized], tokens: usize, pass: Pass) -> Dots {
    let losses = Losses::new(Targets::Free, &[Estimator::Dataset], 2, Seeds::new(3));
    let members: Vec<usize> = (0..split.len()).collect();
    let batches = losses.batch(split, 0, &members).unwrap().cut(tokens, model.config()).unwrap();
    let mut sink = Dots::new(losses.count());
    model.backward(model.forward(&batches, pass).unwrap(), &mut sink).unwrap();
    sink
}

#[test]
fn what_is_computed_again_is_the_same_to_the_bit() {
    let dropout = Some(Dropout { rate: 0.1, key: 3 });
    for name in ["t5/v1_1_untied", "t5/v1_0_tied_relu"] {
        let (model, _) = load(&fixture(name)).unwrap();
        let split = examples(24, 40);
        for tokens in [4096, 20] {
            let of = |low_memory| {
                let pass = Pass { dropout, loss: LossOptions::PLAIN, scale: 1.0, low_memory };
                dots(&model, &split, tokens, pass).into_grams()
            };
            assert_eq!(of(true), of(false), "{name}, {tokens} tokens");
        }
        let trained = |low_memory| {
            let (model, _) = load(&fixture(name)).unwrap();
            let training = Training { low_memory, lr: 0.01, dropout: 0.1, ..Training::default() };
            let mut trainer = Trainer::new(&training, 3, Seeds::new(1));
            let batches = training_batch(&split, 40, model.config());
            let losses: Vec<f64> = (0..3).map(|_| trainer.step(&model, &batches).unwrap()).collect();
            let weights: Vec<Vec<f64>> = model.params().iter().map(|param| values(param.value())).collect();
            (losses, weights)
        };
        assert_eq!(trained(true), trained(false), "{name}: training");
    }
}

/// Says that the process is [`only_blocks_of_large_gradients_exist`]'s own.
const ALONE: &str = "FSA_TEST_ALONE";
const NAME: &str = "golden::low_memory::only_blocks_of_large_gradients_exist";

#[test]
fn only_blocks_of_large_gradients_exist() {
    if std::env::var_os(ALONE).is_none() {
        // Other tests of this process allocate too.
        let status =
            Command::new(std::env::current_exe().unwrap()).args(["--exact", NAME]).env(ALONE, "1").status().unwrap();
        assert!(status.success(), "a gradient was formed whole");
        return;
    }
    // As mT5's: a head and an embedding of many rows, here 32 MB each.
    const CONFIG: &str = r#"{"model_type": "mt5", "architectures": ["MT5ForConditionalGeneration"],
        "feed_forward_proj": "gated-gelu", "tie_word_embeddings": false, "vocab_size": 250112, "d_model": 32, "d_kv": 8,
        "d_ff": 64, "num_layers": 2, "num_decoder_layers": 2, "num_heads": 2, "decoder_start_token_id": 0}"#;
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("config.json"), CONFIG).unwrap();
    let model = T5::random(T5Config::read(dir.path()).unwrap(), Seeds::new(0)).unwrap();
    let head = model.params().get("lm_head.weight").unwrap().count() * 4;
    let split = examples(2, 250_112);
    let begin = || LARGEST.store(0, Ordering::Relaxed);
    let largest = |what: &str| {
        let largest = LARGEST.load(Ordering::Relaxed);
        println!("{what}: {largest} bytes at most, the head has {head}");
        // A block is 16 MiB.
        assert!(largest <= (16 << 20) && largest < head, "{what}: {largest} bytes at once");
    };
    let training = Training { optimizer: Optimizer::AdafactorHf, low_memory: true, ..Training::default() };
    let mut trainer = Trainer::new(&training, 2, Seeds::new(1));
    let batches = training_batch(&split, 4096, model.config());
    begin();
    trainer.step(&model, &batches).unwrap();
    trainer.step(&model, &batches).unwrap();
    largest("training");
    begin();
    let pass = Pass { dropout: None, loss: LossOptions::PLAIN, scale: 1.0, low_memory: true };
    drop(dots(&model, &split, 4096, pass));
    largest("alignment");
}
