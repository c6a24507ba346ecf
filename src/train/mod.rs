//! Fine-tuning: optimizers, the trainer, checkpoints. Must not know which experiment it serves.

mod adafactor;
mod adamw;
pub mod checkpoint;
mod clip;
pub mod optimizer;
pub mod trainer;

pub use checkpoint::Checkpoint;
pub use clip::clip_grad_norm;
pub use optimizer::Optimizers;
pub use trainer::Trainer;
