//! Batches of a corpus: step s takes the documents s·B to (s+1)·B. Several steps' documents are made and tokenised at once, on
//! all threads, so that none of them waits for a single one that writes sentences.

use std::collections::VecDeque;

use rayon::prelude::*;

use crate::data::{Corpus, Document, Tokenized};
use crate::error::{Error, Result};
use crate::experiment::fine_tune::Batches;
use crate::model::{Batch, T5Config, Whole};
use crate::spec::Training;
use crate::tokenizer::Tokenizer;

/// Steps whose documents are made at once.
const AHEAD: u64 = 8;

/// The documents of a corpus, in order.
pub(super) struct Stream<'a> {
    corpus: &'a dyn Corpus,
    tokenizer: &'a Tokenizer,
    batch_size: u64,
    micro_batch_tokens: usize,
    /// The documents of the steps from `next` on, as far as they are made.
    ready: VecDeque<Vec<Tokenized>>,
    next: u64,
}

impl<'a> Stream<'a> {
    /// From the first document on.
    pub fn new(corpus: &'a dyn Corpus, tokenizer: &'a Tokenizer, training: &Training) -> Self {
        Self {
            corpus,
            tokenizer,
            batch_size: training.batch_size as u64,
            micro_batch_tokens: training.micro_batch_tokens,
            ready: VecDeque::new(),
            next: 0,
        }
    }

    /// Makes the documents of the steps that follow.
    fn fill(&mut self) -> Result<()> {
        let first = self.next * self.batch_size;
        let made = (first..first + AHEAD * self.batch_size).into_par_iter();
        let made: Vec<Tokenized> =
            made.map(|index| tokenize(self.tokenizer, &self.corpus.document(index), index)).collect::<Result<_>>()?;
        let mut made = made.into_iter();
        let batch = self.batch_size as usize;
        self.ready.extend((0..AHEAD).map(|_| made.by_ref().take(batch).collect()));
        Ok(())
    }
}

impl Batches for Stream<'_> {
    fn batch(&mut self, step: u64, config: &T5Config) -> Result<Vec<Batch>> {
        if self.next != step {
            self.ready.clear();
            self.next = step;
        }
        if self.ready.is_empty() {
            self.fill()?;
        }
        let documents = self.ready.pop_front().unwrap_or_default();
        self.next += 1;
        let first = step * self.batch_size;
        let whole = Whole::training(
            documents.iter().map(|document| document.source.as_slice()).collect(),
            (first..first + self.batch_size).collect(),
            documents.iter().map(|document| document.target.as_slice()).collect(),
        );
        whole.cut(self.micro_batch_tokens, config)
    }
}

/// Document number `index` as ids.
pub(super) fn tokenize(tokenizer: &Tokenizer, document: &Document, index: u64) -> Result<Tokenized> {
    let side = |what: &str, text: &str| match tokenizer.encode(text) {
        Ok(ids) if ids.len() < 2 => Err(Error::check(format!(
            "internal: the {what} of document {index}, of the family `{}`, has no tokens",
            document.family
        ))),
        ids => ids,
    };
    Ok(Tokenized { source: side("source", &document.source)?, target: side("target", &document.target)? })
}
