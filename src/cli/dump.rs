//! `fsa dump`: one batch's tensors, logits, loss and gradients.

use std::path::PathBuf;

use clap::Args;
use fsa::Result;
use fsa::experiment::dump::{self, Dump};
use fsa::model::given::Given;
use fsa::spec::{MINI, Smoothing, Training, is_mini};

use super::preset::{self, ADAPTER_HELP, MODEL_HELP, given};
use super::{choice, required, term, threads};

/// Write one batch's tensors, logits, loss and every gradient to a safetensors file
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  fsa dump\n  fsa dump --model path/to/model --input path/to/batch.jsonl --out batch.safetensors"
)]
pub struct Arguments {
    #[arg(long, value_name = "MODEL", help_heading = "Input", help = MODEL_HELP)]
    model: Option<PathBuf>,
    #[arg(long, value_name = "DIR", help_heading = "Input", help = ADAPTER_HELP)]
    adapter: Option<PathBuf>,
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    #[arg(help = format!("The batch: JSON lines, {{\"source\": \"…\", \"target\": \"…\"}} each; or `mini` or `mini:TASK/SPLIT` for \
        the first {} examples of the mini world's [default: mini, for the model mini]", Dump::OF_WORLD))]
    input: Option<PathBuf>,
    /// Dropout rate, from 0 to below 1 [default: 0]
    #[arg(long, value_name = "RATE", value_parser = choice::number, help_heading = "Loss")]
    dropout: Option<f64>,
    /// Label smoothing, from 0 to below 1 [default: 0]
    #[arg(long, value_name = "RATE", value_parser = choice::number, help_heading = "Loss")]
    label_smoothing: Option<f64>,
    /// Which definition of label smoothing [default: t5x]
    #[arg(long, value_name = "NAME", value_parser = choice::one_of(&Smoothing::ALL, Smoothing::name), help_heading = "Loss")]
    smoothing: Option<Smoothing>,
    /// Root seed of the dropout masks [default: 0]
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Loss")]
    seed: Option<u64>,
    /// Threads [default: one per physical core]
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Loss")]
    threads: Option<usize>,
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    #[arg(help = format!("The safetensors file to write [default: {}]", Dump::OUT))]
    out: Option<PathBuf>,
    /// Overwrite the file if it exists
    #[arg(long, help_heading = "Output")]
    force: bool,
    /// Print one JSON object on stdout instead of a line of text
    #[arg(long, help_heading = "Output")]
    json: bool,
}

impl Arguments {
    /// Writes the file, and prints what is in it.
    pub fn run(self) -> Result<()> {
        let (dump, threads, json) = self.resolve()?;
        threads::set(threads)?;
        preset::fetch(&dump.model, false)?;
        preset::fetch_adapter(dump.adapter.as_deref(), &dump.model, false)?;
        let dumped = dump::run(&dump)?;
        if json {
            return term::print_json(&dumped);
        }
        let (examples, loss, gradients) = (dumped.examples, dumped.loss, dumped.gradients);
        let text =
            format!("{}  {examples} examples, mean loss {loss:.6}, {gradients} gradients\n", dumped.out.display());
        term::print(text.as_bytes())
    }

    /// What to dump, on how many threads, and whether to say so in JSON.
    fn resolve(self) -> Result<(Dump, usize, bool)> {
        let Given { model, adapter } = given(self.model, self.adapter, self.input.as_deref(), false)?;
        let input = self.input.or_else(|| is_mini(&model).then(|| MINI.into()));
        let dump = Dump {
            model,
            adapter,
            input: required(input, "--input", "the batch's file", "path/to/batch.jsonl")?,
            out: self.out.unwrap_or_else(|| Dump::OUT.into()),
            force: self.force,
            dropout: self.dropout.unwrap_or(0.0),
            label_smoothing: self.label_smoothing.unwrap_or(0.0),
            smoothing: self.smoothing.unwrap_or(Smoothing::T5x),
            seed: self.seed.unwrap_or(0),
        };
        // The same bounds as in fine-tuning, stated there once.
        let (dropout, label_smoothing) = (dump.dropout, dump.label_smoothing);
        Training { dropout, label_smoothing, ..Training::default() }.validate()?;
        Ok((dump, self.threads.unwrap_or_else(threads::default), self.json))
    }
}
