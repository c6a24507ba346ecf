//! Pure arithmetic on numbers and strings. No candle, no files.

pub mod alignment;
pub mod gram;

pub use alignment::{Alignment, Bootstrap};
pub use gram::Gram;
