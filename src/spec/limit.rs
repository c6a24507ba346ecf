//! A limit as files hold it: a number, or `"all"` for none.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;

/// What stands for no limit.
pub const ALL: &str = "all";

/// Reads a limit as typed.
pub fn parse(text: &str) -> Result<Option<usize>, &'static str> {
    match text {
        ALL => Ok(None),
        number => number.parse().map(Some).map_err(|_| "give a whole number, or all"),
    }
}

/// Writes it.
pub fn serialize<S: Serializer>(limit: &Option<usize>, serializer: S) -> Result<S::Ok, S::Error> {
    match limit {
        Some(limit) => serializer.serialize_u64(*limit as u64),
        None => serializer.serialize_str(ALL),
    }
}

/// Reads it.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    struct Limit;

    impl Visitor<'_> for Limit {
        type Value = Option<usize>;

        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            write!(formatter, "a whole number, or \"{ALL}\"")
        }

        fn visit_i64<E: Error>(self, limit: i64) -> Result<Self::Value, E> {
            let wrong = |_| E::invalid_value(serde::de::Unexpected::Signed(limit), &self);
            usize::try_from(limit).map(Some).map_err(wrong)
        }

        fn visit_u64<E: Error>(self, limit: u64) -> Result<Self::Value, E> {
            let wrong = |_| E::invalid_value(serde::de::Unexpected::Unsigned(limit), &self);
            usize::try_from(limit).map(Some).map_err(wrong)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            parse(text).map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
        }
    }

    deserializer.deserialize_any(Limit)
}
