//! `fsa score`: outputs in a file against references in a file, by one metric.

use std::path::{Path, PathBuf};

use super::scoring;
pub use super::scoring::{Interval, Metric, Parts, Scored};
use crate::data::LabelSet;
use crate::data::read::text_lines;
use crate::error::{Error, Result};
use crate::spec::Seeds;

/// What to score, and how.
#[derive(Debug, Clone)]
pub struct Score {
    /// The metric.
    pub metric: Metric,
    /// One output a line.
    pub hypotheses: PathBuf,
    /// One reference a line, in the same order. BLEU takes several files, each with a reference for every line.
    pub references: Vec<PathBuf>,
    /// Root seed (of the bootstrap).
    pub seed: u64,
}

/// Scores the outputs.
///
/// # Errors
/// If a file cannot be read, is empty or has other than one line for each output; if several reference files are given for a
/// metric that takes one; if a reference is not what the metric needs.
pub fn run(score: &Score) -> Result<Scored> {
    let hypotheses = lines(&score.hypotheses, "--hypotheses")?;
    let mut references = Vec::new();
    for path in &score.references {
        let lines = lines(path, "--references")?;
        if lines.len() != hypotheses.len() {
            let (found, wanted) = (lines.len(), hypotheses.len());
            return Err(Error::input(format!("it has {found} lines, and the hypotheses have {wanted}"))
                .at(path)
                .flag("--references")
                .next("give one reference a line, in the order of the hypotheses"));
        }
        references.push(lines);
    }
    let (Some(first), Some(path)) = (references.first(), score.references.first()) else {
        return Err(Error::input("no file of references")
            .flag("--references")
            .next("give --references path/to/references.txt"));
    };
    if references.len() > 1 && !matches!(score.metric, Metric::Bleu(_)) {
        return Err(Error::input("only --metric bleu takes several reference files")
            .flag("--references")
            .next("give one file; for exact match, a line may be a JSON list of aliases"));
    }
    let references: Vec<Vec<String>> = match &score.metric {
        Metric::ExactMatch(_) => {
            (1..).zip(first).map(|(number, line)| aliases(line, path, number)).collect::<Result<_>>()?
        }
        Metric::Accuracy(labels) => {
            check_labels(first, path, labels)?;
            first.iter().map(|line| vec![line.trim().to_owned()]).collect()
        }
        _ => (0..hypotheses.len()).map(|item| references.iter().map(|file| file[item].clone()).collect()).collect(),
    };
    scoring::score(&score.metric, &hypotheses, &references, Seeds::new(score.seed))
}

/// The lines of a file that has some.
fn lines(path: &Path, flag: &str) -> Result<Vec<String>> {
    let lines = text_lines(path).map_err(|error| error.flag(flag))?;
    match lines.is_empty() {
        true => Err(Error::input("the file is empty").at(path).flag(flag).next("give one text a line")),
        false => Ok(lines),
    }
}

/// The answers in line `number`: a JSON list if it begins as one, else the line itself.
fn aliases(line: &str, path: &Path, number: usize) -> Result<Vec<String>> {
    if !line.trim_start().starts_with('[') {
        return Ok(vec![line.to_owned()]);
    }
    let refuse = |what: String| {
        Error::input(what).at(path).line(number).next(
            "a line that begins with [ is a JSON list of at least one answer, such as [\"Paris\", \"Paris, France\"]",
        )
    };
    match serde_json::from_str::<Vec<String>>(line) {
        Ok(aliases) if aliases.is_empty() => Err(refuse("the list of answers is empty".into())),
        Ok(aliases) => Ok(aliases),
        Err(error) => Err(refuse(format!("this is no JSON list of strings: {error}")).caused_by(error)),
    }
}

/// Errors on a reference that is no label.
fn check_labels(references: &[String], path: &Path, labels: &LabelSet) -> Result<()> {
    for (number, reference) in (1..).zip(references) {
        if labels.index(reference.trim()).is_none() {
            return Err(Error::input(format!(
                "label `{}` is not one of {}",
                reference.trim(),
                labels.words().join(", ")
            ))
            .at(path)
            .line(number)
            .next("give every label word with --labels, or correct the line"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_line_is_an_answer_or_a_list() {
        let read = |line| aliases(line, Path::new("r.txt"), 3).map_err(|error| error.to_string());
        assert_eq!(read("Paris"), Ok(vec!["Paris".to_owned()]));
        assert_eq!(read(r#" ["Paris", "Lutetia"]"#), Ok(vec!["Paris".to_owned(), "Lutetia".to_owned()]));
        assert!(
            read("[]").unwrap_err().starts_with("r.txt:3: the list of answers is empty; a line that begins with [")
        );
        assert!(read("[sic]").unwrap_err().contains("no JSON list of strings"));
        assert!(read("[1]").unwrap_err().contains("expected a string"));
    }
}
