//! A task's description in TOML → [`Task`], with every mistake in it named by line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::{Hub, Labels, Limit, Splits, Target, Task};
use crate::data::labels::LabelSet;
use crate::data::metric::Metric;
use crate::data::source;
use crate::data::template::Template;
use crate::error::{Error, Result};
use crate::hub::Id;
use crate::spec::nearest::nearest;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    name: Spanned<String>,
    template: Spanned<String>,
    metric: Option<Spanned<String>>,
    prefix: Option<Spanned<String>>,
    language: Option<Spanned<String>>,
    max_source_tokens: Option<Spanned<usize>>,
    cut_column: Option<Spanned<String>>,
    columns: BTreeMap<String, Spanned<Vec<String>>>,
    target: TargetDescription,
    #[serde(default)]
    splits: SplitsDescription,
    hub: Option<HubDescription>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct SplitsDescription {
    train: Option<Spanned<String>>,
    validation: Option<Spanned<String>>,
    test: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HubDescription {
    id: Spanned<String>,
    config: Option<Spanned<String>>,
    revision: Option<Spanned<String>>,
    #[serde(default)]
    splits: SplitsDescription,
    #[serde(default)]
    files: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    rows: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetDescription {
    columns: Spanned<Vec<String>>,
    references: Option<Spanned<Vec<String>>>,
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
        error.next("`fsa tasks show rte` prints a sound one").caused_by(source)
    })?;
    let name = description.name;
    if name.as_ref().is_empty() || !name.as_ref().chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
        let what = format!("`{}` cannot name a task", name.as_ref());
        return Err(file.error(name.span().start, what).next("use letters, digits, `-` and `_`"));
    }
    let template = template(&file, &description.template, &description.columns)?;
    let limit = limit(&file, &template, description.max_source_tokens, description.cut_column)?;
    let prefix = description.prefix.map(|given| prefix(&file, given, &template)).transpose()?;
    let language = description.language.map(|given| language(&file, given)).transpose()?;
    let mut columns = BTreeMap::new();
    for (column, names) in description.columns {
        columns.insert(column, filled(&file, names)?);
    }
    let target = target(&file, description.target)?;
    let metric = metric(&file, description.metric, target.labels.is_some())?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let splits = description.splits.each(|given| filled_text(&file, given).map(|text| place(folder, text)))?;
    let hub = description.hub.map(|given| hub(&file, given)).transpose()?;
    let name = name.into_inner();
    Ok(Task { name, template, columns, target, metric, prefix, language, limit, splits, hub })
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

/// The metric by name. Labels are compared with labels unless something else is asked for; free text has no such default.
fn metric(file: &Source<'_>, given: Option<Spanned<String>>, has_labels: bool) -> Result<Option<Metric>> {
    let Some(given) = given else { return Ok(has_labels.then_some(Metric::Accuracy)) };
    let error = |what: String| file.error(given.span().start, what);
    let names = || Metric::ALL.into_iter().map(Metric::name);
    match Metric::named(given.as_ref()) {
        Some(Metric::Accuracy) if !has_labels => {
            let others = names().filter(|name| *name != Metric::Accuracy.name()).collect::<Vec<_>>().join(", ");
            Err(error("the metric `accuracy` needs label words".into())
                .next(format!("list them as `labels` under [target], or take one of {others}")))
        }
        Some(metric) => Ok(Some(metric)),
        None => {
            let meant = nearest(given.as_ref(), names()).map(|near| format!(" (did you mean `{near}`?)"));
            Err(error(format!("there is no metric `{}`{}", given.as_ref(), meant.unwrap_or_default()))
                .next(format!("give one of {}", names().collect::<Vec<_>>().join(", "))))
        }
    }
}

fn prefix(file: &Source<'_>, given: Spanned<String>, template: &Template) -> Result<String> {
    let start = given.span().start;
    let prefix = filled_text(file, given)?;
    // Anything else would be looked for in vain, and outputs would keep the prompts that follow the answer.
    match template.beginning().starts_with(&prefix) {
        true => Ok(prefix),
        false => Err(file
            .error(start, format!("the template does not begin with `{prefix}`"))
            .next("give the text that every prompt of the task begins with, or remove it")),
    }
}

fn language(file: &Source<'_>, given: Spanned<String>) -> Result<String> {
    let code = given.as_ref();
    match (2..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase()) {
        true => Ok(given.into_inner()),
        false => Err(file
            .error(given.span().start, format!("`{code}` is no language code"))
            .next("give two or three letters (ISO 639), such as `de`, `en`, `fr`, `ro`")),
    }
}

