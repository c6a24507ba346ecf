//! The engine against reference values that PyTorch, transformers and optax wrote (`tests/fixtures/README.md`).

mod generation;
mod invariants;
mod mini;
mod model;
mod optimizers;
mod support;
