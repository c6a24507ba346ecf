//! What must hold whatever the numbers are.

use std::collections::BTreeMap;

use fsa::data::Tokenized;
use fsa::grad::{Collect, Dots, Losses, Targets};
use fsa::measure::Gram;
use fsa::model::batch::IGNORED;
use fsa::model::dropout::Dropout;
use fsa::model::loss::LossOptions;
use fsa::model::t5::Pass;
use fsa::model::{T5, Whole, load};
use fsa::spec::{Estimator, Seeds};

use super::support::*;

const PASS: Pass = Pass { dropout: None, loss: LossOptions::PLAIN, scale: 1.0, low_memory: false };

fn grams(model: &T5, whole: &Whole, tokens: usize, pass: Pass) -> BTreeMap<String, Gram> {
    let batches = whole.cut(tokens, model.config()).unwrap();
    let losses = batches[0].losses();
    let tape = model.forward(&batches, pass).unwrap();
    let mut sink = Dots::new(losses);
    model.backward(tape, &mut sink).unwrap();
    sink.into_grams()
}

fn total(grams: &BTreeMap<String, Gram>, losses: usize) -> Gram {
    let mut sum = Gram::zero(losses);
    grams.values().for_each(|gram| sum.add(gram));
    sum
}

/// 24 examples of two classes whose targets have one token, or three.
fn examples(target_tokens: usize) -> (Vec<Tokenized>, Vec<Vec<u32>>, Vec<usize>) {
    let classes: Vec<Vec<u32>> = match target_tokens {
        1 => vec![vec![7, 1], vec![9, 1]],
        _ => vec![vec![7, 11, 12, 1], vec![9, 11, 13, 1]],
    };
    let labels: Vec<usize> = (0..24).map(|i| (i * i % 7 < 3) as usize).collect();
    let split = (0..24usize)
        .map(|i| Tokenized {
            source: (0..4 + i % 5).map(|j| 3 + ((i * 13 + j * 7) % 40) as u32).chain([1]).collect(),
            target: classes[labels[i]].clone(),
        })
        .collect();
    (split, classes, labels)
}

#[test]
fn the_identity_shuffle_has_cosine_one() {
    let (model, _) = load(&fixture("t5/v1_1_untied")).unwrap();
    let (split, ..) = examples(3);
    let all: Vec<&Tokenized> = split.iter().collect();
    let whole = Whole {
        sources: all.iter().map(|e| e.source.as_slice()).collect(),
        keys: (0..24).collect(),
        targets: all.iter().chain(&all).map(|e| e.target.as_slice()).collect(),
        weights: (0..2).map(|k| (0..48).map(|row| (row / 24 == k) as u8 as f32).collect()).collect(),
    };
    // With dropout too: masks are equal for all losses.
    let dropout = Some(Dropout { rate: 0.2, key: 5 });
    for pass in [PASS, Pass { dropout, ..PASS }] {
        for (name, gram) in grams(&model, &whole, 4096, pass) {
            assert!((gram.cosine(0, 1).unwrap() - 1.0).abs() < 1e-9, "{name}: {:?}", gram.cosine(0, 1));
        }
    }
}

#[test]
fn lanes_of_classes_and_lanes_of_losses_measure_the_same() {
    let (model, _) = load(&fixture("t5/v1_0_tied_relu")).unwrap();
    let (split, classes, labels) = examples(3);
    let estimators = [Estimator::Dataset, Estimator::Batch];
    let members: Vec<usize> = (3..20).collect();
    let closed = Losses::new(Targets::Closed { classes, labels }, &estimators, 3, Seeds::new(1));
    let free = Losses::new(Targets::Free, &estimators, 3, Seeds::new(1));
    let (closed_batch, free_batch) =
        (closed.batch(&split, 0, &members).unwrap(), free.batch(&split, 0, &members).unwrap());
    let a = grams(&model, &closed_batch, 4096, PASS);
    let b = grams(&model, &free_batch, 4096, PASS);
    // Cut into micro-batches, with dropout: masks do not depend on the cut.
    let dropped = Pass { dropout: Some(Dropout { rate: 0.1, key: 3 }), ..PASS };
    let (whole, cut) = (grams(&model, &closed_batch, 4096, dropped), grams(&model, &closed_batch, 20, dropped));
    for name in a.keys() {
        let scale = (0..7).map(|k| a[name].norm(k)).fold(0.0, f64::max).powi(2);
        for k in 0..7 {
            for l in 0..7 {
                let (x, y) = (a[name].dot(k, l), b[name].dot(k, l));
                assert!((x - y).abs() <= 1e-5 * scale, "{name}: ⟨{k}, {l}⟩ is {x} and {y}");
                let (x, y) = (whole[name].dot(k, l), cut[name].dot(k, l));
                assert!((x - y).abs() <= 1e-5 * scale, "{name}: micro-batches: ⟨{k}, {l}⟩ is {x} and {y}");
            }
        }
    }
}

