//! Resolved, serialisable descriptions of runs: the one home of every default, and their validation.
//!
//! A spec is complete: nothing is filled in after it. It must not know clap (arguments as typed live in `cli`) or candle.

pub mod config;
pub mod gradient_align;
pub mod seeds;
pub mod training;

pub use gradient_align::{Estimand, Estimator, GradientAlign, ProbeSplit};
pub use seeds::Seeds;
pub use training::{AdafactorState, Optimizer, Smoothing, Training};
