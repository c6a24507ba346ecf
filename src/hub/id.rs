//! How a repository is named: `owner/name`, or `owner/name@revision`.

use std::fmt;

use super::MAIN;

/// The longest name that hubs allow.
const LONGEST: usize = 96;

/// Models from before names had owners, and who owns them now: what adapters and scripts of that time call their base.
const WITHOUT_OWNER: [&str; 5] = ["t5-small", "t5-base", "t5-large", "t5-3b", "t5-11b"];
const OWNER: &str = "google-t5";

/// A repository, and the revision of it that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id {
    name: String,
    revision: Option<String>,
}

impl Id {
    /// Reads `owner/name` or `owner/name@revision`; a revision may hold slashes, as in `google/t5-v1_1-xl@refs/pr/3`. None if the text
    /// has another shape, such as a path's. `t5-small` and its like are `google-t5/t5-small`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, revision) = match text.split_once('@') {
            Some((name, revision)) => (name, Some(revision)),
            None => (text, None),
        };
        match WITHOUT_OWNER.contains(&name) {
            true => Self::new(&format!("{OWNER}/{name}"), revision),
            false => Self::new(name, revision),
        }
    }

    /// The repository `name` at `revision`, if both can be.
    pub fn new(name: &str, revision: Option<&str>) -> Option<Self> {
        let (owner, bare) = name.split_once('/')?;
        let fits = name.len() <= LONGEST && [owner, bare].into_iter().all(is_part) && revision.is_none_or(is_revision);
        fits.then(|| Self { name: name.to_string(), revision: revision.map(String::from) })
    }

    /// `owner/name`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The revision: as given, else [`MAIN`].
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or(MAIN)
    }

    /// The revision, if one was given.
    pub fn given_revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    /// The same repository at the commit `commit`.
    pub fn at(&self, commit: &str) -> Self {
        Self { name: self.name.clone(), revision: Some(commit.to_string()) }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.revision {
            Some(revision) => write!(f, "{}@{revision}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Whether hubs allow it as an owner or a name.
fn is_part(part: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let ends = ['-', '.'];
    let doubled = part.contains("--") || part.contains("..");
    !part.is_empty() && part.chars().all(allowed) && !doubled && !part.starts_with(ends) && !part.ends_with(ends)
}

/// Whether git allows it as a reference, and it stays where references are kept.
fn is_revision(revision: &str) -> bool {
    let allowed = |c: char| !c.is_control() && !matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\' | '@' | '#');
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains("..");
    revision.len() <= 255 && revision.chars().all(allowed) && revision.split('/').all(plain)
}

/// Whether it is a whole commit, which never comes to mean another one.
pub fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && is_hexadecimal(revision)
}

pub fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_and_a_name_with_or_without_a_revision() {
        for (text, name, revision) in [
            ("google/mt5-small", "google/mt5-small", MAIN),
            ("google/t5-v1_1-xl@refs/pr/3", "google/t5-v1_1-xl", "refs/pr/3"),
            ("a/b.c@v1.0", "a/b.c", "v1.0"),
        ] {
            let id = Id::parse(text).unwrap();
            assert_eq!((id.name(), id.revision(), id.to_string().as_str()), (name, revision, text));
        }
        assert_eq!(Id::parse("t5-small").unwrap().to_string(), "google-t5/t5-small");
        assert_eq!(Id::parse("t5-3b@v1").unwrap().to_string(), "google-t5/t5-3b@v1");
        assert_eq!(Id::parse("a/b").unwrap().at("c0ffee").to_string(), "a/b@c0ffee");
    }

    #[test]
    fn paths_and_what_would_leave_the_cache_are_no_names() {
        for text in [
            "mini", "t5-tiny", "./mini", "../a", "a/b/c", "/a", "a/", "a/.b", "a--b/c", "a/b..c", "a/b@", "a b/c",
            "C:\\m", "a/é",
        ] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
        for revision in ["", "../x", "a/../b", "/a", "a/", "a//b", ".a", "a b", "a\n", "a@b", "a:b"] {
            assert_eq!(Id::new("a/b", Some(revision)), None, "{revision:?}");
        }
        assert!(is_commit(&"0a".repeat(20)) && !is_commit("0a") && !is_commit(&"0A".repeat(20)));
    }
}
