//! Results on disk: row structs (the public schema), CSV, run folders. Must not know candle or how anything was computed.

pub mod rows;
