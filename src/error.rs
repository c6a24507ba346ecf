//! The one error type: what went wrong, where, and what to do next.
//!
//! Every message is one line. The binary maps [`Kind`] to its exit code; the library never prints.

use std::path::{Path, PathBuf};

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What an error means for the run, and so for the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The input, the options or the machine did not allow the work to run (exit code 2).
    Input,
    /// The work ran and failed a check of its own, such as a loss that is not a number (exit code 1).
    Check,
    /// The user stopped the work; what had been written is complete (exit code 130).
    Interrupted,
}

/// An error with its place and the next action. Build one with [`Error::input`] and the methods that follow.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Parts>);

/// Boxed, so that a `Result` of anything stays small.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.line_of_text())]
struct Parts {
    kind: Kind,
    what: String,
    path: Option<PathBuf>,
    line: Option<usize>,
    column: Option<String>,
    parameter: Option<String>,
    flag: Option<String>,
    next: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            what: what.into(),
            path: None,
            line: None,
            column: None,
            parameter: None,
            flag: None,
            next: None,
            source: None,
        }))
    }

    /// Something given to fsa cannot be used.
    pub fn input(what: impl Into<String>) -> Self {
        Self::new(Kind::Input, what)
    }

    /// The work ran and a check on it failed.
    pub fn check(what: impl Into<String>) -> Self {
        Self::new(Kind::Check, what)
    }

    /// The user asked to stop.
    pub fn interrupted(what: impl Into<String>) -> Self {
        Self::new(Kind::Interrupted, what)
    }

    /// A file or folder that the system would not let us use; `verb` says for what ("read", "write", "create").
    pub fn io(verb: &str, path: impl AsRef<Path>, source: std::io::Error) -> Self {
        let next = match source.kind() {
            std::io::ErrorKind::NotFound => "check the path",
            std::io::ErrorKind::PermissionDenied => "check its permissions",
            std::io::ErrorKind::StorageFull => "free some space, then go on with --resume",
            _ => "check the path and the disk",
        };
        Self::input(format!("cannot {verb} it: {source}")).at(path).next(next).caused_by(source)
    }

    /// The file it happened in.
    pub fn at(mut self, path: impl AsRef<Path>) -> Self {
        self.0.path = Some(path.as_ref().to_path_buf());
        self
    }

    /// The line in that file, from 1.
    pub fn line(mut self, line: usize) -> Self {
        self.0.line = Some(line);
        self
    }

    /// The column or key in that line.
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.0.column = Some(column.into());
        self
    }

    /// The model parameter, by its Hugging Face path.
    pub fn parameter(mut self, name: impl Into<String>) -> Self {
        self.0.parameter = Some(name.into());
        self
    }

    /// The command-line flag, with its dashes.
    pub fn flag(mut self, flag: impl Into<String>) -> Self {
        self.0.flag = Some(flag.into());
        self
    }

    /// What the user can do about it.
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.0.next = Some(next.into());
        self
    }

    /// The error below this one; its text should already be part of `what` where it helps the reader.
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// What the error means for the run.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }
}

impl Parts {
    /// Place, what, and next action in one line.
    fn line_of_text(&self) -> String {
        let mut place = String::new();
        if let Some(path) = &self.path {
            place.push_str(&path.display().to_string());
            if let Some(line) = self.line {
                place.push_str(&format!(":{line}"));
            }
        }
        for (label, value) in [("", &self.flag), ("column ", &self.column), ("parameter ", &self.parameter)] {
            if let Some(value) = value {
                if !place.is_empty() {
                    place.push_str(": ");
                }
                place.push_str(&format!("{label}{value}"));
            }
        }
        let mut text = match place.is_empty() {
            true => self.what.clone(),
            false => format!("{place}: {}", self.what),
        };
        if let Some(next) = &self.next {
            text.push_str(&format!("; {next}"));
        }
        // One line, whatever a file name or a library's message holds.
        text.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

impl From<candle_core::Error> for Error {
    /// candle's own errors are programming errors of ours (a shape, a dtype), never the user's.
    fn from(source: candle_core::Error) -> Self {
        Self::check(format!("internal tensor error: {source}"))
            .next("please report it with the command that led to it")
            .caused_by(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_is_one_line_with_place_and_next_action() {
        let error = Error::input("label `maybe` is not one of\nTrue, False")
            .at("dev.tsv")
            .line(7)
            .column("label")
            .next("fix it");
        assert_eq!(error.to_string(), "dev.tsv:7: column label: label `maybe` is not one of True, False; fix it");
    }
}
