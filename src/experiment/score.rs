//! `fsa score`: outputs in a file against references in a file, by one metric.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::data::LabelSet;
use crate::data::read::text_lines;
use crate::error::{Error, Result};
use crate::measure::bleu::{self, MAX_ORDER, Statistics, Tokenizer};
use crate::measure::intervals::{DRAWS, bootstrap};
use crate::measure::{Normaliser, Proportion, outputs, rouge};
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

/// A metric, with what it needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metric {
    /// Corpus BLEU.
    Bleu(Tokenizer),
    /// Mean ROUGE-2 F1.
    Rouge2,
    /// Exact match. A reference line is the one answer, or a JSON list of all aliases.
    ExactMatch(Normaliser),
    /// The output's first word against the true label word.
    Accuracy(LabelSet),
}

/// A score.
#[derive(Debug, Serialize)]
pub struct Scored {
    /// From 0 to 100.
    pub score: f64,
    /// Low end of its 95 % interval; none where it cannot be told.
    pub low: Option<f64>,
    /// High end.
    pub high: Option<f64>,
    /// How the interval was made.
    pub interval: Interval,
    /// Number of outputs.
    pub n: usize,
    /// What has to be known to compare the score with another.
    pub signature: String,
    /// BLEU's parts.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub bleu: Option<Parts>,
}

/// How an interval was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interval {
    /// Wilson's, of a proportion.
    Wilson,
    /// Percentiles of draws of outputs.
    Bootstrap {
        /// Number of draws.
        draws: usize,
        /// Root seed.
        seed: u64,
    },
}

/// What BLEU is made of.
#[derive(Debug, Serialize)]
pub struct Parts {
    /// Of orders 1 to 4, in per cent.
    pub precisions: [f64; MAX_ORDER],
    /// From 0 to 1.
    pub brevity_penalty: f64,
    /// Tokens of all outputs.
    pub hypothesis_length: u64,
    /// Tokens of the closest references.
    pub reference_length: u64,
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
    match (&score.metric, references.as_slice(), score.references.as_slice()) {
        (_, [], _) => Err(Error::input("no file of references")
            .flag("--references")
            .next("give --references path/to/references.txt")),
        (Metric::Bleu(tokenizer), files, _) => Ok(bleu(&hypotheses, files, *tokenizer, score.seed)),
        (Metric::Rouge2, [lines], _) => rouge2(&hypotheses, lines, score.seed),
        (Metric::ExactMatch(normaliser), [lines], [path]) => exact_match(&hypotheses, lines, path, *normaliser),
        (Metric::Accuracy(labels), [lines], [path]) => accuracy(&hypotheses, lines, path, labels),
        _ => Err(Error::input("only --metric bleu takes several reference files")
            .flag("--references")
            .next("give one file; for exact match, a line may be a JSON list of aliases")),
    }
}

/// The lines of a file that has some.
fn lines(path: &Path, flag: &str) -> Result<Vec<String>> {
    let lines = text_lines(path).map_err(|error| error.flag(flag))?;
    match lines.is_empty() {
        true => Err(Error::input("the file is empty").at(path).flag(flag).next("give one text a line")),
        false => Ok(lines),
    }
}

/// `references`: one list a file.
fn bleu(hypotheses: &[String], references: &[Vec<String>], tokenizer: Tokenizer, seed: u64) -> Scored {
    let segments: Vec<Statistics> = hypotheses
        .iter()
        .enumerate()
        .map(|(line, hypothesis)| {
            let references: Vec<&str> = references.iter().map(|file| file[line].as_str()).collect();
            Statistics::of(hypothesis, &references, tokenizer)
        })
        .collect();
    let corpus: Statistics = segments.iter().copied().sum();
    let interval = bootstrap(Seeds::new(seed), "bleu", segments.len(), |draw| {
        draw.iter().map(|&line| segments[line]).sum::<Statistics>().score().score
    });
    let bleu = corpus.score();
    Scored {
        score: bleu.score,
        low: interval.map(|ends| ends.0),
        high: interval.map(|ends| ends.1),
        interval: Interval::Bootstrap { draws: DRAWS, seed },
        n: hypotheses.len(),
        signature: bleu::signature(tokenizer, references.len()),
        bleu: Some(Parts {
            precisions: bleu.precisions,
            brevity_penalty: bleu.brevity_penalty,
            hypothesis_length: corpus.hypothesis_length,
            reference_length: corpus.reference_length,
        }),
    }
}

fn rouge2(hypotheses: &[String], references: &[String], seed: u64) -> Result<Scored> {
    let scores: Vec<f64> =
        hypotheses.iter().zip(references).map(|(ours, theirs)| rouge::rouge2(ours, theirs)).collect();
    let interval = bootstrap(Seeds::new(seed), "rouge2", scores.len(), |draw| {
        100.0 * draw.iter().map(|&line| scores[line]).sum::<f64>() / draw.len() as f64
    });
    Ok(Scored {
        score: rouge::corpus(&scores).ok_or_else(nothing)?,
        low: interval.map(|ends| ends.0),
        high: interval.map(|ends| ends.1),
        interval: Interval::Bootstrap { draws: DRAWS, seed },
        n: scores.len(),
        signature: rouge::signature(),
        bleu: None,
    })
}

fn exact_match(hypotheses: &[String], references: &[String], path: &Path, normaliser: Normaliser) -> Result<Scored> {
    let mut matches = Vec::with_capacity(hypotheses.len());
    for (number, (hypothesis, reference)) in (1..).zip(hypotheses.iter().zip(references)) {
        matches.push(normaliser.matches(hypothesis, &aliases(reference, path, number)?));
    }
    proportion(Proportion::of(matches), normaliser.signature())
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

fn accuracy(hypotheses: &[String], references: &[String], path: &Path, labels: &LabelSet) -> Result<Scored> {
    let mut classes = Vec::with_capacity(hypotheses.len());
    for (number, (hypothesis, reference)) in (1..).zip(hypotheses.iter().zip(references)) {
        let truth = labels.index(reference.trim()).ok_or_else(|| {
            Error::input(format!("label `{}` is not one of {}", reference.trim(), labels.words().join(", ")))
                .at(path)
                .line(number)
                .next("give every label word with --labels, or correct the line")
        })?;
        classes.push((labels.first_word(hypothesis), truth));
    }
    let signature = format!(
        "accuracy|match:first-word|labels:{}|version:fsa-{}",
        labels.words().join(","),
        env!("CARGO_PKG_VERSION")
    );
    proportion(outputs::accuracy(classes), signature)
}

fn proportion(proportion: Proportion, signature: String) -> Result<Scored> {
    let (low, high) = proportion.wilson().ok_or_else(nothing)?;
    Ok(Scored {
        score: 100.0 * proportion.rate().ok_or_else(nothing)?,
        low: Some(100.0 * low),
        high: Some(100.0 * high),
        interval: Interval::Wilson,
        n: proportion.items as usize,
        signature,
        bleu: None,
    })
}

/// A file without lines is refused when it is read; this says so should a caller get past that.
fn nothing() -> Error {
    Error::input("there is nothing to score").next("give at least one line")
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
