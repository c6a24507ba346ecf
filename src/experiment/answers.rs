//! What a model says to prompts and how probable targets are to it, as every command that evaluates needs it. What the answers
//! amount to is the caller's business.

use crate::data::Tokenized;
use crate::data::trim::trim;
use crate::error::Result;
use crate::model::loss::LossOptions;
use crate::model::t5::Pass;
use crate::model::{Packed, T5, Whole};
use crate::spec::Decoding;
use crate::tokenizer::Tokenizer;

/// Examples that go through the model at once.
const BATCH: usize = 64;

/// One answer.
pub(super) struct Answered {
    /// As decoded, sentinels and all.
    pub raw: String,
    /// What is scored.
    pub output: String,
    /// Whether it ended by itself, before the length limit.
    pub ended: bool,
}

/// Answers to `sources`, decoded at once, each trimmed at `prefixes`.
pub(super) fn answers(
    model: &T5,
    tokenizer: &Tokenizer,
    sources: &[&[u32]],
    prefixes: &[&str],
    decoding: &Decoding,
) -> Result<Vec<Answered>> {
    let pad = model.config().pad();
    let outputs = model.generate(&Packed::new(sources), decoding)?;
    let answer = |output: crate::model::generate::Output| {
        let ids: Vec<u32> = output.ids.into_iter().filter(|&id| id != pad).collect();
        let raw = tokenizer.decode(&ids, false)?;
        Ok(Answered { output: trim(&raw, prefixes).to_string(), raw, ended: output.ended })
    };
    outputs.into_iter().map(answer).collect()
}

/// The loss of one example.
pub(super) struct Loss {
    /// Over its target's tokens.
    pub sum: f64,
    /// How many those are.
    pub tokens: usize,
}

/// The loss of each example, without dropout; `budget` source tokens go through the model at once.
pub(super) fn losses(model: &T5, examples: &[Tokenized], options: LossOptions, budget: usize) -> Result<Vec<Loss>> {
    let mut losses = Vec::with_capacity(examples.len());
    for examples in examples.chunks(BATCH) {
        let whole = Whole::training(
            examples.iter().map(|example| example.source.as_slice()).collect(),
            vec![0; examples.len()],
            examples.iter().map(|example| example.target.as_slice()).collect(),
        );
        let mut targets = examples.iter().map(|example| example.target.len());
        for batch in whole.cut(budget, model.config())? {
            let batches = [batch];
            // Nothing runs backward, so that nothing is computed again.
            let pass = Pass { dropout: None, loss: options, scale: 1.0, low_memory: true };
            let tape = model.forward(&batches, pass)?;
            let rows = tape.row_losses().concat();
            losses.extend(rows.into_iter().zip(&mut targets).map(|(sum, tokens)| Loss { sum, tokens }));
        }
    }
    Ok(losses)
}
