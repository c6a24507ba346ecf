//! The plan of a run: all sub-runs with their specs, and which of them the chosen items need.

use serde::Serialize;

use super::item::Item;
use super::items::ITEMS;
use super::results::is_done;
use crate::error::{Error, Result};
use crate::experiment::compare::budget;
use crate::spec::label_ratio::Source;
use crate::spec::nearest::nearest;
use crate::spec::paper::{SubRun, SubSpec};
use crate::spec::{Method, Paper};

/// What is to be made.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The spec of all.
    pub spec: Paper,
    /// Every run, in order; the specs may be made smaller before they are run.
    pub runs: Vec<SubRun>,
    /// Items to be made; the page has all that there is.
    pub only: Vec<&'static str>,
}

impl Plan {
    /// All runs of `spec`, for the items of these names; for all without.
    ///
    /// # Errors
    /// If there is no item of a name; the error names the nearest.
    pub fn new(spec: Paper, only: &[String]) -> Result<Self> {
        spec.validate()?;
        let mut chosen = Vec::new();
        for name in only {
            let wanted = name.trim();
            let item = ITEMS.iter().find(|item| item.name == wanted).ok_or_else(|| {
                let all: Vec<&str> = ITEMS.iter().map(|item| item.name).collect();
                let near = nearest(wanted, all.iter().copied());
                let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
                Error::input(format!("the paper has no `{wanted}`"))
                    .flag("--only")
                    .next(format!("{near}There are {}", all.join(", ")))
            })?;
            chosen.push(item.name);
        }
        if chosen.is_empty() {
            chosen = ITEMS.iter().map(|item| item.name).collect();
        }
        Ok(Self { runs: spec.sub_runs()?, spec, only: chosen })
    }

    /// The runs that the chosen items need.
    pub fn chosen(&self) -> impl Iterator<Item = &SubRun> {
        let needed = |run: &&SubRun| self.items().any(|item| item.needs.contains(&run.family));
        self.runs.iter().filter(needed)
    }

    /// The chosen items.
    fn items(&self) -> impl Iterator<Item = &'static Item> {
        ITEMS.iter().filter(|item| self.only.contains(&item.name))
    }
}

/// What `--dry-run` prints.
#[derive(Debug, Serialize)]
pub struct Planned {
    /// The runs, in order.
    pub runs: Vec<PlannedRun>,
    /// The chosen items.
    pub items: Vec<PlannedItem>,
    /// Optimizer steps of all runs that are not done.
    pub steps: u64,
}

/// A run and what it is given.
#[derive(Debug, Serialize)]
pub struct PlannedRun {
    /// Its folder in that of all.
    pub name: String,
    /// The command that would make it alone.
    pub command: &'static str,
    /// What it is on.
    pub what: String,
    /// Optimizer steps, over all seeds.
    pub steps: u64,
    /// Whether it is done.
    pub done: bool,
}

/// An item and the runs that it needs.
#[derive(Debug, Serialize)]
pub struct PlannedItem {
    /// Its name.
    pub item: &'static str,
    /// Names of the runs.
    pub runs: Vec<String>,
}

