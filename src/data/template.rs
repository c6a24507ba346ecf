//! Prompt templates: text with the names of columns in braces, `{premise} question: {hypothesis}`.

use std::fmt;
use std::ops::Range;

/// A parsed template. `{name}` stands for a column, `{{` and `}}` for single braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Column(String),
}

impl Template {
    /// Parses `text`; the error says what is wrong with the braces.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                plain.push_str(&from[..1]);
                rest = after;
                continue;
            }
            let Some(inside) = from.strip_prefix('{') else {
                return Err("a `}` without its `{`; write `}}` for the character itself".into());
            };
            let Some((name, after)) = inside.split_once('}') else {
                return Err("a `{` without its `}`; write `{{` for the character itself".into());
            };
            if name.is_empty() || name.contains('{') {
                return Err(format!("`{{{name}}}` is not the name of a column"));
            }
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Column(name.to_string()));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces })
    }

    /// The columns it names, in order of appearance, as often as they appear.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Column(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The plain text before the first column.
    pub fn beginning(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Text(plain)) => plain,
            Some(Piece::Column(_)) | None => "",
        }
    }

    /// The columns' values in `rendered`, a text that this template made: what lies between its plain parts. Where a value
    /// holds a plain part itself, the first place where it fits is taken.
    pub fn fields<'t>(&self, rendered: &'t str) -> Vec<&'t str> {
        let mut fields = Vec::new();
        let mut rest = rendered;
        let mut pieces = self.pieces.iter().peekable();
        while let Some(piece) = pieces.next() {
            match piece {
                Piece::Text(plain) => rest = rest.strip_prefix(plain.as_str()).unwrap_or(rest),
                Piece::Column(_) => {
                    let end = match pieces.peek() {
                        Some(Piece::Text(plain)) => rest.find(plain.as_str()).unwrap_or(rest.len()),
                        // Two columns side by side cannot be told apart.
                        Some(Piece::Column(_)) | None => rest.len(),
                    };
                    let (field, after) = rest.split_at(end);
                    fields.push(field);
                    rest = after;
                }
            }
        }
        fields
    }

    /// The text with every column replaced by what `value` gives for it; the first error ends it.
    pub fn render<E>(&self, value: impl FnMut(&str) -> Result<String, E>) -> Result<String, E> {
        self.render_marked(None, value).map(|(text, _)| text)
    }

    /// As [`render`](Self::render), with the bytes that the column `marked` fills (its last appearance).
    pub fn render_marked<E>(
        &self,
        marked: Option<&str>,
        mut value: impl FnMut(&str) -> Result<String, E>,
    ) -> Result<(String, Option<Range<usize>>), E> {
        let mut text = String::new();
        let mut bytes = None;
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Column(name) => {
                    let start = text.len();
                    text.push_str(&value(name)?);
                    if marked == Some(name) {
                        bytes = Some(start..text.len());
                    }
                }
            }
        }
        Ok((text, bytes))
    }
}

/// As it was written.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Text(plain) => f.write_str(&plain.replace('{', "{{").replace('}', "}}")),
            Piece::Column(name) => write!(f, "{{{name}}}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str) -> String {
        let template = Template::parse(template).unwrap();
        template.render(|name| Ok::<_, ()>(name.to_uppercase())).unwrap()
    }

    #[test]
    fn columns_are_filled_in_and_everything_else_is_kept() {
        assert_eq!(render("{a} question: {b}? {a}"), "A question: B? A");
        assert_eq!(render("{{{a}}} is {{plain}}"), "{A} is {plain}");
        assert_eq!(render("no column, é"), "no column, é");
        let names: Vec<String> = Template::parse("{b}{a}").unwrap().columns().map(String::from).collect();
        assert_eq!(names, ["b", "a"]);
    }

    #[test]
    fn it_says_what_it_was_and_where_a_column_went() {
        for text in ["{a} question: {b}? {a}", "{{{a}}} is {{plain}}", "", "no column"] {
            assert_eq!(Template::parse(text).unwrap().to_string(), text);
        }
        let template = Template::parse("Article: {a} end").unwrap();
        let rendered = template.render_marked(Some("a"), |_| Ok::<_, ()>("é, x".to_string())).unwrap();
        assert_eq!(rendered, ("Article: é, x end".to_string(), Some(9..14)));
        assert_eq!(template.beginning(), "Article: ");
        assert_eq!(Template::parse("{a} b").unwrap().beginning(), "");
    }

    #[test]
    fn fields_are_found_again() {
        let template = Template::parse("Q: {a} A) {b} end").unwrap();
        assert_eq!(template.fields("Q: é, x A) y end"), ["é, x", "y"]);
        assert_eq!(template.fields("something else"), ["something else", ""]);
        assert_eq!(Template::parse("{a}").unwrap().fields("x y"), ["x y"]);
    }

    #[test]
    fn values_are_not_templates_themselves() {
        let template = Template::parse("{a}!").unwrap();
        assert_eq!(template.render(|_| Ok::<_, ()>("{b}}".to_string())).unwrap(), "{b}}!");
    }

    #[test]
    fn broken_braces_are_named() {
        assert!(Template::parse("{a").unwrap_err().starts_with("a `{` without its `}`"));
        assert!(Template::parse("a}").unwrap_err().starts_with("a `}` without its `{`"));
        assert_eq!(Template::parse("{}").unwrap_err(), "`{}` is not the name of a column");
        assert_eq!(Template::parse("{a {b}}").unwrap_err(), "`{a {b}` is not the name of a column");
    }
}
