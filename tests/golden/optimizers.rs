//! Ten steps of each optimizer against optax, transformers and torch in float64.

use candle_core::{Device, Tensor};
use fsa::model::Param;
use fsa::spec::{Optimizer, Schedule, Training};
use fsa::train::{Optimizers, clip_grad_norm};

use super::support::*;

/// The fixtures' value of element `i` of tensor `id` at `step` (`tests/fixtures/README.md`, "Optimizers").
fn value(i: usize, step: usize, id: usize) -> f64 {
    let mut x = (i as u32)
        .wrapping_mul(2_654_435_761)
        .wrapping_add((step as u32).wrapping_mul(2_246_822_519))
        .wrapping_add((id as u32).wrapping_mul(3_266_489_917));
    x ^= x >> 16;
    x = x.wrapping_mul(2_146_121_005);
    x ^= x >> 15;
    x = x.wrapping_mul(2_221_713_035);
    x ^= x >> 16;
    (x as f64 / 4_294_967_296.0 - 0.5) as f32 as f64
}

const EXPONENTS: [i32; 10] = [0, 0, -3, -6, -2, 0, -8, 1, -4, 0];

struct Case {
    id: usize,
    name: &'static str,
    shape: &'static [usize],
    exponent: i32,
}

const TENSORS: [Case; 7] = [
    Case { id: 0, name: "wide", shape: &[128, 256], exponent: 0 },
    Case { id: 1, name: "tall", shape: &[256, 128], exponent: 0 },
    Case { id: 2, name: "narrow", shape: &[127, 256], exponent: 0 },
    Case { id: 3, name: "square", shape: &[128, 128], exponent: 0 },
    Case { id: 4, name: "vector", shape: &[300], exponent: 0 },
    Case { id: 5, name: "rows", shape: &[128, 256], exponent: 0 },
    Case { id: 6, name: "small", shape: &[128, 256], exponent: -13 },
];

impl Case {
    fn count(&self) -> usize {
        self.shape.iter().product()
    }

    fn row(&self, i: usize) -> usize {
        if self.shape.len() == 2 { i / self.shape[1] } else { i }
    }

    fn param(&self) -> Vec<f32> {
        (0..self.count()).map(|i| (value(i, 0, self.id) * 2f64.powi(self.exponent)) as f32).collect()
    }

    fn gradient(&self, t: usize) -> Vec<f32> {
        (0..self.count())
            .map(|i| {
                let r = self.row(i);
                let zero = self.name == "rows" && (r % 8 == 3 || (r % 8 == 5 && t <= 5));
                let exponent = EXPONENTS[t - 1] - (r % 4) as i32;
                if zero { 0.0 } else { (value(i, t, self.id) * 2f64.powi(exponent)) as f32 }
            })
            .collect()
    }
}

#[test]
fn ten_steps_agree_with_the_reference_implementations() {
    let expected = tensors("optimizers.safetensors");
    let text = std::fs::read_to_string(fixture("optimizers.json")).unwrap();
    let runs: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut worst = 0f64;
    for (run, optimizer, lr, weight_decay, scale_parameter) in [
        ("t5x_scale", Optimizer::AdafactorT5x, 1e-3, 0.0, true),
        ("t5x_scale_wd", Optimizer::AdafactorT5x, 1e-3, 1e-5, true),
        ("t5x_noscale", Optimizer::AdafactorT5x, 0.2, 0.0, false),
        ("t5x_noscale_wd", Optimizer::AdafactorT5x, 0.2, 1e-5, false),
        ("hf_scale", Optimizer::AdafactorHf, 1e-3, 0.0, true),
        ("hf_scale_wd", Optimizer::AdafactorHf, 1e-3, 0.01, true),
        ("hf_noscale", Optimizer::AdafactorHf, 1e-3, 0.0, false),
        ("hf_noscale_wd", Optimizer::AdafactorHf, 1e-3, 0.01, false),
        ("adamw", Optimizer::AdamW, 1e-3, 0.0, true),
        ("adamw_wd", Optimizer::AdamW, 1e-3, 0.01, true),
    ] {
        assert!(text.contains(&format!("\"{run}\"")), "{run} is not described: {runs}");
        for case in &TENSORS {
            let stride = if case.shape.len() == 1 { 7 } else { 101 };
            let reference = values(&expected[&format!("{run}.{}.params", case.name)]);
            let picked: Vec<usize> = (0..case.count()).step_by(stride).collect();
            let training = Training { optimizer, lr, weight_decay, scale_parameter, ..Training::default() };
            let mut optimizer = Optimizers::new(&training);
            let param = Param::new(case.name, Tensor::from_vec(case.param(), case.shape, &Device::Cpu).unwrap());
            let mut before: Vec<f64> = picked.iter().map(|&i| case.param()[i] as f64).collect();
            for t in 1..=10 {
                let gradient = Tensor::from_vec(case.gradient(t), case.shape, &Device::Cpu).unwrap();
                optimizer.begin_step();
                optimizer.update_of(&param, &gradient, lr).unwrap();
                let ours = values(&gradient);
                let after = &reference[(t - 1) * picked.len()..t * picked.len()];
                let (mut delta, mut norm) = (0f64, 0f64);
                for (place, &i) in picked.iter().enumerate() {
                    let update = before[place] - after[place];
                    delta += (ours[i] - update).powi(2);
                    norm += update.powi(2);
                }
                let error = (delta / norm).sqrt();
                assert!(error <= 1e-5, "{run}, {}, step {t}: off by {error:e} of the update", case.name);
                worst = worst.max(error);
                let whole = ours.iter().map(|u| u * u).sum::<f64>().sqrt();
                let update_norm = values(&expected[&format!("{run}.{}.update_norm", case.name)])[t - 1];
                assert!((whole - update_norm).abs() <= 1e-5 * update_norm, "{run}, {}, step {t}: norm", case.name);
                Optimizers::apply(&param, &gradient).unwrap();
                before = after.to_vec();
            }
            // After ten steps the parameters differ by what f32 rounds at each of them.
            let ours = values(param.value());
            for (place, &i) in picked.iter().enumerate() {
                let allowed = 10.0 * 2f64.powi(-24) * before[place].abs().max(2f64.powi(case.exponent)) + 1e-7;
                assert!((ours[i] - before[place]).abs() <= allowed, "{run}, {}: parameter {i}", case.name);
            }
        }
    }
    println!("worst error relative to the update: {worst:.1e}");
}

