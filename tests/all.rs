//! One integration binary: one link, many modules.

mod cli;
mod golden;
mod tasks;