/// Says what [`run`](super::run) would do, without writing anything.
///
/// # Errors
/// If there is something else in the folder than a run of this kind.
pub fn planned(plan: &Plan) -> Result<Planned> {
    let run = |run: &SubRun| -> Result<PlannedRun> {
        let (command, what, steps) = match &run.spec {
            SubSpec::Pretrain(spec) => {
                ("pretrain", format!("{}, d_model {}, seed {}", spec.corpus, spec.d_model, spec.seed), spec.steps)
            }
            SubSpec::LabelRatio(spec) => {
                let steps = match &spec.source {
                    Source::Train { steps, .. } => *steps,
                    Source::Checkpoints { .. } => 0,
                };
                ("label-ratio", format!("{}, seed {}", spec.task, spec.seed), steps)
            }
            SubSpec::GradientAlign(spec) => {
                ("gradient-align", format!("{}, seed {}", spec.task, spec.seed), spec.steps)
            }
            SubSpec::Compare(spec) => {
                let methods: Vec<String> = spec.methods.iter().map(Method::name).collect();
                let seeds = if spec.seeds == 1 { "seed" } else { "seeds" };
                let what = format!("{}, {} {seeds}: {}", spec.target.join(" and "), spec.seeds, methods.join(", "));
                ("compare", what, budget(spec)?.steps)
            }
        };
        Ok(PlannedRun { name: run.name.clone(), command, what, steps, done: is_done(run)? })
    };
    let runs: Vec<PlannedRun> = plan.chosen().map(run).collect::<Result<_>>()?;
    let item = |item: &Item| {
        let of = plan.runs.iter().filter(|run| item.needs.contains(&run.family));
        PlannedItem { item: item.name, runs: of.map(|run| run.name.clone()).collect() }
    };
    let steps = runs.iter().filter(|run| !run.done).map(|run| run.steps).sum();
    Ok(Planned { runs, items: plan.items().map(item).collect(), steps })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::item::Show;
    use super::super::quantity::Quantity;
    use super::*;

    fn spec() -> Paper {
        Paper { out: "out".into(), seed: 0, seeds: 2, threads: 1 }
    }

    #[test]
    fn every_figure_and_table_is_in_the_plan_and_its_runs_are_too() {
        let names: Vec<&str> = ITEMS.iter().map(|item| item.name).collect();
        for name in [
            "figure1",
            "figure2",
            "figure3",
            "figure5",
            "figure6",
            "figure7",
            "table1",
            "table2",
            "table3",
            "table5",
            "table5.2",
            "table5.2-rte",
            "table5.3",
            "table6",
            "table7",
            "table8",
            "table9",
            "table10",
            "table11",
            "a.3.8",
        ] {
            assert!(names.contains(&name), "{name}");
        }
        let plan = Plan::new(spec(), &[]).unwrap();
        let families: BTreeSet<&str> = plan.runs.iter().map(|run| run.family).collect();
        let needed: BTreeSet<&str> = ITEMS.iter().flat_map(|item| item.needs).copied().collect();
        assert_eq!(families, needed);
        assert_eq!(plan.chosen().count(), plan.runs.len());
        assert_eq!(planned(&plan).unwrap().runs.len(), plan.runs.len());
    }

    /// Whether one of the comparisons that `item` needs trains `method` on `target` with such shots.
    fn trains(plan: &Plan, item: &Item, target: &str, method: &str, shots: Option<u64>) -> bool {
        let method = method.split("-lora-r").next().unwrap();
        plan.runs.iter().filter(|run| item.needs.contains(&run.family)).any(|run| {
            let SubSpec::Compare(spec) = &run.spec else { return false };
            let has = |of: &Method| of.name() == method || method == "promot" && of.name() == "promot-lora";
            let asked = |shots| shots == 0 || spec.eval.iter().any(|of| of.shots as u64 == shots);
            spec.target.join("+") == target
                && (method == "pretrained" || spec.methods.iter().any(has))
                && shots.is_none_or(asked)
        })
    }

    #[test]
    fn what_items_show_and_claim_is_measured_by_their_runs() {
        let plan = Plan::new(spec(), &[]).unwrap();
        for item in &ITEMS {
            if let Show::Scores(scores) = &item.show {
                let shots = || scores.shots.iter().copied().map(Some).chain([None]);
                for target in scores.targets {
                    for (method, shots) in scores.methods.iter().flat_map(|method| shots().map(move |of| (method, of)))
                    {
                        assert!(trains(&plan, item, target, method, shots), "{}: {method} on {target}", item.name);
                    }
                }
            }
            for claim in item.claims {
                match claim.quantity {
                    Quantity::Gain { target, shots, method, over, .. } => {
                        for method in [method, over] {
                            assert!(trains(&plan, item, target, method, shots), "{}: {method} on {target}", item.name);
                        }
                    }
                    Quantity::Labels { target, method, .. } => assert!(trains(&plan, item, target, method, Some(1))),
                    Quantity::TradeOff { target, .. } => {
                        let of = plan.runs.iter().find(|run| run.name == target).unwrap();
                        assert!(matches!(&of.spec, SubSpec::Compare(spec) if spec.trade_off), "{target}");
                    }
                    _ => (),
                }
            }
        }
    }

    #[test]
    fn some_items_need_some_runs() {
        let plan = Plan::new(spec(), &["table6".into(), " figure3".into()]).unwrap();
        let names: Vec<&str> = plan.chosen().map(|run| run.name.as_str()).collect();
        assert_eq!(names, ["gradient-align-seed0", "gradient-align-seed1", "rte", "wmt14_enfr"]);
        let error = Plan::new(spec(), &["tabel6".into()]).unwrap_err().to_string();
        assert!(
            error.starts_with("--only: the paper has no `tabel6`; did you mean `table6`? There are figure1, "),
            "{error}"
        );
        assert_eq!(Plan::new(spec(), &["table10".into()]).unwrap().chosen().count(), 0);
    }
}
