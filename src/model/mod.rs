//! Parameters, layers with explicit backward, and the models composed of them.
//!
//! The engine never collects gradients: it runs the backward pass layer by layer for K losses at once and hands every
//! parameter's K gradients to a [`gradient::Sink`] the moment they are complete. It must not know what becomes of them.

pub(crate) mod array;
pub mod batch;
pub mod config;
pub mod dropout;
pub mod generate;
pub mod given;
pub mod gradient;
pub(crate) mod init;
pub mod layers;
pub mod load;
pub mod lora;
pub mod loss;
pub(crate) mod matmul;
pub mod memory;
pub mod micro;
pub mod named;
pub mod params;
pub mod peft;
mod products;
pub mod prompt;
pub(crate) mod save;
pub mod score;
pub mod series;
mod stack;
pub mod survey;
pub mod t5;
pub mod weights;

pub(crate) use array::{dot_f64, for_rows, gram, read, simd, subtract, sum_of_squares, update};
pub use batch::{Batch, Mix, Packed};
pub use config::T5Config;
pub use gradient::{Gradient, Rows, Sink};
pub use init::Initial;
pub use load::{Inspection, LoadReport, inspect, load, load_checkpoint};
pub use micro::Whole;
pub use named::Shape;
pub use params::{Param, Params};
pub(crate) use save::values;
pub use t5::T5;
pub(crate) use weights::{Values, Weights, write};
