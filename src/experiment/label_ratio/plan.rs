//! What a run would do, need and take.

use serde::Serialize;

use super::signature::signature;
use super::tasks::Data;
use super::time;
use crate::error::Result;
use crate::experiment::asking::most_asked;
use crate::experiment::attachment::Attachment;
use crate::experiment::checkpoints;
use crate::experiment::estimate::{self, Time};
use crate::model;
use crate::model::memory::{self, AtOnce};
use crate::report::run_info::ModelInfo;
use crate::spec::label_ratio::{Source, probe_steps};
use crate::spec::{LabelRatio, Training};

/// What `--dry-run` prints.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// Probe steps.
    pub steps: Vec<u64>,
    /// Evaluations, `task:shots` each.
    pub evaluations: Vec<String>,
    /// Examples that each probe asks, over all evaluations.
    pub examples: u64,
    /// Numbers in the model.
    pub params: u64,
    /// Estimated peak memory in MiB.
    pub memory_mib: u64,
    /// How long it will take, measured just now; none where the run does not fit into memory.
    pub time: Option<Time>,
    /// What decides the numbers, in one line.
    pub signature: String,
    /// Warnings that the run would give.
    pub warnings: Vec<String>,
}

/// Says what [`super::run`] would do, without writing anything: how long it will take comes from doing some of it.
///
/// # Errors
/// As [`super::run`], for everything that can be seen before the first step.
pub fn plan(spec: &LabelRatio) -> Result<Plan> {
    let data = Data::load(spec)?;
    let inspected = model::inspect(&spec.model)?;
    let params = inspected.params;
    let mut found = None;
    let (steps, training, mut warnings) = match &spec.source {
        Source::Train { steps, probe_every, training } => {
            let attached = data.attachment.iter().flat_map(Attachment::names).collect::<Vec<_>>();
            training.check_trainable(inspected.names.iter().chain(&attached).map(String::as_str))?;
            (probe_steps(*steps, *probe_every), training.clone(), Vec::new())
        }
        Source::Checkpoints { dir, .. } => {
            let found = found.insert(checkpoints::list(dir, &spec.model)?);
            (found.steps(), Training::default(), found.warnings.clone())
        }
    };
    let all = || data.evaluations.iter().chain([&data.target]);
    let prompt = data.prompt_rows()?;
    let (outputs, outputs_source_tokens) = most_asked(all(), prompt);
    let model = ModelInfo { path: spec.model.clone(), files: Vec::new(), params, note: None, commit: None };
    warnings.extend(data.warnings.iter().cloned());
    warnings.extend(inspected.warnings);
    let batch = training.batch_size;
    let train = data.train.iter().flat_map(|(_, tokens)| tokens).map(|example| prompt + example.source.len());
    let source_tokens = estimate::mean_tokens(train.collect::<Vec<_>>().into_iter(), batch);
    let at_once = AtOnce { source_tokens, examples: batch, losses: 1, outputs, outputs_source_tokens };
    let memory_mib = memory::estimate_mib(&data.config, params, at_once, &training);
    let time = estimate::if_it_fits(memory_mib, &mut warnings, || time::time(spec, &data, found.as_ref()))?;
    Ok(Plan {
        steps,
        evaluations: spec.eval.iter().map(ToString::to_string).collect(),
        examples: all().map(|asked| asked.questions.len() as u64).sum(),
        params,
        memory_mib,
        time,
        signature: signature(spec, &data, &model, &[])?,
        warnings,
    })
}
