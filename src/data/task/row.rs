//! One record of a file → an example, or an error that names line and column.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::{Labels, Task};
use crate::data::example::Example;
use crate::data::read::{Record, Records};
use crate::error::{Error, Result};
use crate::spec::nearest::nearest;

impl Task {
    /// Errors on a column that the file's header shows to be missing; so the error names the header and not the first row.
    pub(super) fn check_header(&self, path: &Path, records: &Records) -> Result<()> {
        let Some(header) = records.header() else { return Ok(()) };
        let references = Some(&self.target.references).filter(|names| !names.is_empty());
        for names in self.columns.values().chain([&self.target.columns]).chain(references) {
            if !names
                .iter()
                .any(|name| header.columns.contains(name) || header.columns.iter().any(|c| c == first(name)))
            {
                return Err(missing(path, header.line, names, &header.columns));
            }
        }
        Ok(())
    }

    /// What files may call the columns that examples are made of: whole names, and what dotted paths begin with.
    pub(super) fn file_columns(&self) -> Vec<&str> {
        let names = self.columns.values().chain([&self.target.columns, &self.target.references]).flatten();
        names.flat_map(|name| [name.as_str(), first(name)]).collect()
    }

    /// The example that `record` makes, or `None` where the task drops its target.
    pub(super) fn example(&self, path: &Path, row: usize, record: &Record) -> Result<Option<Example>> {
        let Some((target, label)) = self.target(path, record)? else { return Ok(None) };
        let article = self.limit.as_ref().map(|limit| limit.column.as_str());
        let (source, article) = self.template.render_marked(article, |column| {
            // invariant: a description is refused if its template names a column without names.
            let names = self.columns.get(column).map_or(&[][..], Vec::as_slice);
            let (name, value) = find(path, record, names)?;
            text(value).map_err(|what| Error::input(what).at(path).line(record.line).column(name))
        })?;
        let references = self.references(path, record, &target)?;
        Ok(Some(Example { row, source, target, references, label, article }))
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
        match &self.target.labels {
            Some(labels) => labels.class(&given).map(|(word, class)| Some((word, Some(class)))).map_err(|allowed| {
                error(format!("label `{}` is not one of {allowed}", shortened(&given)))
                    .next("correct it, or remove the row (a test split's hidden labels cannot be used)")
            }),
            None => Ok(Some((given, None))),
        }
    }

    /// Every answer that counts as right, `target` first.
    fn references(&self, path: &Path, record: &Record, target: &str) -> Result<Vec<String>> {
        let mut references = vec![target.to_string()];
        if self.target.references.is_empty() {
            return Ok(references);
        }
        let (name, value) = find(path, record, &self.target.references)?;
        let items = match value {
            Value::Array(items) => items.as_slice(),
            Value::Null => &[],
            single => std::slice::from_ref(single),
        };
        for item in items {
            let reference = text(item).map_err(|what| Error::input(what).at(path).line(record.line).column(name))?;
            let reference = reference.trim();
            // A blank one would make every empty output right.
            if !reference.is_empty() && !references.iter().any(|known| known == reference) {
                references.push(reference.to_string());
            }
        }
        Ok(references)
    }
}

impl Labels {
    /// The label word and the class that a file means by `given`; the error lists what it may be.
    fn class(&self, given: &str) -> Result<(String, usize), String> {
        let class = self.set.index(given).or_else(|| self.codes.get(given).copied());
        match class.and_then(|class| Some((self.set.word(class)?, class))) {
            Some((word, class)) => Ok((word.to_string(), class)),
            None => {
                let allowed = self.set.words().iter().chain(self.codes.keys()).map(String::as_str);
                Err(allowed.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// The column that a dotted path begins in.
fn first(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}

/// The first of `names` that `record` has, with its value.
fn find<'a>(path: &Path, record: &'a Record, names: &'a [String]) -> Result<(&'a str, &'a Value)> {
    if let Some(found) = names.iter().find_map(|name| Some((name.as_str(), record.get(name)?))) {
        return Ok(found);
    }
    // `answers.0` of an empty list: the column is there, and its message would mislead.
    let empty = |name: &&String| matches!(record.get(first(name)), Some(Value::Array(items)) if items.is_empty());
    match names.iter().find(empty) {
        Some(name) => Err(Error::input("the list is empty")
            .at(path)
            .line(record.line)
            .column(first(name))
            .next("fill it in, or remove the row")),
        None => Err(missing(path, Some(record.line), names, &there(record, names))),
    }
}

/// What `record` has, as far as it bears on `names`: its columns, and what is within those that the names reach into.
fn there(record: &Record, names: &[String]) -> Vec<String> {
    let within = |name: &String| match record.get(name) {
        Some(Value::Object(fields)) if names.iter().any(|wanted| first(wanted) == name && wanted != name) => {
            fields.keys().map(|key| format!("{name}.{key}")).collect()
        }
        _ => vec![name.clone()],
    };
    record.columns().iter().flat_map(within).collect()
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
