//! How long a run will take.

use super::tasks::Data;
use super::{asking::Asked, target};
use crate::error::Result;
use crate::experiment::asking::Examiner;
use crate::experiment::attachment::{behind, frozen};
use crate::experiment::checkpoints::{Base, Listing};
use crate::experiment::estimate::{LIMIT_S, Time, as_long_as, ask_s, losses_s, step_s};
use crate::experiment::fine_tune::Epochs;
use crate::model::T5;
use crate::spec::label_ratio::{Source, probe_steps};
use crate::spec::{Decoding, LabelRatio, Seeds, Training};

/// Measures training and probes of `spec`; `found` are the checkpoints, where fsa does not train itself.
pub(super) fn time(spec: &LabelRatio, data: &Data, found: Option<&Listing>) -> Result<Time> {
    let mut base = Base::new(&spec.model, data.attachment.as_ref());
    let model = match found.and_then(|found| found.checkpoints.last()) {
        // The last one answers as most of them do.
        Some(last) => last.load(&mut base).or_else(|_| base.load())?,
        None => base.load()?,
    };
    let Source::Train { steps, probe_every, training } = &spec.source else {
        let probes = found.map_or(0, |found| found.checkpoints.len()) as u64;
        let each = probe(spec, data, &model, &spec.decoding, Training::default().micro_batch_tokens)?;
        return Ok(Time::of([("probes".to_string(), probes, each)]));
    };
    let train = data.train.as_ref().map_or(&[][..], |(_, tokens)| tokens);
    // Fine-tuned on short answers, a model gives short answers to everything: that is what is measured here.
    let short = as_long_as(&spec.decoding, train.iter().map(|example| example.target.len()));
    let first = probe(spec, data, &model, &spec.decoding, training.micro_batch_tokens)?;
    let others = probe(spec, data, &model, &short, training.micro_batch_tokens)?;
    let behind_prompt = behind(&model.prompt_ids(), train);
    let step = step_s(&model, &frozen(training, data.attachment.as_ref()), 1, LIMIT_S, |training| {
        Ok(Box::new(Epochs::new(&behind_prompt, training, Seeds::new(spec.seed))?))
    })?;
    let probes = probe_steps(*steps, *probe_every).len() as u64;
    Ok(Time::of([
        ("training steps".to_string(), *steps, step),
        ("probes before training".to_string(), 1, first),
        ("probes after".to_string(), probes.saturating_sub(1), others),
    ]))
}

/// Seconds of one probe.
fn probe(spec: &LabelRatio, data: &Data, model: &T5, decoding: &Decoding, tokens: usize) -> Result<f64> {
    let all: Vec<&Asked> = data.evaluations.iter().chain([&data.target]).collect();
    let limit_s = LIMIT_S / all.len() as f64;
    let prefix = model.prompt_ids();
    let examiner = Examiner { decoding, ..target::examiner(data, spec, &prefix) };
    let mut sum = losses_s(model, &behind(&prefix, &data.target_tokens), tokens, limit_s)?;
    for asked in all {
        sum += ask_s(&examiner, model, asked, limit_s)?;
    }
    Ok(sum)
}
