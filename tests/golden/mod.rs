//! The engine against reference values that PyTorch, transformers and optax wrote (`tests/fixtures/README.md`).

mod adapter_files;
mod adapters;
mod generation;
mod invariants;
mod layouts;
mod low_memory;
mod mini;
mod model;
mod optimizers;
mod spiece;
mod support;
