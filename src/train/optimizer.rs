//! The optimizers' common form: each turns a gradient into an update in place and keeps its state by parameter name.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::adafactor::{self, Flavour};
use super::adamw;
use crate::error::{Error, Result};
use crate::model::{Gradient, Param, subtract, update};
use crate::spec::{Optimizer, Training};

/// State of one parameter, as named vectors (`v`, `v_row`, `v_col`, `m`).
pub(crate) type State = BTreeMap<&'static str, Vec<f32>>;

/// An optimizer with the state of every parameter that it has stepped.
#[derive(Debug, Clone)]
pub struct Optimizers {
    kind: Optimizer,
    scale_parameter: bool,
    weight_decay: f64,
    betas: (f64, f64),
    state: BTreeMap<String, State>,
    /// Steps taken.
    steps: u64,
}

/// What one step of one parameter is computed from.
pub(crate) struct Step<'a> {
    /// `[rows, cols]`; a vector is one row.
    pub shape: (usize, usize),
    /// Whether the parameter has two dimensions.
    pub is_matrix: bool,
    pub param: &'a [f32],
    pub settings: Settings,
}

/// What one step of every parameter is computed with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// Learning rate of this step.
    pub lr: f64,
    /// Steps taken, this one included: from 1.
    pub t: u64,
    pub weight_decay: f64,
    /// AdamW's.
    pub betas: (f64, f64),
    pub scale_parameter: bool,
}

impl Optimizers {
    /// A fresh optimizer as `training` describes it.
    pub fn new(training: &Training) -> Self {
        Self {
            kind: training.optimizer,
            scale_parameter: training.scale_parameter,
            weight_decay: training.weight_decay,
            betas: (training.beta1, training.beta2),
            state: BTreeMap::new(),
            steps: 0,
        }
    }

    /// Begins a step; every parameter's update until the next call belongs to it.
    pub fn begin_step(&mut self) {
        self.steps += 1;
    }

    /// Steps begun.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Turns `gradient` into the update, which is what will be subtracted from `param`, and moves the state on.
    ///
    /// # Errors
    /// If the parameter has more than two dimensions.
    pub fn update_of(&mut self, param: &Param, gradient: &Tensor, lr: f64) -> Result<()> {
        let shape = match param.value().dims() {
            [n] => (1, *n),
            [rows, cols] => (*rows, *cols),
            _ => return Err(Error::check("internal: more than two dimensions").parameter(param.name())),
        };
        let settings = self.settings(lr);
        let state = self.state.entry(param.name().to_string()).or_default();
        // A lock would be needed to hand `state` to the closure, were it not for this cell: it runs once, on this thread.
        let state = std::sync::Mutex::new(state);
        let values = crate::model::read(param.value())?;
        let step = Step { shape, is_matrix: param.value().rank() == 2, param: &values, settings };
        let kind = self.kind;
        update(gradient, |gradient| {
            let mut state = state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            match kind {
                Optimizer::AdafactorT5x => adafactor::update(gradient, &step, &mut state, Flavour::T5x),
                Optimizer::AdafactorHf => adafactor::update(gradient, &step, &mut state, Flavour::Hf),
                Optimizer::AdamW => adamw::update(gradient, &step, &mut state),
            }
        })
    }

    /// One step of `param` down `gradient`, which is overwritten.
    pub fn step(&mut self, param: &Param, gradient: &Tensor, lr: f64) -> Result<()> {
        self.update_of(param, gradient, lr)?;
        Self::apply(param, gradient)
    }

    /// One step down the only loss of `gradient`, of which no more than a block exists at any time if it is large.
    pub(super) fn step_by(&mut self, gradient: &Gradient, lr: f64) -> Result<()> {
        let param = gradient.param();
        let flavour = match self.kind {
            Optimizer::AdafactorT5x => Some(Flavour::T5x),
            Optimizer::AdafactorHf => Some(Flavour::Hf),
            // Its state is twice the gradient.
            Optimizer::AdamW => None,
        };
        match (flavour, param.value().dims()) {
            (Some(flavour), &[rows, cols]) if gradient.is_large() && flavour.factors(rows, cols) => {
                let settings = self.settings(lr);
                let state = self.state.entry(param.name().to_string()).or_default();
                adafactor::step_in_blocks(param, (rows, cols), &settings, state, flavour, &|work| gradient.visit(work))
            }
            _ => self.step(param, &gradient.dense(0)?, lr),
        }
    }

    fn settings(&self, lr: f64) -> Settings {
        Settings {
            lr,
            t: self.steps,
            weight_decay: self.weight_decay,
            betas: self.betas,
            scale_parameter: self.scale_parameter,
        }
    }

    /// Subtracts an update from `param`.
    pub fn apply(param: &Param, update: &Tensor) -> Result<()> {
        subtract(param.value(), update)
    }

    /// The state as flat vectors named `parameter/vector`.
    pub fn state(&self) -> impl Iterator<Item = (String, &[f32])> {
        self.state.iter().flat_map(|(name, state)| {
            state.iter().map(move |(part, values)| (format!("{name}/{part}"), values.as_slice()))
        })
    }

    /// Puts back a state saved after `steps` steps.
    ///
    /// # Errors
    /// If a name is not one that [`Optimizers::state`] gives.
    pub fn restore(&mut self, steps: u64, saved: impl IntoIterator<Item = (String, Vec<f32>)>) -> Result<()> {
        self.state.clear();
        self.steps = steps;
        for (name, values) in saved {
            let known = name.rsplit_once('/').and_then(|(param, part)| {
                let part = adafactor::PARTS.iter().chain(&adamw::PARTS).find(|known| **known == part)?;
                Some((param.to_string(), *part))
            });
            let Some((param, part)) = known else {
                return Err(Error::input("it is no part of an optimizer's state").parameter(name));
            };
            self.state.entry(param).or_default().insert(part, values);
        }
        Ok(())
    }
}
