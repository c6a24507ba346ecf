//! What pretraining needs before its first step: tokenizer, configuration, held-out documents and prompts, all made from the
//! corpus.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::evaluate::{Asked, HeldOut};
use crate::data::{Corpus, Document};
use crate::error::{Error, Result};
use crate::model::T5Config;
use crate::report::files::MODEL_CONFIG;
use crate::report::run_info::DataInfo;
use crate::spec::{Evaluation, Pretrain};
use crate::tokenizer::Tokenizer;

/// Documents, of training and held out each, that a corpus is known again by.
const FINGERPRINT: u64 = 256;

/// Everything that does not depend on weights.
pub(super) struct Setup {
    pub tokenizer: Tokenizer,
    pub config: T5Config,
    pub held_out: HeldOut,
    pub asked: Vec<Asked>,
    /// SHA-256 of the corpus' pieces and first documents, in hexadecimal.
    pub fingerprint: String,
    /// Source tokens of the first batch, for the memory estimate.
    pub tokens: usize,
}

impl Setup {
    /// Makes and checks all of it.
    pub fn new(spec: &Pretrain, corpus: &dyn Corpus) -> Result<Self> {
        spec.validate()?;
        if corpus.name() != spec.corpus {
            return Err(Error::check(format!(
                "internal: the corpus `{}` for a run of `{}`",
                corpus.name(),
                spec.corpus
            )));
        }
        let tokenizer = Tokenizer::of_pieces(&corpus.pieces())?;
        let config = T5Config::parse(&spec.config_json(tokenizer.vocab_size()), Path::new(MODEL_CONFIG))?;
        let held_out = HeldOut::of(corpus, &tokenizer, spec.held_out)?;
        let evaluations = evaluations(spec, corpus);
        let asked: Vec<Asked> = evaluations
            .iter()
            .map(|evaluation| Asked::of(corpus, &tokenizer, evaluation, spec))
            .collect::<Result<_>>()?;
        let batch = spec.training.batch_size;
        let lengths = (0..batch as u64).map(|index| tokenizer.encode(&corpus.document(index).source));
        let tokens: usize = lengths.map(|ids| ids.map(|ids| ids.len())).sum::<Result<_>>()?;
        Ok(Self { tokenizer, config, held_out, asked, fingerprint: fingerprint(corpus), tokens })
    }

    /// For `run.json`: a corpus has no file, and is known by its name.
    pub fn info(&self, spec: &Pretrain) -> DataInfo {
        DataInfo {
            path: (&spec.corpus).into(),
            sha256: self.fingerprint.clone(),
            rows: spec.steps * spec.training.batch_size as u64,
            file_rows: None,
            sampled: false,
            files: Vec::new(),
            origin: None,
        }
    }

    /// What decides the numbers, in one line.
    pub fn signature(&self, spec: &Pretrain) -> String {
        let t = &spec.training;
        let short: String = self.fingerprint.chars().take(12).collect();
        let mut parts = vec![
            format!("fsa:{}", env!("CARGO_PKG_VERSION")),
            format!("corpus:{}:{short}", spec.corpus),
            format!("steps:{}", spec.steps),
            format!(
                "model:t5:layers{}+{}:d{}:kv{}:ff{}:heads{}:vocab{}:embedding{:.4}:slope{}{}:likeness{}",
                spec.num_layers,
                spec.num_decoder_layers,
                spec.d_model,
                spec.d_kv,
                spec.d_ff,
                spec.num_heads,
                self.config.shape.vocab_size,
                spec.embedding_deviation,
                spec.bias_slope,
                // A run without it keeps the signature that it had before there was a choice.
                if spec.self_avoidance > 0.0 { format!(":avoidance{}", spec.self_avoidance) } else { String::new() },
                spec.likeness
            ),
            format!("opt:{}", t.optimizer.name()),
            format!("lr:{}", t.lr),
            format!("warmup:{}", t.warmup_steps),
            format!("wd:{}", t.weight_decay),
            format!("batch:{}", t.batch_size),
            format!("dropout:{}", t.dropout),
            format!("smoothing:{}:{}", t.smoothing.name(), t.label_smoothing),
            format!("z-loss:{}", t.z_loss),
        ];
        parts.extend(t.further_choices());
        parts.push(format!("held-out:{}", spec.held_out));
        parts.push(format!("decoding:{}:n{}", spec.decoding().signature(), spec.limit));
        parts.push(format!("seed:{}", spec.seed));
        parts.push("dtype:f32".to_string());
        parts.push(format!("threads:{}", spec.threads));
        parts.join("|")
    }
}

/// The evaluations of the spec, or the corpus' own.
pub(super) fn evaluations(spec: &Pretrain, corpus: &dyn Corpus) -> Vec<Evaluation> {
    match spec.eval.is_empty() {
        true => corpus.evaluations().into_iter().map(|(task, shots)| Evaluation { task, shots }).collect(),
        false => spec.eval.clone(),
    }
}

fn fingerprint(corpus: &dyn Corpus) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    corpus.pieces().iter().for_each(|piece| add(piece));
    for index in 0..FINGERPRINT {
        for Document { source, target, family } in [corpus.document(index), corpus.held_out(index)] {
            [&source, &target, &family].into_iter().for_each(|text| add(text));
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
