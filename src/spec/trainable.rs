//! Which parameters are trained: patterns over their names, in which `*` stands for any text. A pattern that begins with `!` takes
//! names out again.

use crate::error::{Error, Result};

/// The patterns that let everything train.
pub(super) const EVERYTHING: &str = "*";
const FLAG: &str = "--trainable";

/// The single patterns of `patterns`.
fn each(patterns: &str) -> impl Iterator<Item = &str> {
    patterns.split(',').map(str::trim)
}

/// What begins a pattern of names that are taken out.
const NOT: char = '!';

/// Whether one of `patterns` stands for the parameter `name`, and none takes it out.
pub(super) fn trains(patterns: &str, name: &str) -> bool {
    let (out, into): (Vec<&str>, Vec<&str>) = each(patterns).partition(|pattern| pattern.starts_with(NOT));
    into.iter().any(|pattern| matches(pattern, name)) && !out.iter().any(|pattern| matches(&pattern[1..], name))
}

/// Whether `pattern` stands for all of `name`.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(start) else { return false };
    let Some((middle, end)) = rest.rsplit_once('*') else { return name.ends_with(rest) };
    let Some(name) = name.strip_suffix(end) else { return false };
    // The first place of each part leaves the most for those after it.
    middle.split('*').try_fold(name, |name, part| name.split_once(part).map(|(_, after)| after)).is_some()
}

/// Errors if a pattern is empty.
pub(super) fn validate(patterns: &str) -> Result<()> {
    match each(patterns).any(|pattern| pattern.trim_start_matches(NOT).is_empty()) {
        true => Err(Error::input(format!("`{patterns}` has an empty pattern in it"))
            .flag(FLAG)
            .next("write patterns with commas between, such as *layer_norm.weight")),
        false => Ok(()),
    }
}

/// Errors if a pattern stands for none of `names`.
pub(super) fn check<'a>(patterns: &str, names: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let names: Vec<&str> = names.into_iter().collect();
    let stands_for = |pattern: &str| names.iter().any(|name| matches(pattern.trim_start_matches(NOT), name));
    match each(patterns).find(|pattern| !stands_for(pattern)) {
        Some(pattern) => {
            let first = names.first().copied().unwrap_or_default();
            Err(Error::input(format!("no parameter of the model is called `{pattern}`"))
                .flag(FLAG)
                .next(format!("its names are such as {first}, and * stands for any text")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, name) in [
            ("*", "a.b"),
            ("a.b", "a.b"),
            ("*b", "a.b"),
            ("a*", "a.b"),
            ("a*b", "ab"),
            ("*.*.*", "x.y.z"),
            ("a*c*e", "abcde"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("", "a"), ("a", "a.b"), ("*a", "a.b"), ("b*", "a.b"), ("ab*b", "ab"), ("a*bc*c", "abc"), ("*x*y*", "yx")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_stand_for_something() {
        let names = ["shared.weight", "encoder.final_layer_norm.weight"];
        assert!(trains("x, *layer_norm.weight", names[1]) && !trains("x, *layer_norm.weight", names[0]));
        assert!(check("*norm*,shared.weight", names).is_ok() && check("*, !*norm*", names).is_ok());
        assert!(trains("*, !*norm*", names[0]) && !trains("*, !*norm*", names[1]));
        let error = check("*norm*,lm_head.weight", names).unwrap_err().to_string();
        assert!(error.starts_with("--trainable: no parameter of the model is called `lm_head.weight`"), "{error}");
        assert!(validate("a,,b").is_err() && validate("").is_err() && validate("a, b").is_ok());
    }
}
