//! Adafactor (Shazeer and Stern 2018) in two flavours, without first moment:
//! - `t5x`: t5x/adafactor.py and optax.adafactor: factored over the two largest dimensions only when the second largest is at
//!   least 128; weight decay (1 − wd)·p, not multiplied by the learning rate.
//! - `hf`: transformers.optimization.Adafactor with relative_step=False: every matrix factored; weight decay times the
//!   learning rate after parameter scaling.
//!
//! Both: β2_t = 1 − t^−0.8; v of g² + 1e-30; u = g/√v, divided by max(1, RMS(u)); times lr, times max(RMS(p), 1e-3) with
//! parameter scaling.

use rayon::prelude::*;

use super::optimizer::{State, Step};
use crate::model::{for_rows, simd, sum_of_squares};

/// Which implementation to agree with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    T5x,
    Hf,
}

/// Names in the state.
pub(crate) const PARTS: [&str; 3] = ["v", "v_row", "v_col"];

const EPS: f32 = 1e-30;
const SCALE_FLOOR: f64 = 1e-3;
const MIN_DIM_TO_FACTOR: usize = 128;
/// Rows that one partial sum over rows takes; fixed, so that the sum does not depend on threads.
const BLOCK_ROWS: usize = 64;

/// Turns `gradient` into the update to subtract.
pub(crate) fn update(gradient: &mut [f32], step: &Step, state: &mut State, flavour: Flavour) {
    let (rows, cols) = step.shape;
    let beta = (1.0 - (step.t as f64).powf(-0.8)) as f32;
    let factored = step.is_matrix && (flavour == Flavour::Hf || rows.min(cols) >= MIN_DIM_TO_FACTOR);
    if factored {
        let (row_sums, col_sums) = sums_of_squares(gradient, rows, cols);
        let v_row = state.entry("v_row").or_insert_with(|| vec![0.0; rows]);
        decay(v_row, beta, row_sums.iter().map(|sum| (sum / cols as f64) as f32 + EPS));
        let mean = v_row.iter().map(|&v| v as f64).sum::<f64>() / rows as f64;
        let row_factor: Vec<f32> = v_row.iter().map(|&v| (v as f64 / mean).powf(-0.5) as f32).collect();
        let v_col = state.entry("v_col").or_insert_with(|| vec![0.0; cols]);
        decay(v_col, beta, col_sums.iter().map(|sum| (sum / rows as f64) as f32 + EPS));
        let col_factor: Vec<f32> = v_col.iter().map(|&v| (v as f64).powf(-0.5) as f32).collect();
        for_rows(
            gradient,
            cols,
            #[inline(always)]
            |first, block| {
                for (i, row) in block.chunks_exact_mut(cols).enumerate() {
                    for j in 0..cols {
                        row[j] *= row_factor[first + i] * col_factor[j];
                    }
                }
            },
        );
    } else {
        let v = state.entry("v").or_insert_with(|| vec![0.0; gradient.len()]);
        v.par_iter_mut().zip(gradient.par_iter_mut()).for_each(|(v, g)| {
            *v = beta * *v + (1.0 - beta) * (*g * *g + EPS);
            *g /= v.sqrt();
        });
    }
    let count = gradient.len() as f64;
    let rms = (sum_of_squares(gradient) / count).sqrt();
    let scale = if step.scale_parameter { (sum_of_squares(step.param) / count).sqrt().max(SCALE_FLOOR) } else { 1.0 };
    let lr = step.lr * scale;
    let factor = (lr / rms.max(1.0)) as f32;
    let decay = match flavour {
        Flavour::T5x => step.weight_decay,
        Flavour::Hf => step.weight_decay * lr,
    } as f32;
    let param = step.param;
    for_rows(
        gradient,
        cols,
        #[inline(always)]
        |first, block| {
            let param = &param[first * cols..][..block.len()];
            for j in 0..block.len() {
                block[j] = (block[j] * factor).mul_add(1.0, decay * param[j]);
            }
        },
    );
}

fn decay(v: &mut [f32], beta: f32, new: impl Iterator<Item = f32>) {
    v.iter_mut().zip(new).for_each(|(v, new)| *v = beta * *v + (1.0 - beta) * new);
}

/// Σ g² of each row and each column.
fn sums_of_squares(gradient: &[f32], rows: usize, cols: usize) -> (Vec<f64>, Vec<f64>) {
    let parts: Vec<(Vec<f64>, Vec<f64>)> = gradient
        .par_chunks(BLOCK_ROWS * cols)
        .map(|block| {
            simd(
                #[inline(always)]
                || {
                    let mut col_sums = vec![0f64; cols];
                    let row_sums = block
                        .chunks_exact(cols)
                        .map(|row| {
                            for j in 0..cols {
                                let g = row[j] as f64;
                                col_sums[j] = g.mul_add(g, col_sums[j]);
                            }
                            crate::model::dot_f64(row, row)
                        })
                        .collect();
                    (row_sums, col_sums)
                },
            )
        })
        .collect();
    let mut col_sums = vec![0f64; cols];
    let mut row_sums = Vec::with_capacity(rows);
    for (rows, cols) in parts {
        row_sums.extend(rows);
        col_sums.iter_mut().zip(cols).for_each(|(sum, part)| *sum += part);
    }
    (row_sums, col_sums)
}
