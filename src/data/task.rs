//! Tasks: how a file's records become prompts and targets. A task is data, a description in TOML, and never a code path.
//!
//! ```toml
//! name = "rte"
//! template = "{premise} question: {hypothesis} Is it true or false? answer:"
//!
//! [columns]                        # the template's columns, and what files call them (dotted paths reach into objects)
//! premise = ["premise", "sentence1"]
//! hypothesis = ["hypothesis", "sentence2"]
//!
//! [target]
//! columns = ["label"]              # what files call the target
//! drop = ["-1"]                    # targets whose rows are left out
//! labels = ["True", "False"]       # the label words; without them the target is free text
//!
//! [target.codes]                   # what files hold for a label word, besides the word itself
//! 0 = "True"
//! 1 = "False"
//! ```

mod description;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::example::{Example, Split};
use super::labels::LabelSet;
use super::nearest::nearest;
use super::read::{self, Record};
use super::template::Template;
use crate::error::{Error, Result};

/// The descriptions that come with fsa, by name.
const BUILT_IN: [(&str, &str); 1] = [("rte", include_str!("tasks/rte.toml"))];

/// One task.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    name: String,
    template: Template,
    /// Template column → what files call it, in order of preference.
    columns: BTreeMap<String, Vec<String>>,
    target: Target,
}

#[derive(Debug, Clone, PartialEq)]
struct Target {
    columns: Vec<String>,
    drop: Vec<String>,
    labels: Option<Labels>,
}

#[derive(Debug, Clone, PartialEq)]
struct Labels {
    set: LabelSet,
    /// What files hold → class.
    codes: BTreeMap<String, usize>,
}

impl Task {
    /// The names of the tasks that come with fsa.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The task `name` that comes with fsa.
    pub fn named(name: &str) -> Result<Self> {
        if let Some((known, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
            return description::parse(text, Path::new(&format!("{known}.toml")));
        }
        let meant = nearest(name, Self::names()).map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
        let known = Self::names().collect::<Vec<_>>().join(", ");
        Err(Error::input(format!("there is no task `{name}`{meant}"))
            .flag("--task")
            .next(format!("give one of {known}, or the path of a task's description ending in .toml")))
    }

    /// The task that the TOML file at `path` describes.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| Error::io("read", path, source))?;
        let text = String::from_utf8(bytes).map_err(|source| {
            let line = 1 + source.as_bytes()[..source.utf8_error().valid_up_to()]
                .iter()
                .filter(|&&byte| byte == b'\n')
                .count();
            Error::input("the text is not UTF-8").at(path).line(line).next("save the file as UTF-8").caused_by(source)
        })?;
        description::parse(&text, path)
    }

