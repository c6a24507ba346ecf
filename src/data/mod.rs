//! Examples, readers, task registry and templates, label sets, shuffles, batches as plain integers. No candle.
