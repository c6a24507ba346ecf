//! `fsa generate`: what a model answers to prompts.

use std::path::PathBuf;

use clap::Args;
use fsa::experiment::generate::{self, Generate, Generated, Prompts};
use fsa::model::given::Given;
use fsa::spec::{MINI, Preset, is_mini};
use fsa::{Error, Result};

use super::decoding::DecodingOptions;
use super::preset::{self, ADAPTER_HELP, MODEL_HELP, PRESET_HELP, given};
use super::{choice, term, threads};

/// Print what a model answers to a prompt, or to each prompt of a file
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[arg(long, value_name = "MODEL", help_heading = "Input", help = MODEL_HELP)]
    model: Option<PathBuf>,
    #[arg(long, value_name = "DIR", help_heading = "Input", help = ADAPTER_HELP)]
    adapter: Option<PathBuf>,
    /// The prompt
    #[arg(long, value_name = "TEXT", conflicts_with = "input", help_heading = "Input")]
    prompt: Option<String>,
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    #[arg(help = format!("Prompts: JSON lines, {{\"prompt\": \"…\"}} each; or `mini` or `mini:TASK/SPLIT` for the first {} \
        examples of the mini world's [default: mini, for the model mini]", Generate::OF_WORLD))]
    input: Option<PathBuf>,
    #[arg(long, value_name = "NAME", value_parser = choice::one_of(&Preset::ALL, Preset::name), help_heading = "Input")]
    #[arg(help = PRESET_HELP)]
    preset: Option<Preset>,

    #[command(flatten)]
    decoding: DecodingOptions,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Decoding")]
    #[arg(help = format!("Prompts that go through the model at once; less takes less memory [default: {}]", Generate::BATCH_SIZE))]
    batch_size: Option<usize>,
    /// Threads [default: one per physical core]
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Decoding")]
    threads: Option<usize>,

    /// Keep special tokens in the output's text: sentinels such as <extra_id_0> are dropped without this
    #[arg(long, help_heading = "Output")]
    keep_special: bool,
    /// Print a JSON object for each prompt instead of a line of text: prompt, output, ids (with special tokens), score, ended
    #[arg(long, help_heading = "Output")]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  fsa generate
  fsa generate --model path/to/model --prompt 'Q: who wrote Faust? A: <extra_id_0>' --keep-special
  fsa generate --model path/to/model --input path/to/prompts.jsonl --beams 1 --json

Each prompt's output is one line; a line break within it is printed as \\n. The prompt goes to the
model as it is: no template is put around it.";

impl Arguments {
    /// Generates, and prints a line for each prompt.
    pub fn run(self) -> Result<()> {
        let (threads, json) = (self.threads.unwrap_or_else(threads::default), self.json);
        let generate = self.resolve()?;
        threads::set(threads)?;
        preset::fetch(&generate.model, false)?;
        preset::fetch_adapter(generate.adapter.as_deref(), &generate.model, false)?;
        let generated = generate::run(&generate)?;
        if json {
            return generated.iter().try_for_each(term::print_json);
        }
        term::print(generated.iter().map(line).collect::<String>().as_bytes())
    }

    /// What to generate.
    fn resolve(self) -> Result<Generate> {
        let Given { model, adapter } = given(self.model, self.adapter, self.input.as_deref(), false)?;
        let defaults = self.preset.unwrap_or_else(|| Preset::of(&model)).defaults();
        let prompts = match (self.prompt, self.input) {
            (Some(text), _) => Prompts::Text(text),
            (None, Some(path)) => Prompts::File(path),
            (None, None) if is_mini(&model) => Prompts::File(MINI.into()),
            (None, None) => {
                return Err(Error::input("missing: a prompt")
                    .flag("--prompt")
                    .next("give --prompt TEXT, or many with --input path/to/prompts.jsonl"));
            }
        };
        Ok(Generate {
            model,
            adapter,
            prompts,
            decoding: self.decoding.resolve_over(defaults.decoding()),
            batch_size: self.batch_size.unwrap_or(Generate::BATCH_SIZE),
            keep_special: self.keep_special,
        })
    }
}

/// The output on a line of its own, so that lines and prompts correspond.
fn line(generated: &Generated) -> String {
    format!("{}\n", generated.output.replace('\r', "\\r").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use fsa::spec::{Decoding, LengthPenalty};

    use super::*;
    use crate::cli::options::keys;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn resolved(flags: &str) -> Result<Generate, String> {
        let typed = Typed::try_parse_from(std::iter::once("fsa").chain(flags.split_whitespace())).unwrap();
        typed.arguments.resolve().map_err(|error| error.to_string())
    }

    #[test]
    fn every_flag_reaches_the_description() {
        let flags = "--model m --adapter a --input i --beams 2 --max-new-tokens 9 --min-new-tokens 1 --length-penalty hf \
            --length-penalty-exponent 0.5 --batch-size 3 --keep-special --threads 1 --json --preset mini";
        // All but --prompt, which excludes --input.
        assert_eq!(flags.matches("--").count(), keys::<Arguments>().len() - 1, "a flag is missing from this test");
        let decoding =
            Decoding { num_beams: 2, max_new_tokens: 9, min_new_tokens: 1, length_penalty: LengthPenalty::Hf(0.5) };
        let prompts = Prompts::File("i".into());
        let (model, adapter) = ("m".into(), Some("a".into()));
        let want = Generate { model, adapter, prompts, decoding, batch_size: 3, keep_special: true };
        assert_eq!(resolved(flags), Ok(want));
    }

    #[test]
    fn what_nobody_says_gets_its_default() {
        let want = Generate {
            model: "m".into(),
            adapter: None,
            prompts: Prompts::Text("p".into()),
            decoding: Decoding::default(),
            batch_size: 16,
            keep_special: false,
        };
        assert_eq!(resolved("--model m --prompt p"), Ok(want));
        let embedded = Generate {
            model: "mini".into(),
            adapter: None,
            prompts: Prompts::File("mini".into()),
            decoding: Preset::Mini.defaults().decoding(),
            batch_size: 16,
            keep_special: false,
        };
        assert_eq!(resolved(""), Ok(embedded));
    }

    #[test]
    fn an_output_is_one_line() {
        let generated =
            Generated { prompt: "p".into(), output: "a\nb\r\nc".into(), ids: Vec::new(), score: 0.0, ended: true };
        assert_eq!(line(&generated), "a\\nb\\r\\nc\n");
    }
}
