//! Pure arithmetic on numbers and strings. No candle, no files.

pub mod alignment;
pub mod baselines;
pub mod bleu;
pub mod exact_match;
pub mod gram;
pub mod intervals;
pub mod language;
pub mod means;
pub mod outputs;
pub mod rouge;
mod slope;
mod text;

pub use alignment::{Alignment, Bootstrap};
pub use baselines::Inference;
pub use exact_match::Normaliser;
pub use gram::Gram;
pub use intervals::Proportion;
pub use language::Language;
pub use means::mean;
pub use slope::log_slope;
