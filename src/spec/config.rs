//! Config files: TOML with the same keys as the command-line flags, without their dashes.
//!
//! Keys may be written in kebab case (`probe-every`) or in snake case (`probe_every`), and those of fine-tuning may stand in a
//! `[training]` table, so that a run's own `spec.toml` is a config too. Paths are relative to the current directory, as on
//! the command line, not to the config file. This module owns where in a file a mistake is; it must not know which options
//! exist (the caller's type and key list say so) or which of flag and file wins.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::gradient_align::{Estimand, Estimator, GradientAlign, ProbeSplit};
use crate::error::{Error, Result};

/// The one table that groups keys; it changes nothing about what they mean.
const TRAINING: &str = "training";

impl GradientAlign {
    /// Default of `probe_split`: the batches that fine-tuning itself sees.
    pub const PROBE_SPLIT: ProbeSplit = ProbeSplit::Train;
    /// Default of `probe_dropout`: off, so that full and format gradient differ by their labels only.
    pub const PROBE_DROPOUT: bool = false;
    /// Default of `estimators`: the paper's and those that bound it.
    pub const ESTIMATORS: [Estimator; 4] = Estimator::ALL;
    /// Default of `estimand`.
    pub const ESTIMAND: Estimand = Estimand::PerBatch;
}

/// Which keys a config may hold, in kebab case.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    /// The options that a config can set.
    pub known: &'a [String],
    /// Flags that say what to do now (`--resume`) and so have no place in a file.
    pub flags_only: &'a [String],
}

/// A config file that has been read.
#[derive(Debug)]
pub struct Config<T> {
    /// What it says.
    pub values: T,
    path: PathBuf,
    /// Line of each key, from 1.
    lines: BTreeMap<String, usize>,
}

impl<T> Config<T> {
    /// Adds file and line to a validation error of an option that this file set. `typed` are the keys given on the command
    /// line, which win and so are not this file's fault.
    pub fn place(&self, error: Error, typed: &[String]) -> Error {
        // Validation errors begin with the flag they speak of: that is how options are named everywhere in the library.
        let text = error.to_string();
        let fault = |key: &str| text.strip_prefix("--").and_then(|text| text.strip_prefix(key)?.strip_prefix(": "));
        let mut lines = self.lines.iter().filter(|(key, _)| !typed.contains(key));
        match lines.find(|(key, _)| fault(key).is_some()) {
            Some((_, line)) => error.at(&self.path).line(*line),
            None => error,
        }
    }
}

/// Reads the config file at `path`; its values are those of `T`, whose serde names are `keys.known`.
pub fn read<T: DeserializeOwned>(path: &Path, keys: Keys) -> Result<Config<T>> {
    let text = fs::read_to_string(path).map_err(|source| Error::io("read", path, source).flag("--config"))?;
    parse(&text, path, keys)
}

/// A key with its value, and where both stand.
type Entry<'i> = (Spanned<DeString<'i>>, Spanned<DeValue<'i>>);

fn parse<T: DeserializeOwned>(text: &str, path: &Path, keys: Keys) -> Result<Config<T>> {
    let root = DeTable::parse(text).map_err(|source| {
        let line = line_of(text, source.span().unwrap_or_default());
        Error::input(format!("not valid TOML: {}", source.message())).at(path).line(line).caused_by(source)
    })?;
    let whole = root.span();
    let mut flat = DeTable::new();
    let mut lines = BTreeMap::new();
    let mut values: Vec<(String, Range<usize>)> = Vec::new();
    for (key, value) in entries(root.into_inner()) {
        let line = line_of(text, key.span());
        let name = key.get_ref().replace('_', "-");
        check_key(key.get_ref(), &name, keys).map_err(|error| error.at(path).line(line))?;
        if let Some(first) = lines.insert(name.clone(), line) {
            let what = format!("`{name}` is given twice, first in line {first}");
            return Err(Error::input(what).at(path).line(line).next("keep one of the two"));
        }
        values.push((name.clone(), value.span()));
        flat.insert(Spanned::new(key.span(), name.into()), value);
    }
    let values = T::deserialize(toml::de::Deserializer::from(Spanned::new(whole, flat))).map_err(|source| {
        let span = source.span().unwrap_or_default();
        let key = values.iter().find(|(_, value)| value.contains(&span.start)).map(|(key, _)| format!("`{key}`: "));
        let what = format!("{}{}", key.unwrap_or_default(), in_plain_words(source.message()));
        Error::input(what).at(path).line(line_of(text, span)).caused_by(source)
    })?;
    Ok(Config { values, path: path.to_path_buf(), lines })
}

/// Every entry of the file, those of `[training]` among the others, in the file's order: the first mistake is reported.
fn entries(root: DeTable<'_>) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    for (key, value) in root {
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) if key.get_ref() == TRAINING => entries.extend(table),
            value => entries.push((key, Spanned::new(span, value))),
        }
    }
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// Errors if `name` (`written` so in the file) is not a key, with the nearest that is one.
fn check_key(written: &str, name: &str, keys: Keys) -> Result<()> {
    if keys.known.iter().any(|known| known == name) {
        return Ok(());
    }
    if name == TRAINING {
        return Err(Error::input("`training` is a table, not a key").next("write [training] on a line of its own"));
    }
    if keys.flags_only.iter().any(|flag| flag == name) {
        return Err(Error::input(format!("`{written}` can only be given as the flag --{name}")));
    }
    let nearest = keys
        .known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        // Further off than that, a guess would only send the reader the wrong way.
        .filter(|(distance, known)| *distance <= 2.max(known.len() / 3))
        .min_by_key(|(distance, _)| *distance);
    let error = Error::input(format!("unknown key `{written}`"));
    Err(match nearest {
        Some((_, known)) => error.next(format!("did you mean `{known}`?")),
        None => error.next("the keys are the command's flags without their dashes; see --help"),
    })
}

