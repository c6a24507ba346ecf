//! What a comparison would do.

use std::collections::BTreeSet;

use serde::Serialize;

use super::data::{Base, Target};
use super::folders::{self, apart, groups};
use super::outcome::signature;
use super::{load_targets, methods, time};
use crate::data::Task;
use crate::error::Result;
use crate::experiment::asking::most_asked;
use crate::experiment::estimate::{self, Time};
use crate::model;
use crate::model::given::other_bases;
use crate::model::memory::{self, AtOnce};
use crate::report::run_info::ModelInfo;
use crate::spec::Compare;
use crate::spec::compare::StageTraining;
use crate::spec::method::{Attached, Stage};

/// What `--dry-run` prints.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// Methods with their budgets, in order; those of one target and one seed.
    pub methods: Vec<PlannedMethod>,
    /// Runs of those methods: targets times seeds, and one a seed for methods that mix targets.
    pub runs: u64,
    /// Stages to be trained in all, those that methods share counted once.
    pub stages: u64,
    /// Optimizer steps of those stages.
    pub steps: u64,
    /// Prompts that are asked at the end, over everything.
    pub prompts: u64,
    /// Numbers in the model.
    pub params: u64,
    /// Estimated peak memory in MiB.
    pub memory_mib: u64,
    /// How long it will take in one process, measured just now; none where the run does not fit into memory.
    pub time: Option<Time>,
    /// What decides the numbers, in one line.
    pub signature: String,
    /// Warnings that the run would give.
    pub warnings: Vec<String>,
}

/// A method and what it is given.
#[derive(Debug, Serialize)]
pub struct PlannedMethod {
    /// Its name.
    pub method: String,
    /// Its stages, in order.
    pub stages: Vec<PlannedStage>,
}

/// A stage and what it is given.
#[derive(Debug, Serialize)]
pub struct PlannedStage {
    /// Its name.
    pub stage: &'static str,
    /// Optimizer steps.
    pub steps: u64,
    /// Training examples that they see.
    pub examples: u64,
}

/// Says what [`super::run`] would do, without writing anything: how long it will take comes from doing some of it.
///
/// # Errors
/// As [`super::run`], for everything that can be seen before the first step.
pub fn plan(spec: &Compare) -> Result<Plan> {
    spec.validate()?;
    let base = Base::load(spec)?;
    let mut warnings = other_bases(spec.adapter.as_deref(), &spec.model);
    let all = load_targets(spec, &base, &mut warnings)?;
    let inspected = model::inspect(&spec.model)?;
    warnings.extend(inspected.warnings);
    let (mut planned, mut prompts) = (Vec::new(), 0);
    for method in methods(spec)? {
        let of_stage = |stage: &Stage| {
            let StageTraining { steps, training, .. } = spec.stage(stage);
            PlannedStage { stage: stage.name, steps, examples: steps.saturating_mul(training.batch_size as u64) }
        };
        planned.push(PlannedMethod { method: method.name(), stages: method.stages().iter().map(of_stage).collect() });
        for targets in &all {
            let asked = |asked: &crate::experiment::asking::Asked| asked.questions.len() as u64;
            let own = |target: &Target| asked(target.report.as_ref().unwrap_or(&target.choose));
            let all = |target: &Target| own(target) + target.evaluations.iter().map(asked).sum::<u64>();
            prompts += targets.iter().map(all).sum::<u64>();
        }
    }
    let model =
        ModelInfo { path: spec.model.clone(), files: Vec::new(), params: inspected.params, note: None, commit: None };
    let budget = budget(spec)?;
    let memory_mib = memory_mib(spec, &base, &all, inspected.params);
    let time = estimate::if_it_fits(memory_mib, &mut warnings, || time::time(spec, &base, &all))?;
    Ok(Plan {
        methods: planned,
        runs: budget.runs,
        stages: budget.stages,
        steps: budget.steps,
        prompts,
        params: inspected.params,
        memory_mib,
        time,
        signature: signature(spec, &all, &model)?,
        warnings,
    })
}

/// Estimated peak memory, in MiB, of a process that does the work of `spec` with a model of `params` numbers.
pub(super) fn memory_mib(spec: &Compare, base: &Base, all: &[Vec<Target>], params: u64) -> u64 {
    let training = &spec.model_stage.training;
    let shots = spec.methods.iter().map(|method| method.shots).max().unwrap_or(0);
    let prompts = spec.methods.iter().filter(|method| method.attached() == Attached::Prompt);
    let prompt = prompts.map(|_| spec.prompt.length).max().unwrap_or(0);
    let targets = || all.iter().flatten();
    let sources = |target: &Target| {
        let lengths = target.train_tokens.iter().map(|example| prompt + (1 + shots) * example.source.len());
        estimate::mean_tokens(lengths, training.batch_size)
    };
    let (outputs, outputs_source_tokens) = most_asked(targets().flat_map(|target| &target.evaluations), prompt);
    let at_once = AtOnce {
        source_tokens: targets().map(sources).max().unwrap_or(0),
        examples: training.batch_size,
        losses: 1,
        outputs,
        outputs_source_tokens,
    };
    memory::estimate_mib(&base.config, params, at_once, training)
}

/// What is trained in all, those stages that methods share counted once.
pub(in crate::experiment) struct Trained {
    /// Runs of methods: targets times seeds, and one a seed for methods that mix targets.
    pub runs: u64,
    /// Stages.
    pub stages: u64,
    /// Optimizer steps.
    pub steps: u64,
}

/// Counts it by the spec alone.
pub(in crate::experiment) fn budget(spec: &Compare) -> Result<Trained> {
    let tasks = spec.target.iter().map(|name| Task::resolve(name)).collect::<Result<Vec<_>>>()?;
    let names: Vec<&str> = tasks.iter().map(Task::name).collect();
    let mut seen = BTreeSet::new();
    let mut trained = Trained { runs: 0, stages: 0, steps: 0 };
    for method in methods(spec)? {
        for seed in spec.root_seeds() {
            for group in groups(&method, &names) {
                trained.runs += 1;
                for (number, stage) in method.stages().iter().enumerate() {
                    for group in apart(stage, &group) {
                        if seen.insert(folders::stage(&spec.out, &group, seed, &method, number)) {
                            trained.stages += 1;
                            trained.steps += spec.stage(stage).steps;
                        }
                    }
                }
            }
        }
    }
    Ok(trained)
}
