//! A task's description in TOML → [`Task`], with every mistake in it named by line.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::{Labels, Target, Task};
use crate::data::labels::LabelSet;
use crate::data::template::Template;
use crate::error::{Error, Result};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    name: Spanned<String>,
    template: Spanned<String>,
    columns: BTreeMap<String, Spanned<Vec<String>>>,
    target: TargetDescription,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetDescription {
    columns: Spanned<Vec<String>>,
    #[serde(default)]
    drop: Vec<String>,
    labels: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    codes: BTreeMap<String, Spanned<String>>,
}

/// The task that `text`, the content of `path`, describes.
pub(super) fn parse(text: &str, path: &Path) -> Result<Task> {
    let file = Source { text, path };
    let description: Description = toml::from_str(text).map_err(|source| {
        let what = format!("the task's description: {}", source.message());
        let error = match source.span() {
            Some(span) => file.error(span.start, what),
            None => Error::input(what).at(path),
        };
        error.next("see the description of `rte` in the documentation").caused_by(source)
    })?;
    let name = description.name;
    if name.as_ref().is_empty() || !name.as_ref().chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
        let what = format!("`{}` cannot name a task", name.as_ref());
        return Err(file.error(name.span().start, what).next("use letters, digits, `-` and `_`"));
    }
    let template = template(&file, &description.template, &description.columns)?;
    let mut columns = BTreeMap::new();
    for (column, names) in description.columns {
        columns.insert(column, filled(&file, names)?);
    }
    let target = target(&file, description.target)?;
    Ok(Task { name: name.into_inner(), template, columns, target })
}

/// The text of a description and where it came from.
struct Source<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Source<'_> {
    /// An error at byte `offset` of the text.
    fn error(&self, offset: usize, what: impl Into<String>) -> Error {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        Error::input(what).at(self.path).line(1 + before.iter().filter(|&&byte| byte == b'\n').count())
    }
}

fn template(
    file: &Source<'_>,
    given: &Spanned<String>,
    columns: &BTreeMap<String, Spanned<Vec<String>>>,
) -> Result<Template> {
    let error = |what: String| file.error(given.span().start, what).column("template");
    let template = Template::parse(given.as_ref()).map_err(error)?;
    if let Some(unknown) = template.columns().find(|name| !columns.contains_key(*name)) {
        let known = columns.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(error(format!("it names `{{{unknown}}}`, and [columns] has {known}"))
            .next("give the column's names under [columns]"));
    }
    // A column that is not used is a slip in one of two places, and would silently leave its text out of the prompt.
    match columns.iter().find(|(name, _)| !template.columns().any(|used| used == *name)) {
        Some((unused, names)) => Err(file
            .error(names.span().start, format!("the template does not use `{{{unused}}}`"))
            .column(unused)
            .next("use it or remove it")),
        None => Ok(template),
    }
}

/// A list that must hold something.
fn filled(file: &Source<'_>, list: Spanned<Vec<String>>) -> Result<Vec<String>> {
    if list.as_ref().is_empty() {
        return Err(file.error(list.span().start, "the list is empty").next("name the column as files do"));
    }
    Ok(list.into_inner())
}

fn target(file: &Source<'_>, given: TargetDescription) -> Result<Target> {
    let columns = filled(file, given.columns)?;
    let Some(words) = given.labels else {
        return match given.codes.first_key_value() {
            Some((code, word)) => Err(file
                .error(word.span().start, "a code without label words")
                .column(code)
                .next("list the words as `labels` under [target], or remove the codes")),
            None => Ok(Target { columns, drop: given.drop, labels: None }),
        };
    };
    let start = words.span().start;
    let set = LabelSet::new(words.into_inner()).map_err(|error| file.error(start, error.to_string()))?;
    let mut codes = BTreeMap::new();
    for (code, word) in given.codes {
        let error = |what: String| file.error(word.span().start, what).column(&code);
        let Some(class) = set.index(word.as_ref()) else {
            let what = format!("`{}` is not one of the label words {}", word.as_ref(), set.words().join(", "));
            return Err(error(what).next("a code stands for one of them"));
        };
        if set.index(&code).is_some_and(|itself| itself != class) {
            return Err(error(format!("the label word `{code}` would stand for `{}`", word.as_ref()))
                .next("label words stand for themselves; remove the code"));
        }
        codes.insert(code, class);
    }
    if let Some(both) = given.drop.iter().find(|value| set.index(value).is_some() || codes.contains_key(*value)) {
        return Err(file.error(start, format!("`{both}` is both a label and dropped")).next("remove one of the two"));
    }
    Ok(Target { columns, drop: given.drop, labels: Some(Labels { set, codes }) })
}