    /// [`from_file`](Self::from_file) for what ends in `.toml`, [`named`](Self::named) for anything else.
    pub fn resolve(name_or_path: &str) -> Result<Self> {
        match name_or_path.ends_with(".toml") {
            true => Self::from_file(name_or_path),
            false => Self::named(name_or_path),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its label words, or `None` where targets are free text.
    pub fn labels(&self) -> Option<&LabelSet> {
        self.target.labels.as_ref().map(|labels| &labels.set)
    }

    /// The examples of the file at `path`, whose extension says how to read it. A file without any is an error.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Split> {
        let path = path.as_ref();
        let records = read::open(path)?;
        self.check_header(path, &records)?;
        let mut split = Split { path: path.to_path_buf(), examples: Vec::new(), dropped: 0, sha256: String::new() };
        for (row, record) in records.enumerate() {
            match self.example(path, row, &record?)? {
                Some(example) => split.examples.push(example),
                None => split.dropped += 1,
            }
        }
        if split.examples.is_empty() {
            let what = match split.dropped {
                0 => "the file has no examples".to_string(),
                dropped => {
                    format!("the file has no examples: all its {dropped} rows have a target that the task drops")
                }
            };
            return Err(Error::input(what).at(path).next("give a file with examples in it"));
        }
        split.sha256 = read::sha256(path)?;
        Ok(split)
    }

    /// Errors on a column that the file's header shows to be missing; so the error names the header and not the first row.
    fn check_header(&self, path: &Path, records: &read::Records) -> Result<()> {
        let Some(header) = records.header() else { return Ok(()) };
        for names in self.columns.values().chain([&self.target.columns]) {
            let first = |name: &String| name.split('.').next().unwrap_or_default().to_string();
            if !names.iter().any(|name| header.columns.contains(name) || header.columns.contains(&first(name))) {
                return Err(missing(path, header.line, names, &header.columns));
            }
        }
        Ok(())
    }

    /// The example that `record` makes, or `None` where the task drops its target.
    fn example(&self, path: &Path, row: usize, record: &Record) -> Result<Option<Example>> {
        let Some((target, label)) = self.target(path, record)? else { return Ok(None) };
        let source = self.template.render(|column| {
            // invariant: a description is refused if its template names a column without names.
            let names = self.columns.get(column).map_or(&[][..], Vec::as_slice);
            let (name, value) = find(path, record, names)?;
            text(value).map_err(|what| Error::input(what).at(path).line(record.line).column(name))
        })?;
        Ok(Some(Example { row, source, target, label }))
    }

    fn target(&self, path: &Path, record: &Record) -> Result<Option<(String, Option<usize>)>> {
        let (name, value) = find(path, record, &self.target.columns)?;
        let error = |what: String| Error::input(what).at(path).line(record.line).column(name);
        let given = match value {
            Value::Null => String::new(),
            value => text(value).map_err(error)?.trim().to_string(),
        };
        if self.target.drop.contains(&given) {
            return Ok(None);
        }
        if given.is_empty() {
            let what = if self.target.labels.is_some() { "the label is empty" } else { "the target is empty" };
            return Err(error(what.into()).next("fill it in, or remove the row"));
        }
        let Some(labels) = &self.target.labels else { return Ok(Some((given, None))) };
        let class = labels.set.index(&given).or_else(|| labels.codes.get(&given).copied());
        match class.and_then(|class| Some((class, labels.set.word(class)?))) {
            Some((class, word)) => Ok(Some((word.to_string(), Some(class)))),
            None => {
                let allowed = labels.set.words().iter().chain(labels.codes.keys()).map(String::as_str);
                let allowed = allowed.collect::<Vec<_>>().join(", ");
                Err(error(format!("label `{}` is not one of {allowed}", shortened(&given)))
                    .next("correct it, or remove the row (a test split's hidden labels cannot be used)"))
            }
        }
    }
}

/// The first of `names` that `record` has, with its value.
fn find<'a>(path: &Path, record: &'a Record, names: &'a [String]) -> Result<(&'a str, &'a Value)> {
    let found = names.iter().find_map(|name| Some((name.as_str(), record.get(name)?)));
    found.ok_or_else(|| missing(path, Some(record.line), names, record.columns()))
}

fn missing(path: &Path, line: Option<usize>, wanted: &[String], there: &[String]) -> Error {
    const MOST: usize = 20;
    let mut list = there.iter().take(MOST).map(|name| shortened(name)).collect::<Vec<_>>().join(", ");
    if there.len() > MOST {
        // Writing to a String cannot fail.
        let _ = write!(list, ", and {} more", there.len() - MOST);
    }
    let near = wanted.iter().find_map(|wanted| nearest(wanted, there.iter().map(String::as_str)));
    let near = near.map(|near| format!(" (nearest: `{}`)", shortened(near))).unwrap_or_default();
    let wanted = wanted.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
    let error = Error::input(format!("there is no column {wanted}; the file has {list}{near}")).at(path);
    line.into_iter()
        .fold(error, Error::line)
        .next("rename the column in the file, or name it in the task's description")
}

/// A value as text; the error says why it has none.
fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        Value::Null => Err("the value is null; fill it in, or remove the row".into()),
        Value::Array(_) => {
            Err("the value is a list; name an element of it, such as `column.0`, in the task's description".into())
        }
        Value::Object(_) => {
            Err("the value is an object; name a key of it, such as `column.key`, in the task's description".into())
        }
    }
}

/// At most some 60 characters of `text`, for messages.
fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}
