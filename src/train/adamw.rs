//! AdamW as torch.optim.AdamW (Loshchilov and Hutter 2019): ε 1e-8, decay times the learning rate.

use rayon::prelude::*;

use super::optimizer::{Settings, State, Step};

/// Names in the state.
pub(crate) const PARTS: [&str; 2] = ["m", "v"];

const EPS: f64 = 1e-8;

/// Turns `gradient` into the update to subtract.
pub(crate) fn update(gradient: &mut [f32], step: &Step, state: &mut State) {
    // Biases in f64: 1 − β2^t loses half its digits in f32 at t = 1.
    let Settings { lr, t, weight_decay, betas: (beta1, beta2), .. } = step.settings;
    let t = t as i32;
    let rate = (lr / (1.0 - beta1.powi(t))) as f32;
    let root = (1.0 / (1.0 - beta2.powi(t)).sqrt()) as f32;
    let decay = (lr * weight_decay) as f32;
    let mut v = state.remove("v").unwrap_or_else(|| vec![0.0; gradient.len()]);
    let m = state.entry("m").or_insert_with(|| vec![0.0; gradient.len()]);
    let (b1, b2) = (beta1 as f32, beta2 as f32);
    let (c1, c2) = ((1.0 - beta1) as f32, (1.0 - beta2) as f32);
    gradient.par_iter_mut().zip(m.par_iter_mut()).zip(v.par_iter_mut()).zip(step.param).for_each(|(((g, m), v), p)| {
        *m = b1 * *m + c1 * *g;
        *v = b2 * *v + c2 * *g * *g;
        *g = rate * *m / (v.sqrt() * root + EPS as f32) + decay * p;
    });
    state.insert("v", v);
}
