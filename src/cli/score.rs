//! `fsa score`: outputs against references, by one metric.

use std::path::PathBuf;

use clap::Args;
use fsa::data::LabelSet;
use fsa::experiment::score::{self, Interval, Metric, Score, Scored};
use fsa::measure::Normaliser;
use fsa::measure::bleu::Tokenizer;
use fsa::{Error, Result};
use serde::Serialize;

use super::{choice, required, term};

/// Score outputs against references, with a 95 % interval
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The metric
    #[arg(long, value_name = "NAME", value_parser = choice::one_of(&Name::ALL, Name::name), help_heading = "Metric")]
    metric: Option<Name>,
    /// BLEU's tokenizer [default: 13a]
    #[arg(long, value_name = "NAME", value_parser = choice::one_of(&Tokenizer::ALL, Tokenizer::name), help_heading = "Metric")]
    tokenize: Option<Tokenizer>,
    /// The label words, for accuracy: True,False
    #[arg(long, value_name = "WORDS", value_delimiter = ',', help_heading = "Metric")]
    labels: Option<Vec<String>>,
    /// Root seed of the bootstrap, for bleu and rouge2 [default: 0]
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Metric")]
    seed: Option<u64>,
    /// The outputs, one a line
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    hypotheses: Option<PathBuf>,
    /// The references, one a line; for exact match a line may be a JSON list of aliases, for bleu there may be several files
    #[arg(long, value_name = "FILE", num_args = 1.., help_heading = "Input")]
    references: Option<Vec<PathBuf>>,
    /// Print one JSON object on stdout instead of a table
    #[arg(long, help_heading = "Output")]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  fsa score --metric bleu --hypotheses outputs.txt --references references.txt
  fsa score --metric accuracy --labels True,False --hypotheses outputs.txt --references labels.txt";

/// A metric's name, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Bleu,
    Rouge2,
    EmTrivia,
    EmSquad,
    Accuracy,
}

impl Name {
    const ALL: [Self; 5] = [Self::Bleu, Self::Rouge2, Self::EmTrivia, Self::EmSquad, Self::Accuracy];

    fn name(self) -> &'static str {
        match self {
            Self::Bleu => "bleu",
            Self::Rouge2 => "rouge2",
            Self::EmTrivia => "em-trivia",
            Self::EmSquad => "em-squad",
            Self::Accuracy => "accuracy",
        }
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Named {
    metric: &'static str,
    #[serde(flatten)]
    scored: Scored,
}

impl Arguments {
    /// Scores, and prints the score with its interval and signature.
    pub fn run(self) -> Result<()> {
        let json = self.json;
        let (name, score) = self.resolve()?;
        let (metric, scored) = (name.name(), score::run(&score)?);
        if json { term::print_json(&Named { metric, scored }) } else { term::print(table(metric, &scored).as_bytes()) }
    }

    /// What to score, and the metric's name.
    fn resolve(self) -> Result<(Name, Score)> {
        let name = required(self.metric, "--metric", "the metric", "bleu")?;
        let only_for = |flag: &str, given: bool, metric: Name| match given && name != metric {
            true => Err(Error::input(format!("--metric {} does not use it", name.name()))
                .flag(flag)
                .next(format!("leave it out, or give --metric {}", metric.name()))),
            false => Ok(()),
        };
        only_for("--tokenize", self.tokenize.is_some(), Name::Bleu)?;
        only_for("--labels", self.labels.is_some(), Name::Accuracy)?;
        let metric = match name {
            Name::Bleu => Metric::Bleu(self.tokenize.unwrap_or_default()),
            Name::Rouge2 => Metric::Rouge2,
            Name::EmTrivia => Metric::ExactMatch(Normaliser::TriviaQa),
            Name::EmSquad => Metric::ExactMatch(Normaliser::Squad),
            Name::Accuracy => {
                let words = required(self.labels, "--labels", "the label words", "True,False")?;
                Metric::Accuracy(LabelSet::new(words).map_err(|error| error.flag("--labels"))?)
            }
        };
        let score = Score {
            metric,
            hypotheses: required(self.hypotheses, "--hypotheses", "the outputs' file", "path/to/outputs.txt")?,
            references: required(self.references, "--references", "the references' file", "path/to/references.txt")?,
            seed: self.seed.unwrap_or(0),
        };
        Ok((name, score))
    }
}

fn table(metric: &str, scored: &Scored) -> String {
    let how = match scored.interval {
        Interval::Wilson => "95 %, Wilson".to_owned(),
        Interval::Bootstrap { draws, seed } => format!("95 %, bootstrap of {draws} draws, seed {seed}"),
    };
    let interval = match (scored.low, scored.high) {
        (Some(low), Some(high)) => format!("{low:.2} to {high:.2} ({how})"),
        _ => "none: a single line cannot vary".to_owned(),
    };
    let parts = scored.bleu.as_ref().map_or_else(String::new, |parts| {
        let precisions: Vec<String> = parts.precisions.iter().map(|precision| format!("{precision:.1}")).collect();
        format!(
            "precisions  {}\nbrevity     {:.3} ({} tokens for {})\n",
            precisions.join("/"),
            parts.brevity_penalty,
            parts.hypothesis_length,
            parts.reference_length
        )
    });
    format!(
        "{metric:<11} {:.2}\ninterval    {interval}\n{parts}lines       {}\nsignature   {}\n",
        scored.score, scored.n, scored.signature
    )
}
