//! `fsa tokenize`: texts to tokens and back.

use std::io::{BufRead, stdin};
use std::path::PathBuf;

use clap::Args;
use fsa::experiment::tokenize::{Reader, Token, Tokenize, Tokenized};
use fsa::{Error, Result};
use serde::Serialize;

use super::{preset, term};

/// Show the tokens that a model makes of texts, or the text of ids
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Folder of the model, in Hugging Face layout, or of an adapter; or a name on the hub; or `mini` for the embedded one
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Texts, or `-` for each line of standard input
    #[arg(value_name = "TEXT", required_unless_present = "decode")]
    texts: Vec<String>,
    /// The text of these ids, with commas or spaces between
    #[arg(long, value_name = "IDS", conflicts_with = "texts", help_heading = "Input")]
    decode: Option<String>,
    /// Print ids alone, a line for each text
    #[arg(long, conflicts_with_all = ["json", "decode"], help_heading = "Output")]
    ids: bool,
    /// Print a JSON object for each text instead: text, ids, tokens (id, token, kind), decoded, same
    #[arg(long, help_heading = "Output")]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  fsa tokenize mini 'The cat sat. question: A cat sat.' 'A: <extra_id_0>'
  fsa tokenize path/to/model - < path/to/lines.txt
  fsa tokenize path/to/model --decode 644,4598,229

Tokens that are no part of a text are marked: special, sentinel, byte, and unknown for what no
piece covers. Where the tokens do not give the text again, the text that they give follows.";

/// What `--decode --json` prints.
#[derive(Serialize)]
struct Decoded {
    ids: Vec<u32>,
    tokens: Vec<Token>,
    text: String,
}

impl Arguments {
    /// Prints the tokens of each text, or the text of ids.
    pub fn run(self) -> Result<()> {
        preset::fetch_with_base(&self.model, self.json || self.ids)?;
        let reader = Reader::new(&Tokenize { model: self.model.clone() })?;
        if let Some(ids) = &self.decode {
            let ids = parse(ids)?;
            let (text, tokens) = reader.ids(&ids)?;
            return match self.json {
                true => term::print_json(&Decoded { ids, tokens, text }),
                false => term::print(format!("{text}\n").as_bytes()),
            };
        }
        let mut first = true;
        for text in &self.texts {
            if text != "-" {
                self.show(&reader.text(text)?, &mut first)?;
                continue;
            }
            for line in stdin().lock().lines() {
                let line = line.map_err(|source| Error::io("read", "standard input", source))?;
                self.show(&reader.text(&line)?, &mut first)?;
            }
        }
        Ok(())
    }

    fn show(&self, tokenized: &Tokenized, first: &mut bool) -> Result<()> {
        match (self.json, self.ids) {
            (true, _) => term::print_json(tokenized),
            (false, true) => {
                let ids: Vec<String> = tokenized.ids.iter().map(u32::to_string).collect();
                term::print(format!("{}\n", ids.join(" ")).as_bytes())
            }
            (false, false) => {
                let between = if std::mem::take(first) { "" } else { "\n" };
                term::print(format!("{between}{}", in_words(tokenized)).as_bytes())
            }
        }
    }
}

/// A text with its tokens below it.
fn in_words(tokenized: &Tokenized) -> String {
    let Tokenized { text, tokens, decoded, same, .. } = tokenized;
    let plural = if tokens.len() == 1 { "" } else { "s" };
    let mut lines = format!("{}  ({} token{plural})\n", visible(text), tokens.len());
    for Token { id, token, kind } in tokens {
        let token = visible(token.as_deref().unwrap_or_default());
        let line = format!("{id:>8}  {token:24}{}", kind.name().unwrap_or_default());
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    if !same {
        lines.push_str(&format!("{:>8}  {}\n", "decoded", visible(decoded)));
    }
    lines
}

/// `text` with what would break the line made visible.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// Ids with commas or spaces between.
fn parse(ids: &str) -> Result<Vec<u32>> {
    let words = ids.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
    let id = |word: &str| {
        let bad =
            || Error::input(format!("`{word}` is no id")).flag("--decode").next("give whole numbers, such as 12,7,1");
        word.parse().map_err(|_| bad())
    };
    words.map(id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_may_be_written_with_commas_and_spaces() {
        assert_eq!(parse("12, 7,1 ").unwrap(), [12, 7, 1]);
        assert_eq!(
            parse("12,x").unwrap_err().to_string(),
            "--decode: `x` is no id; give whole numbers, such as 12,7,1"
        );
    }
}
