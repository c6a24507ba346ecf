//! The target task's own score and loss.

use super::tasks::Data;
use crate::error::Result;
use crate::experiment::answers;
use crate::experiment::asking::{Examiner, Place};
use crate::experiment::attachment::behind;
use crate::model::T5;
use crate::model::loss::LossOptions;
use crate::report::{LabelRatioRow, TargetRow};
use crate::spec::LabelRatio;
use crate::spec::label_ratio::Source;

/// Who asks the questions of `data`, behind the ids `prefix` of a soft prompt.
pub(super) fn examiner<'a>(data: &'a Data, spec: &'a LabelRatio, prefix: &'a [u32]) -> Examiner<'a> {
    Examiner { tokenizer: &data.tokenizer, labels: &data.labels, decoding: &spec.decoding, seed: spec.seed, prefix }
}

/// The target task's own score and loss.
pub(super) fn target(
    model: &T5,
    data: &Data,
    spec: &LabelRatio,
    place: &Place,
    tick: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<(TargetRow, Vec<LabelRatioRow>)> {
    let (rows, _) = examiner(data, spec, &model.prompt_ids()).ask(model, &data.target, place, tick)?;
    let loss = mean_loss(model, data, spec)?;
    // invariant: a task has a metric, or it would have been refused
    let first = rows.first().cloned();
    let row = TargetRow {
        target: place.target.clone(),
        method: place.method.clone(),
        seed: place.seed,
        step: place.step,
        n: data.target.questions.len() as u64,
        score: first.as_ref().map_or(0.0, |row| row.score),
        score_lo: first.as_ref().and_then(|row| row.score_lo),
        score_hi: first.as_ref().and_then(|row| row.score_hi),
        metric: first.map_or_else(String::new, |row| row.metric),
        loss,
    };
    Ok((row, rows))
}

/// Mean loss per target token on the target's examples, with the training loss's options and without dropout.
fn mean_loss(model: &T5, data: &Data, spec: &LabelRatio) -> Result<f64> {
    let (options, budget) = match &spec.source {
        Source::Train { training, .. } => (LossOptions::from(training), training.micro_batch_tokens),
        Source::Checkpoints { .. } => (LossOptions::PLAIN, crate::spec::Training::default().micro_batch_tokens),
    };
    let losses = answers::losses(model, &behind(&model.prompt_ids(), &data.target_tokens), options, budget)?;
    let tokens: usize = losses.iter().map(|loss| loss.tokens).sum();
    Ok(losses.iter().map(|loss| loss.sum).sum::<f64>() / tokens.max(1) as f64)
}
