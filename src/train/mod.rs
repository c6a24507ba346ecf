//! Fine-tuning: optimizers, the trainer, checkpoints.