#[test]
fn the_expected_format_gradient_is_the_mean_over_very_many_shuffles() {
    let (model, _) = load(&fixture("t5/v1_1_untied")).unwrap();
    const SHUFFLES: usize = 400;
    for tokens in [1, 3] {
        let (split, classes, labels) = examples(tokens);
        let targets = Targets::Closed { classes, labels };
        let losses = Losses::new(targets, &[Estimator::Dataset, Estimator::Expected], SHUFFLES, Seeds::new(0));
        let members: Vec<usize> = (0..24).collect();
        let gram = total(&grams(&model, &losses.batch(&split, 0, &members).unwrap(), 4096, PASS), losses.count());
        let shuffles = &losses.columns()[0].1;
        let expected = losses.columns()[1].1[0];
        let distance = |a: usize, b: usize| gram.dot(a, a) - 2.0 * gram.dot(a, b) + gram.dot(b, b);
        // The spread of one shuffle around the expectation; the mean of R of them has a squared distance of 1/R of that,
        // with a relative deviation of about √(2/degrees of freedom) ≤ √2. Five of those.
        let spread = shuffles.iter().map(|&r| distance(r, expected)).sum::<f64>() / SHUFFLES as f64;
        let n = SHUFFLES as f64;
        let mean_norm: f64 =
            shuffles.iter().flat_map(|&r| shuffles.iter().map(move |&s| (r, s))).map(|(r, s)| gram.dot(r, s)).sum();
        let along: f64 = shuffles.iter().map(|&r| gram.dot(r, expected)).sum();
        let off = mean_norm / (n * n) - 2.0 * along / n + gram.dot(expected, expected);
        let allowed = spread / n * (1.0 + 5.0 * 2f64.sqrt());
        assert!(off <= allowed, "{tokens} tokens: squared distance {off:e}, allowed {allowed:e}");
        // And the bound means something: the full gradient is far outside it.
        assert!(distance(Losses::FULL, expected) > 20.0 * allowed, "{tokens} tokens");
    }
}

/// Sums of at most a few hundred products in f32: they differ by rounding only, whatever stands beside an example.
#[test]
fn neither_the_order_of_a_batch_nor_its_company_nor_ignored_labels_change_gradients() {
    let (model, _) = load(&fixture("t5/v1_1_untied")).unwrap();
    let (split, ..) = examples(3);
    let gradients = |order: &[usize], tokens: usize, padding: usize| {
        let targets: Vec<Vec<u32>> = order
            .iter()
            .map(|&i| split[i].target.iter().copied().chain(vec![IGNORED; padding * (1 + i % 3)]).collect())
            .collect();
        let whole = Whole::training(
            order.iter().map(|&i| split[i].source.as_slice()).collect(),
            order.iter().map(|&i| i as u64).collect(),
            targets.iter().map(Vec::as_slice).collect(),
        );
        let batches = whole.cut(tokens, model.config()).unwrap();
        let mut sink = Collect::default();
        model.backward(model.forward(&batches, PASS).unwrap(), &mut sink).unwrap();
        sink.into_all()
    };
    let forward: Vec<usize> = (0..24).collect();
    let shuffled: Vec<usize> = (0..24).map(|i| i * 7 % 24).collect();
    let reference = gradients(&forward, 4096, 0);
    for (what, order, tokens, padding) in
        [("reordered", &shuffled, 4096, 0), ("reordered and cut", &shuffled, 17, 0), ("padded", &forward, 4096, 2)]
    {
        for (name, gradient) in gradients(order, tokens, padding) {
            let (ours, truth) = (values(&gradient[0]), values(&reference[&name][0]));
            let norm = truth.iter().map(|x| x * x).sum::<f64>().sqrt();
            let off = ours.iter().zip(&truth).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
            assert!(off <= 1e-5 * norm, "{what}: {name}: off by {off:e} of {norm:e}");
        }
    }
}

#[test]
fn with_dropout_the_gradient_is_that_of_the_dropped_network() {
    let (model, _) = load(&fixture("t5/v1_1_untied")).unwrap();
    let (split, ..) = examples(3);
    let sources = split.iter().map(|e| e.source.as_slice()).collect();
    let whole = Whole::training(sources, (0..24).collect(), split.iter().map(|e| e.target.as_slice()).collect());
    let batches = whole.cut(4096, model.config()).unwrap();
    let pass = Pass { dropout: Some(Dropout { rate: 0.1, key: 11 }), ..PASS };
    let tape = model.forward(&batches, pass).unwrap();
    let mut sink = Collect::default();
    model.backward(tape, &mut sink).unwrap();
    // A step of each parameter along its own gradient must change the loss by the gradient's square.
    for param in model.params().iter() {
        let gradient = sink.get(param.name(), 0).unwrap();
        let norm = values(gradient).iter().map(|g| g * g).sum::<f64>().sqrt();
        let h = 2e-3;
        let unit = (gradient * (h / norm)).unwrap();
        let original = param.value().copy().unwrap();
        let loss_at = |sign: f64| {
            let moved = (&original + (&unit * sign).unwrap()).unwrap();
            fsa::train::Optimizers::apply(param, &(param.value() - moved).unwrap()).unwrap();
            model.forward(&batches, pass).unwrap().losses()[0]
        };
        let slope = (loss_at(1.0) - loss_at(-1.0)) / (2.0 * h);
        loss_at(0.0);
        // Truncation of order h² and f32 rounding of a loss of about 300 over 2h.
        assert!((slope - norm).abs() <= 0.01 * norm + 0.05, "{}: slope {slope}, norm {norm}", param.name());
    }
}
