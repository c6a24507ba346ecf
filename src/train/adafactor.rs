//! Adafactor (Shazeer and Stern 2018) in two flavours, without first moment:
//! - `t5x`: t5x/adafactor.py and optax.adafactor: factored over the two largest dimensions only when the second largest is at
//!   least 128; weight decay (1 − wd)·p, not multiplied by the learning rate.
//! - `hf`: transformers.optimization.Adafactor with relative_step=False: every matrix factored; weight decay times the
//!   learning rate after parameter scaling.
//!
//! Both: β2_t = 1 − t^−0.8; v of g² + 1e-30; u = g/√v, divided by max(1, RMS(u)); times lr, times max(RMS(p), 1e-3) with
//! parameter scaling.

use rayon::prelude::*;

use super::optimizer::{Settings, State, Step};
use crate::error::Result;
use crate::model::{Param, Rows, dot_f64, for_rows, read, simd, sum_of_squares, update as change};

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

impl Flavour {
    /// Whether the second moments of a matrix are kept as those of its rows and columns alone.
    pub fn factors(self, rows: usize, cols: usize) -> bool {
        self == Self::Hf || rows.min(cols) >= MIN_DIM_TO_FACTOR
    }
}

/// Turns `gradient` into the update to subtract.
pub(crate) fn update(gradient: &mut [f32], step: &Step, state: &mut State, flavour: Flavour) {
    let (rows, cols) = step.shape;
    let beta = decay_rate(&step.settings);
    if step.is_matrix && flavour.factors(rows, cols) {
        let mut sums = Sums::new(rows, cols);
        sums.add(&Rows::Range(0..rows), gradient);
        let factors = sums.factors(beta, state);
        for_rows(
            gradient,
            cols,
            #[inline(always)]
            |first, block| {
                for (row, factor) in block.chunks_exact_mut(cols).zip(&factors.row[first..]) {
                    for (value, col) in row.iter_mut().zip(&factors.col) {
                        *value *= factor * col;
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
    let rate = Rate::new(&step.settings, flavour, sum_of_squares(gradient), step.param);
    let param = step.param;
    for_rows(
        gradient,
        cols,
        #[inline(always)]
        |first, block| {
            let param = &param[first * cols..][..block.len()];
            for j in 0..block.len() {
                block[j] = rate.update(block[j], param[j]);
            }
        },
    );
}

/// Steps a factored `param` [rows, cols]. `visit` forms its gradient in blocks of rows, once for each thing that needs it: the
/// moments, the norm of the update, and the update.
pub(crate) fn step_in_blocks(
    param: &Param,
    (rows, cols): (usize, usize),
    settings: &Settings,
    state: &mut State,
    flavour: Flavour,
    visit: &dyn Fn(&mut Visitor) -> Result<()>,
) -> Result<()> {
    let mut sums = Sums::new(rows, cols);
    visit(&mut |rows, block| {
        sums.add(rows, block);
        Ok(())
    })?;
    let factors = sums.factors(decay_rate(settings), state);
    let mut squares = 0.0;
    visit(&mut |rows, block| {
        squares += factors.sum_of_squares(rows, block);
        Ok(())
    })?;
    let rate = Rate::new(settings, flavour, squares, &read(param.value())?);
    visit(&mut |used, block| {
        change(param.value(), |param| match used {
            Rows::Range(range) => for_rows(
                &mut param[range.start * cols..range.end * cols],
                cols,
                #[inline(always)]
                |first, param| {
                    let block = &block[first * cols..][..param.len()];
                    for (i, (param, block)) in param.chunks_exact_mut(cols).zip(block.chunks_exact(cols)).enumerate() {
                        let row = factors.row[range.start + first + i];
                        for j in 0..cols {
                            param[j] -= rate.update(block[j] * (row * factors.col[j]), param[j]);
                        }
                    }
                },
            ),
            Rows::Used(ids) => {
                let mut blocks = ids.iter().zip(block.chunks_exact(cols)).peekable();
                for (row, param) in param.chunks_exact_mut(cols).enumerate() {
                    match blocks.next_if(|(id, _)| **id as usize == row) {
                        Some((_, block)) => {
                            for j in 0..cols {
                                param[j] -= rate.update(block[j] * (factors.row[row] * factors.col[j]), param[j]);
                            }
                        }
                        None if rate.decay != 0.0 => {
                            param.iter_mut().for_each(|value| *value -= rate.update(0.0, *value))
                        }
                        None => {}
                    }
                }
            }
        })
    })
}

/// What looks at a gradient block by block.
pub(crate) type Visitor<'a> = dyn FnMut(&Rows, &[f32]) -> Result<()> + 'a;

/// β2 of the step.
fn decay_rate(settings: &Settings) -> f32 {
    (1.0 - (settings.t as f64).powf(-0.8)) as f32
}

/// What an update is multiplied by, and what of the parameter it takes.
struct Rate {
    factor: f32,
    decay: f32,
}

impl Rate {
    /// `squares` is the sum of the squares of g/√v over the whole of `param`.
    fn new(settings: &Settings, flavour: Flavour, squares: f64, param: &[f32]) -> Self {
        let count = param.len() as f64;
        let rms = (squares / count).sqrt();
        let scale =
            if settings.scale_parameter { (sum_of_squares(param) / count).sqrt().max(SCALE_FLOOR) } else { 1.0 };
        let lr = settings.lr * scale;
        let decay = match flavour {
            Flavour::T5x => settings.weight_decay,
            Flavour::Hf => settings.weight_decay * lr,
        };
        Self { factor: (lr / rms.max(1.0)) as f32, decay: decay as f32 }
    }

    /// What to subtract from a number of value `param` whose g/√v is `update`.
    #[inline(always)]
    fn update(&self, update: f32, param: f32) -> f32 {
        (update * self.factor).mul_add(1.0, self.decay * param)
    }
}

/// What the gradient is multiplied by: 1/√v, as a product over rows and columns.
struct Factors {
    row: Vec<f32>,
    col: Vec<f32>,
}

impl Factors {
    /// Σ of the squares of `block`'s g/√v.
    fn sum_of_squares(&self, rows: &Rows, block: &[f32]) -> f64 {
        let cols = self.col.len();
        let sums: Vec<f64> = block
            .par_chunks(BLOCK_ROWS * cols)
            .enumerate()
            .map(|(number, block)| {
                simd(
                    #[inline(always)]
                    || {
                        let mut update = vec![0f32; cols];
                        let mut sum = 0.0;
                        // Loops and no iterators' closures, which would not be compiled for the widest vectors.
                        for (i, g) in block.chunks_exact(cols).enumerate() {
                            let row = self.row[rows.get(number * BLOCK_ROWS + i)];
                            for j in 0..cols {
                                update[j] = g[j] * (row * self.col[j]);
                            }
                            sum += dot_f64(&update, &update);
                        }
                        sum
                    },
                )
            })
            .collect();
        sums.iter().sum()
    }
}

/// Σ g² of each row and each column.
struct Sums {
    row: Vec<f64>,
    col: Vec<f64>,
}

impl Sums {
    fn new(rows: usize, cols: usize) -> Self {
        Self { row: vec![0.0; rows], col: vec![0.0; cols] }
    }

    /// Adds a block of rows, which come but once.
    fn add(&mut self, rows: &Rows, block: &[f32]) {
        let cols = self.col.len();
        let parts: Vec<(Vec<f64>, Vec<f64>)> = block
            .par_chunks(BLOCK_ROWS * cols)
            .map(|block| {
                simd(
                    #[inline(always)]
                    || {
                        let mut col_sums = vec![0f64; cols];
                        let mut row_sums = vec![0f64; block.len() / cols];
                        // Loops and no iterators' closures, which would not be compiled for the widest vectors.
                        for (row, sum) in block.chunks_exact(cols).zip(&mut row_sums) {
                            for j in 0..cols {
                                let g = row[j] as f64;
                                col_sums[j] = g.mul_add(g, col_sums[j]);
                            }
                            *sum = dot_f64(row, row);
                        }
                        (row_sums, col_sums)
                    },
                )
            })
            .collect();
        let mut place = 0;
        for (row_sums, col_sums) in parts {
            for sum in row_sums {
                self.row[rows.get(place)] = sum;
                place += 1;
            }
            self.col.iter_mut().zip(col_sums).for_each(|(sum, part)| *sum += part);
        }
    }

    /// Moves the moments in `state` on, and what they come to.
    fn factors(&self, beta: f32, state: &mut State) -> Factors {
        let (rows, cols) = (self.row.len(), self.col.len());
        let v_row = state.entry("v_row").or_insert_with(|| vec![0.0; rows]);
        decay(v_row, beta, self.row.iter().map(|sum| (sum / cols as f64) as f32 + EPS));
        let mean = v_row.iter().map(|&v| v as f64).sum::<f64>() / rows as f64;
        let row = v_row.iter().map(|&v| (v as f64 / mean).powf(-0.5) as f32).collect();
        let v_col = state.entry("v_col").or_insert_with(|| vec![0.0; cols]);
        decay(v_col, beta, self.col.iter().map(|sum| (sum / rows as f64) as f32 + EPS));
        let col = v_col.iter().map(|&v| (v as f64).powf(-0.5) as f32).collect();
        Factors { row, col }
    }
}

fn decay(v: &mut [f32], beta: f32, new: impl Iterator<Item = f32>) {
    v.iter_mut().zip(new).for_each(|(v, new)| *v = beta * *v + (1.0 - beta) * new);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Param, read};

    const ROWS: usize = 300;
    const COLS: usize = 130;

    fn values(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + seed * 104_729) % 2003) as f32 / 1001.5 - 1.0).collect()
    }

    /// What three steps leave, of the parameter and of the state, with a gradient that is zero but for the rows `used`.
    fn stepped(flavour: Flavour, used: Option<&[u32]>, in_blocks: Option<usize>) -> (Vec<f32>, State) {
        let tensor = crate::model::array::tensor(values(ROWS * COLS, 1), (ROWS, COLS)).unwrap();
        let param = Param::new("p", tensor);
        let mut state = State::new();
        for t in 1..=3 {
            let settings = Settings { lr: 0.1, t, weight_decay: 0.01, betas: (0.9, 0.999), scale_parameter: true };
            let mut gradient = values(ROWS * COLS, 1 + t as usize);
            if let Some(used) = used {
                let rows = gradient.chunks_exact_mut(COLS).enumerate();
                rows.filter(|(row, _)| !used.contains(&(*row as u32))).for_each(|(_, row)| row.fill(0.0));
            }
            let Some(block) = in_blocks else {
                let before = read(param.value()).unwrap().to_vec();
                let step = Step { shape: (ROWS, COLS), is_matrix: true, param: &before, settings };
                update(&mut gradient, &step, &mut state, flavour);
                change(param.value(), |param| param.iter_mut().zip(&gradient).for_each(|(p, u)| *p -= u)).unwrap();
                continue;
            };
            let visit = |work: &mut Visitor| match used {
                Some(ids) => {
                    let rows = ids.iter().flat_map(|&id| gradient[id as usize * COLS..][..COLS].to_vec());
                    work(&Rows::Used(ids), &rows.collect::<Vec<_>>())
                }
                None => (0..ROWS).step_by(block).try_for_each(|first| {
                    let rows = first..ROWS.min(first + block);
                    work(&Rows::Range(rows.clone()), &gradient[rows.start * COLS..rows.end * COLS])
                }),
            };
            step_in_blocks(&param, (ROWS, COLS), &settings, &mut state, flavour, &visit).unwrap();
        }
        let param = read(param.value()).unwrap().to_vec();
        (param, state)
    }

    #[test]
    fn in_blocks_it_is_the_same_step() {
        for flavour in [Flavour::T5x, Flavour::Hf] {
            for used in [None, Some([0, 7, 130, 299].as_slice())] {
                let (whole, whole_state) = stepped(flavour, used, None);
                let (blocks, state) = stepped(flavour, used, Some(64));
                // The order of f64 sums is all that differs.
                let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-6 * b.abs());
                assert!(close(&blocks, &whole), "{flavour:?}, {used:?}");
                assert_eq!(state.keys().collect::<Vec<_>>(), whole_state.keys().collect::<Vec<_>>());
                for (part, values) in &whole_state {
                    assert!(close(&state[part], values), "{flavour:?}, {used:?}: {part}");
                }
                assert!(whole != values(ROWS * COLS, 1), "nothing was stepped");
            }
        }
    }
}
