//! How long a run will take.

use std::time::Instant;

use super::evaluate::Asked;
use super::initial;
use super::setup::Setup;
use super::stream::Stream;
use crate::data::Corpus;
use crate::error::Result;
use crate::experiment::estimate::{LIMIT_S, Time, as_long_as, losses_s, seconds_of, step_s};
use crate::model::T5;
use crate::spec::{Decoding, Pretrain, Seeds};

/// Measures training and probes of `spec`.
pub(super) fn time(spec: &Pretrain, corpus: &dyn Corpus, setup: &Setup) -> Result<Time> {
    let model = T5::random_with(setup.config.clone(), initial(spec), Seeds::new(spec.seed))?;
    let first = probe(spec, setup, &model, |_| Ok(spec.decoding()))?;
    // A model that has learnt something ends its answers, at about the length of the right ones.
    let others = probe(spec, setup, &model, |asked| {
        let lengths = asked.answer_lengths(&setup.tokenizer)?;
        // Each stands between two sentinels.
        Ok(as_long_as(&spec.decoding(), lengths.into_iter().map(|length| length + 2)))
    })?;
    let step = step_s(&model, &spec.training, 1, LIMIT_S, |training| {
        Ok(Box::new(Stream::new(corpus, &setup.tokenizer, training)))
    })?;
    let probes = spec.probe_steps().len() as u64;
    Ok(Time::of([
        ("training steps".to_string(), spec.steps, step),
        ("probes before training".to_string(), 1, first),
        ("probes after".to_string(), probes.saturating_sub(1), others),
    ]))
}

/// Seconds of one probe.
fn probe(spec: &Pretrain, setup: &Setup, model: &T5, decoding: impl Fn(&Asked) -> Result<Decoding>) -> Result<f64> {
    let limit_s = LIMIT_S / (1 + setup.asked.len()) as f64;
    let mut sum = losses_s(model, setup.held_out.tokens(), spec.training.micro_batch_tokens, limit_s)?;
    for asked in &setup.asked {
        let (whole, decoding) = (asked.batch(), decoding(asked)?);
        let once = seconds_of(whole, 1, limit_s, |size| {
            let begun = Instant::now();
            asked.answer_some(model, &setup.tokenizer, &decoding, size)?;
            Ok(begun.elapsed().as_secs_f64())
        })?;
        sum += once * asked.len() as f64 / whole.max(1) as f64;
    }
    Ok(sum)
}