#[test]
fn clipped_steps_agree_with_torch() {
    let expected = tensors("optimizers.safetensors");
    let training = Training {
        optimizer: Optimizer::AdamW,
        lr: 1e-3,
        weight_decay: 0.01,
        beta2: 0.98,
        max_grad_norm: 1.0,
        ..Training::default()
    };
    let mut optimizer = Optimizers::new(&training);
    let tensor = |case: &Case, values| Tensor::from_vec(values, case.shape, &Device::Cpu).unwrap();
    let params: Vec<Param> = TENSORS.iter().map(|case| Param::new(case.name, tensor(case, case.param()))).collect();
    let norms = values(&expected["clipped.norms"]);
    for t in 1..=10 {
        let gradients: Vec<Tensor> = TENSORS.iter().map(|case| tensor(case, case.gradient(t))).collect();
        let norm = clip_grad_norm(gradients.iter(), training.max_grad_norm).unwrap();
        // Squares of f32 values, summed in f64.
        assert!((norm - norms[t - 1]).abs() <= 1e-9 * norm, "step {t}: norm {norm} for {}", norms[t - 1]);
        optimizer.begin_step();
        for ((case, param), gradient) in TENSORS.iter().zip(&params).zip(&gradients) {
            let before = values(param.value());
            optimizer.step(param, gradient, training.lr).unwrap();
            let after = values(param.value());
            let stride = if case.shape.len() == 1 { 7 } else { 101 };
            let reference = values(&expected[&format!("clipped.{}.params", case.name)]);
            let picked: Vec<usize> = (0..case.count()).step_by(stride).collect();
            let wanted = &reference[(t - 1) * picked.len()..t * picked.len()];
            for (&i, wanted) in picked.iter().zip(wanted) {
                // 1e-5 of each update, and what f32 rounds of the parameter, summed over the steps.
                let step = (after[i] - before[i]).abs().max(training.lr);
                let allowed = t as f64 * (1e-5 * step + 2f64.powi(-24) * wanted.abs());
                assert!((after[i] - wanted).abs() <= allowed, "{}, step {t}: parameter {i}", case.name);
            }
        }
    }
}

#[test]
fn a_gradient_that_is_no_number_is_not_clipped() {
    let gradient = Tensor::from_vec(vec![1f32, f32::NAN], 2, &Device::Cpu).unwrap();
    let error = clip_grad_norm([gradient].iter(), 1.0).unwrap_err().to_string();
    assert_eq!(error, "the norm of the gradient is NaN");
}

#[test]
fn the_cosine_agrees_with_torch() {
    let text = std::fs::read_to_string(fixture("optimizers.json")).unwrap();
    let schedule = &serde_json::from_str::<serde_json::Value>(&text).unwrap()["schedule"];
    let steps = schedule["steps"].as_u64().unwrap();
    let training = Training {
        lr: schedule["lr"].as_f64().unwrap(),
        warmup_steps: schedule["warmup_steps"].as_u64().unwrap(),
        schedule: Schedule::Cosine,
        lr_floor: schedule["lr_floor"].as_f64().unwrap(),
        ..Training::default()
    };
    let rates = schedule["learning_rates"].as_array().unwrap();
    assert_eq!(rates.len() as u64, steps);
    for (step, rate) in rates.iter().enumerate() {
        let (ours, rate) = (training.lr_at(step as u64, steps), rate.as_f64().unwrap());
        // torch multiplies from step to step, in f64.
        assert!((ours - rate).abs() <= 1e-12 * rate, "step {step}: {ours} for {rate}");
    }
}
