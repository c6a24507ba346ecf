//! One integration binary: one link, many modules.

mod golden;
