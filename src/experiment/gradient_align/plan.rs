//! What a run of several methods would do, and how long it would take.

use super::methods::Prepared;
use super::{Plan, one};
use crate::error::{Error, Result};
use crate::experiment::compare::{PlannedMethod, PlannedStage};
use crate::experiment::estimate::{LIMIT_S, Time, TimedPart};
use crate::spec::GradientAlign;
use crate::spec::align_methods::trained;
use crate::spec::compare::StageTraining;
use crate::spec::method::{Method, Stage};

/// As [`super::plan`], of every method.
pub fn plan(spec: &GradientAlign) -> Result<Plan> {
    spec.validate()?;
    let prepared = Prepared::load(spec)?;
    let limit_s = LIMIT_S / spec.method.len() as f64;
    let mut plans = Vec::new();
    for method in &spec.method {
        plans.push(one::plan_within(&spec.run_of(method, None), limit_s)?);
    }
    let model = StageTraining { steps: spec.steps, probe_every: spec.probe_every, training: spec.training.clone() };
    let planned = |method: &Method| {
        let stage = |(stage, _): (&'static Stage, bool)| {
            let training = match &spec.stages {
                Some(stages) => stages.training(stage, &model),
                None => model.clone(),
            };
            let examples = training.steps.saturating_mul(training.training.batch_size as u64);
            PlannedStage { stage: stage.name, steps: training.steps, examples }
        };
        PlannedMethod { method: method.name(), stages: trained(method, false).map(stage).collect() }
    };
    let methods: Vec<PlannedMethod> = spec.method.iter().map(planned).collect();
    let earlier = match &prepared.earlier {
        Some(earlier) if plans.iter().all(|plan| plan.time.is_some()) => Some(earlier.time()?),
        _ => None,
    };
    let mut warnings = prepared.warnings;
    warnings.extend(plans.iter().flat_map(|plan| plan.warnings.iter().cloned()));
    let steps = methods.iter().flat_map(|method| &method.stages).map(|stage| stage.steps).sum();
    // invariant: a run of several methods has one at least
    let first = plans.first().ok_or_else(|| Error::check("internal: a run without a method"))?;
    Ok(Plan {
        methods,
        steps,
        probe_steps: first.probe_steps.clone(),
        train_examples: first.train_examples,
        params: first.params,
        losses: first.losses,
        memory_mib: plans.iter().map(|plan| plan.memory_mib).max().unwrap_or(0),
        time: together(&spec.method, &plans, earlier),
        signature: prepared.signature,
        warnings: warnings.into_iter().collect(),
    })
}

/// The time of all; none where some does not fit into memory.
fn together(methods: &[Method], plans: &[Plan], earlier: Option<Time>) -> Option<Time> {
    let mut parts = earlier.map_or_else(Vec::new, |time| time.parts);
    for (method, plan) in methods.iter().zip(plans) {
        let of = |part: &TimedPart| TimedPart { what: format!("{}, {}", method.name(), part.what), ..part.clone() };
        parts.extend(plan.time.as_ref()?.parts.iter().map(of));
    }
    Some(Time { total_s: parts.iter().map(|part| part.total_s).sum(), parts })
}
