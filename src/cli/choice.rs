//! Parsers of flag values: names out of a fixed set, and numbers, with errors in plain words.

use clap::builder::{PossibleValuesParser, TypedValueParser};

/// A parser for one of `all`, by the name that `name` gives each: the spec's names are the command line's.
pub fn one_of<T>(all: &'static [T], name: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.iter().map(|value| name(*value))).try_map(move |given| {
        let found = all.iter().copied().find(|value| name(*value) == given);
        found.ok_or("not one of the possible values")
    })
}

/// A parser for `on` or `off`.
pub fn switch() -> impl TypedValueParser<Value = bool> {
    one_of(&[true, false], switch_name)
}

/// `on` or `off`.
pub fn switch_name(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// Parses a count.
pub fn count(text: &str) -> Result<usize, &'static str> {
    text.parse().map_err(|_| "give a whole number, 0 or more")
}

/// Parses a step or a seed.
pub fn whole(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "give a whole number, 0 or more")
}

/// Parses a number.
pub fn number(text: &str) -> Result<f64, &'static str> {
    text.parse().map_err(|_| "give a number, such as 0.1 or 1e-3")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_refused_in_plain_words() {
        assert_eq!(count("12"), Ok(12));
        assert_eq!(whole("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(number("1e-3"), Ok(1e-3));
        assert!(count("1e3").is_err() && whole("-1").is_err() && number("a").is_err());
    }
}