/// The line, from 1, on which `span` starts.
fn line_of(text: &str, span: Range<usize>) -> usize {
    text.as_bytes().iter().take(span.start).filter(|byte| **byte == b'\n').count() + 1
}

/// serde's message without the names of Rust's types.
fn in_plain_words(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let expected = match expected {
        "u64" | "usize" => "a whole number, 0 or more",
        "f64" => "a number",
        "path string" => "a path in quotes",
        "a string" => "text in quotes",
        other => other,
    };
    match found.strip_prefix("unknown variant ") {
        Some(name) => format!("{name} is not one of the names; expected {expected}"),
        None => format!("{found}; expected {expected}"),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::spec::Optimizer;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, rename_all = "kebab-case")]
    struct Some3 {
        probe_every: Option<u64>,
        lr: Option<f64>,
        optimizer: Option<Optimizer>,
        model: Option<PathBuf>,
    }

    fn read_text(text: &str) -> Result<Config<Some3>> {
        let known = ["probe-every", "lr", "optimizer", "model"].map(String::from);
        parse(text, Path::new("run.toml"), Keys { known: &known, flags_only: &["resume".to_owned()] })
    }

    fn error(text: &str) -> String {
        read_text(text).map(|config| config.values).unwrap_err().to_string()
    }

    #[test]
    fn both_spellings_and_the_training_table_mean_the_same() {
        let want = Some3 { probe_every: Some(5), lr: Some(0.5), ..Default::default() };
        assert_eq!(read_text("probe-every = 5\nlr = 0.5").unwrap().values, want);
        assert_eq!(read_text("probe_every = 5\n[training]\nlr = 0.5").unwrap().values, want);
        assert_eq!(read_text("training.lr = 0.5\nprobe_every = 5").unwrap().values, want);
        assert_eq!(read_text("lr = 1").unwrap().values.lr, Some(1.0));
        assert_eq!(read_text("").unwrap().values, Some3::default());
    }

    #[test]
    fn a_misspelt_key_names_its_line_and_the_nearest_key() {
        assert_eq!(
            error("lr = 1\n\nprobe-evry = 5"),
            "run.toml:3: unknown key `probe-evry`; did you mean `probe-every`?"
        );
        assert_eq!(error("[training]\noptimiser = 'adamw'").split("; ").nth(1), Some("did you mean `optimizer`?"));
        let far = error("something_else = 1");
        assert!(far.starts_with("run.toml:1: unknown key `something_else`; the keys are"), "{far}");
    }

    #[test]
    fn a_key_of_the_wrong_kind_is_explained() {
        assert_eq!(error("resume = true"), "run.toml:1: `resume` can only be given as the flag --resume");
        assert!(error("training = 1").contains("is a table"));
        assert_eq!(
            error("lr = 1\n[training]\nlr = 2"),
            "run.toml:3: `lr` is given twice, first in line 1; keep one of the two"
        );
        assert!(error("probe-every = 1\nprobe_every = 2").contains("given twice"));
    }

    #[test]
    fn a_wrong_value_names_its_line_its_key_and_what_is_allowed() {
        let whole = "expected a whole number, 0 or more";
        assert_eq!(
            error("lr = 1\nprobe-every = \"x\""),
            format!("run.toml:2: `probe-every`: invalid type: string \"x\"; {whole}")
        );
        assert_eq!(
            error("probe_every = -1"),
            format!("run.toml:1: `probe-every`: invalid value: integer `-1`; {whole}")
        );
        assert_eq!(
            error("\n[training]\noptimizer = 'adam'"),
            "run.toml:3: `optimizer`: `adam` is not one of the names; expected one of `adafactor-t5x`, `adafactor-hf`, `adamw`"
        );
        assert!(error("model = 3").ends_with("expected a path in quotes"));
    }

    #[test]
    fn broken_toml_names_its_line() {
        let text = error("lr = 1\nmodel = \n");
        assert!(text.starts_with("run.toml:2: not valid TOML: "), "{text}");
        assert!(!text.contains('\n'));
    }

    #[test]
    fn a_validation_error_is_placed_only_where_the_file_is_at_fault() {
        let config = read_text("model = 'm'\nlr = -1").unwrap();
        let wrong = || Error::input("must be positive").flag("--lr");
        assert_eq!(config.place(wrong(), &[]).to_string(), "run.toml:2: --lr: must be positive");
        assert_eq!(config.place(wrong(), &["lr".to_owned()]).to_string(), "--lr: must be positive");
        assert_eq!(config.place(Error::input("x").flag("--l"), &[]).to_string(), "--l: x");
    }

    #[test]
    fn an_unreadable_file_is_one_line() {
        let text =
            read::<Some3>(Path::new("no/such.toml"), Keys { known: &[], flags_only: &[] }).unwrap_err().to_string();
        assert!(text.starts_with("no/such.toml: --config: cannot read it: "), "{text}");
    }
}
