//! One probe: gradients of all losses on the fixed probe batches, reduced to rows.

use std::collections::BTreeMap;

use super::setup::Data;
use crate::error::{Error, Result};
use crate::grad::{Dots, Losses, layout};
use crate::measure::{Alignment, Bootstrap, Gram, alignment};
use crate::model::dropout::Dropout;
use crate::model::loss::LossOptions;
use crate::model::t5::Pass;
use crate::model::{T5, Whole, prompt};
use crate::report::{GradientAlignRow, Scope};
use crate::spec::{Estimator, GradientAlign, Seeds};

/// A scope's name, group, Grams (one per probe batch) and number of parameters.
struct Part {
    scope: Scope,
    name: String,
    group: Option<String>,
    grams: Vec<Gram>,
    params: u64,
}

/// Measures the gradients of probe batch `number` at `step`: a Gram per parameter.
///
/// # Errors
/// If a loss or a dot product is not a finite number.
pub(super) fn measure(
    model: &T5,
    data: &Data,
    spec: &GradientAlign,
    number: usize,
    step: u64,
) -> Result<BTreeMap<String, Gram>> {
    measure_whole(model, &data.probe(number)?, spec, step)
}

/// As [`measure`], of a batch or a part of one.
pub(super) fn measure_whole(
    model: &T5,
    whole: &Whole,
    spec: &GradientAlign,
    step: u64,
) -> Result<BTreeMap<String, Gram>> {
    let key = Seeds::new(spec.seed).key("probe.dropout", &[step]);
    let training = spec.last_stage()?.training;
    let dropout = spec.probe_dropout.then_some(Dropout { rate: training.dropout, key });
    let low_memory = training.low_memory;
    let pass = Pass { dropout, loss: LossOptions::from(&training), scale: 1.0, low_memory };
    grams(model, whole, pass, training.micro_batch_tokens, step)
}

/// The dot products of the gradients of all losses of `whole`, cut into micro-batches of `tokens`: a Gram per parameter.
pub(super) fn grams(model: &T5, whole: &Whole, pass: Pass, tokens: usize, step: u64) -> Result<BTreeMap<String, Gram>> {
    let batches = whole.cut(tokens, model.config())?;
    let tape = model.forward(&batches, pass)?;
    if let Some(loss) = tape.losses().iter().find(|loss| !loss.is_finite()) {
        return Err(Error::check(format!("a probe loss at step {step} is {loss}")).next(remedy(step)));
    }
    let mut sink = Dots::new(whole.weights.len());
    model.backward(tape, &mut sink)?;
    let grams = sink.into_grams();
    if let Some((name, _)) = grams.iter().find(|(_, gram)| !gram.is_finite()) {
        return Err(Error::check(format!("its gradient at step {step} is not finite"))
            .parameter(name)
            .next(remedy(step)));
    }
    Ok(grams)
}

/// What to do about a number at `step` that is not finite: before the first step, no learning rate can be at fault.
fn remedy(step: u64) -> &'static str {
    match step {
        0 => "look at the weights and the data",
        _ => "lower --lr, or look at the data; the rows so far are complete",
    }
}

/// The rows of a probe from its batches' Grams.
pub(super) fn rows(
    model: &T5,
    data: &Data,
    spec: &GradientAlign,
    step: u64,
    batches: &[BTreeMap<String, Gram>],
) -> Result<Vec<GradientAlignRow>> {
    let parts = parts(model, data.losses.count(), batches)?;
    let examples = data.probes.first().map_or(0, Vec::len);
    let mut rows = Vec::new();
    for (estimator, losses) in data.losses.columns() {
        let bootstrap = Bootstrap::new(Seeds::new(spec.seed), batches.len(), losses.len());
        for part in &parts {
            let Alignment { cosine, interval, yardstick, norm_full, norm_format } =
                alignment::align(&part.grams, Losses::FULL, losses, examples, &bootstrap);
            rows.push(GradientAlignRow {
                target: data.task.name().to_string(),
                method: match spec.checkpoints {
                    Some(_) => "checkpoints".to_string(),
                    None => data.method.name(),
                },
                // invariant: a method without a stage is not probed
                stage: data.stage().map_or(1, |(_, number)| number),
                seed: spec.seed,
                step,
                estimator: estimator.name().to_string(),
                scope: part.scope,
                name: part.name.clone(),
                group: part.group.clone(),
                cosine,
                cosine_lo: interval.map(|(lo, _)| lo),
                cosine_hi: interval.map(|(_, hi)| hi),
                yardstick,
                norm_full,
                norm_format,
                params: part.params,
                examples: (examples * batches.len()) as u64,
                shuffles: if *estimator == Estimator::Expected { 0 } else { losses.len() as u64 },
            });
        }
    }
    Ok(rows)
}

/// Sums the parameters' Grams to groups, layers and the model, in model order.
fn parts(model: &T5, losses: usize, batches: &[BTreeMap<String, Gram>]) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut index: BTreeMap<(Scope, String), usize> = BTreeMap::new();
    let mut add = |scope: Scope, name: String, group: Option<String>, grams: &[Gram], count: usize| {
        let place = *index.entry((scope, name.clone())).or_insert_with(|| {
            let grams = vec![Gram::zero(losses); batches.len()];
            parts.push(Part { scope, name, group, grams, params: 0 });
            parts.len() - 1
        });
        parts[place].params += count as u64;
        parts[place].grams.iter_mut().zip(grams).for_each(|(sum, gram)| sum.add(gram));
    };
    for param in model.params().iter().filter(|param| !prompt::is_attached(param.name())) {
        let name = param.name();
        let missing = || Error::check("a probe made no dot products for it").parameter(name);
        let grams: Vec<Gram> =
            batches.iter().map(|batch| batch.get(name).cloned().ok_or_else(missing)).collect::<Result<_>>()?;
        let place =
            layout::place(name).ok_or_else(|| Error::check("internal: it belongs to no layer").parameter(name))?;
        let count = param.count();
        add(Scope::Parameter, name.to_string(), place.group.clone(), &grams, count);
        if let Some(group) = &place.group {
            add(Scope::Group, format!("{}/{group}", place.layer), Some(group.clone()), &grams, count);
        }
        if !place.is_embedding_or_head() {
            add(Scope::Model, "model_without_embeddings".to_string(), None, &grams, count);
        }
        add(Scope::Layer, place.layer, None, &grams, count);
        add(Scope::Model, "model".to_string(), None, &grams, count);
    }
    parts.sort_by_key(|part| part.scope);
    Ok(parts)
}