/// How long a source may be: the limit, and the one place where it can be cut.
fn limit(
    file: &Source<'_>,
    template: &Template,
    tokens: Option<Spanned<usize>>,
    column: Option<Spanned<String>>,
) -> Result<Option<Limit>> {
    let Some(tokens) = tokens else {
        return match column {
            Some(column) => Err(file
                .error(column.span().start, "`cut_column` without `max_source_tokens`")
                .next("say how many tokens a source may have, or remove it")),
            None => Ok(None),
        };
    };
    if *tokens.as_ref() == 0 {
        return Err(file.error(tokens.span().start, "`max_source_tokens` must be at least 1, not 0"));
    }
    let mut names: Vec<&str> = template.columns().collect();
    let (start, name) = match &column {
        Some(column) => (column.span().start, column.as_ref().as_str()),
        None => (tokens.span().start, names.first().copied().unwrap_or_default()),
    };
    let times = names.iter().filter(|known| **known == name).count();
    names.sort_unstable();
    names.dedup();
    let error = |what: String, next: &str| {
        Err(file.error(start, what).next(format!("{next}; the template has {}", names.join(", "))))
    };
    match (times, &column) {
        (0, None) => error("the template has no column that could be cut".into(), "remove `max_source_tokens`"),
        (0, Some(_)) => error(format!("the template does not use `{{{name}}}`"), "name the column that is cut"),
        (1, None) if names.len() > 1 => {
            error("the template has several columns".into(), "say which is cut, as `cut_column`")
        }
        (1, _) => Ok(Some(Limit { tokens: tokens.into_inner(), column: name.to_string() })),
        _ => error(format!("the template uses `{{{name}}}` more than once"), "cut a column that it uses once"),
    }
}

impl SplitsDescription {
    /// What `of` makes of each split that is given.
    fn each<T>(self, of: impl Fn(Spanned<String>) -> Result<T>) -> Result<Splits<T>> {
        Ok(Splits {
            train: self.train.map(&of).transpose()?,
            validation: self.validation.map(&of).transpose()?,
            test: self.test.map(&of).transpose()?,
        })
    }
}

fn hub(file: &Source<'_>, given: HubDescription) -> Result<Hub> {
    let start = given.id.span().start;
    let id = given.id.into_inner();
    let revision = given.revision.map(|revision| filled_text(file, revision)).transpose()?;
    if Id::new(&id, revision.as_deref()).is_none() {
        let (what, next) = match Id::new(&id, None) {
            None => (format!("`{id}` is no data set of the hub"), "give it as `owner/name`"),
            Some(_) => (format!("`{}` is no revision", revision.unwrap_or_default()), "give a branch, tag or commit"),
        };
        return Err(file.error(start, what).next(next));
    }
    let config = given.config.map(|config| filled_text(file, config)).transpose()?;
    let text = |(split, pattern)| Ok((split, filled_text(file, pattern)?));
    let files = given.files.into_iter().map(text).collect::<Result<_>>()?;
    let splits = given.splits.each(|name| filled_text(file, name))?;
    Ok(Hub { id, config, revision, splits, files, rows: given.rows })
}

/// Where the split that a description in `folder` calls `name` is: a file seen from there, unless it is a name that stands for no file.
fn place(folder: &Path, name: String) -> PathBuf {
    let name = PathBuf::from(name);
    if source::is_hub(&name) || source::is_world(&name) { name } else { folder.join(name) }
}

/// A text that must hold something.
fn filled_text(file: &Source<'_>, text: Spanned<String>) -> Result<String> {
    match text.as_ref().trim().is_empty() {
        true => Err(file.error(text.span().start, "the text is empty").next("fill it in, or remove the line")),
        false => Ok(text.into_inner()),
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
    if let (Some(references), Some(_)) = (&given.references, &given.labels) {
        return Err(file
            .error(references.span().start, "`references` beside `labels`")
            .next("a label is the one right answer: remove one of the two"));
    }
    let references = given.references.map(|names| filled(file, names)).transpose()?.unwrap_or_default();
    let Some(words) = given.labels else {
        return match given.codes.first_key_value() {
            Some((code, word)) => Err(file
                .error(word.span().start, "a code without label words")
                .column(code)
                .next("list the words as `labels` under [target], or remove the codes")),
            None => Ok(Target { columns, references, drop: given.drop, labels: None }),
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
    Ok(Target { columns, references, drop: given.drop, labels: Some(Labels { set, codes }) })
}
