//! Pure arithmetic on numbers and strings. No candle, no files.
