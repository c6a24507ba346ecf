//! Config values that may be written as a flag's text or as TOML's own kind.

use std::fmt;

use fsa::spec::Estimator;
use serde::de::value::{SeqAccessDeserializer, StrDeserializer};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// `true` and `false`, or `"on"` and `"off"`.
pub fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    struct Switch;

    impl Visitor<'_> for Switch {
        type Value = bool;

        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            formatter.write_str("true or false, or \"on\" or \"off\"")
        }

        fn visit_bool<E: Error>(self, on: bool) -> Result<bool, E> {
            Ok(on)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
            match text {
                "on" => Ok(true),
                "off" => Ok(false),
                other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
            }
        }
    }

    deserializer.deserialize_any(Switch).map(Some)
}

/// A list of names, or one text with commas between them.
pub fn estimators<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Estimator>>, D::Error> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = Vec<Estimator>;

        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            formatter.write_str("a list of estimators, such as [\"dataset\", \"flip\"]")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            text.split(',').map(|name| Estimator::deserialize(StrDeserializer::new(name.trim()))).collect()
        }

        fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<Self::Value, A::Error> {
            Deserialize::deserialize(SeqAccessDeserializer::new(names))
        }
    }

    deserializer.deserialize_any(Names).map(Some)
}
