//! Config values that may be written as a flag's text or as TOML's own kind.

use std::fmt;

use fsa::spec::{Estimator, Evaluation, LengthPenalty};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer, StrDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

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

/// A list of names, or one text with commas between them.
pub fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            formatter.write_str("a list of names, such as [\"rte\", \"cb\"]")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(text.split(',').map(|name| name.trim().to_owned()).collect())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<Self::Value, A::Error> {
            Deserialize::deserialize(SeqAccessDeserializer::new(names))
        }
    }

    deserializer.deserialize_any(Names).map(Some)
}

/// A list of evaluations, each `"task:shots"` or `{ task = "…", shots = 1 }`, or one text with commas between them.
pub fn evaluations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    /// One of the list.
    struct One(String);

    impl<'de> Deserialize<'de> for One {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(OneVisitor)
        }
    }

    struct OneVisitor;

    impl<'de> Visitor<'de> for OneVisitor {
        type Value = One;

        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            formatter.write_str("an evaluation, such as \"trivia_qa:1\"")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<One, E> {
            Ok(One(text.to_owned()))
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<One, A::Error> {
            Evaluation::deserialize(MapAccessDeserializer::new(map)).map(|evaluation| One(evaluation.to_string()))
        }
    }

    struct Evaluations;

    impl<'de> Visitor<'de> for Evaluations {
        type Value = Vec<String>;

        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            formatter.write_str("a list of evaluations, such as [\"trivia_qa:1\"]")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(text.split(',').map(String::from).collect())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut evaluations = Vec::new();
            while let Some(One(evaluation)) = list.next_element()? {
                evaluations.push(evaluation);
            }
            Ok(evaluations)
        }
    }

    deserializer.deserialize_any(Evaluations).map(Some)
}

/// A length penalty by its name; its exponent is an option of its own.
pub fn length_penalty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<LengthPenalty>, D::Error> {
    struct Name;

    impl Visitor<'_> for Name {
        type Value = LengthPenalty;

        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            let [first, second] = LengthPenalty::PRESETS.map(LengthPenalty::name);
            write!(formatter, "\"{first}\" or \"{second}\"")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<LengthPenalty, E> {
            let found = LengthPenalty::PRESETS.into_iter().find(|penalty| penalty.name() == text);
            found.ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
        }
    }

    deserializer.deserialize_any(Name).map(Some)
}
