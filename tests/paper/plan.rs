//! The runs of the plan are those that their own commands would make.

use fsa::spec::Paper;
use fsa::spec::paper::{SubRun, SubSpec};
use serde_json::Value;

use crate::run::support::Place;

/// The spec that `fsa ARGUMENTS` resolves to.
fn resolved(place: &Place, arguments: &str) -> Value {
    let said = place.done(&format!("{arguments} --threads 1 --dry-run --json"));
    serde_json::from_str::<Value>(&said).unwrap()["spec"].take()
}

#[test]
fn runs_are_what_their_commands_make() {
    let place = Place::new();
    let runs = Paper { out: "all".into(), seed: 0, seeds: 1, threads: 1 }.sub_runs().unwrap();
    let spec = |name: &str| {
        let run: &SubRun = runs.iter().find(|run| run.name == name).unwrap();
        match &run.spec {
            SubSpec::Pretrain(spec) => serde_json::to_value(spec),
            SubSpec::LabelRatio(spec) => serde_json::to_value(spec),
            SubSpec::GradientAlign(spec) => serde_json::to_value(spec),
            SubSpec::Compare(spec) => serde_json::to_value(spec),
        }
        .unwrap()
    };
    assert_eq!(spec("label-ratio-seed0"), resolved(&place, "label-ratio --out all/label-ratio-seed0"));
    assert_eq!(spec("gradient-align-seed0"), resolved(&place, "gradient-align --out all/gradient-align-seed0"));
    let methods = "--methods multitask,multitask-promot,multitask+1shot,multitask-promot+1shot";
    let compare = format!("compare --target rte,wmt14_enfr --shots 1 --trade-off off {methods} --out all/multitask");
    assert_eq!(spec("multitask"), resolved(&place, &compare));
    let compare = "compare --target wmt14_enfr --shots 1 --trade-off off --methods promot-lora --lora-rank 2";
    assert_eq!(spec("wmt14_enfr-lora-r2"), resolved(&place, &format!("{compare} --out all/wmt14_enfr-lora-r2")));
    let made = spec("pretrain");
    let width = |key: &str| format!("--{} {}", key.replace('_', "-"), made[key]);
    let widths = ["d_model", "d_ff", "num_heads", "seed"].map(width).join(" ");
    assert_eq!(made, resolved(&place, &format!("pretrain {widths} --out all/pretrain")));
}

#[test]
fn a_dry_run_prints_the_runs_and_writes_nothing() {
    let place = Place::new();
    let said = place.done("paper --dry-run --seeds 2 --threads 1 --out all");
    for words in
        ["label-ratio-seed1", "second-wmt14_enfr", "table5.2-rte  rte\n", "table10       no run\n", "seeds = 2"]
    {
        assert!(said.contains(words), "no {words} in\n{said}");
    }
    let total: u64 = said.lines().find_map(|line| line.strip_suffix(" steps in all")).unwrap().parse().unwrap();
    let some = place.done("paper --dry-run --seeds 2 --threads 1 --out all --only table3 --json");
    let some: Value = serde_json::from_str(&some).unwrap();
    assert!(some["steps"].as_u64().unwrap() < total && some["runs"].as_array().unwrap().len() == 1, "{some}");
    assert!(!place.path("all").exists());
    let refused = place.refusal("paper --only figure4 --out all");
    assert!(refused.starts_with("--only: the paper has no `figure4`; did you mean `figure"), "{refused}");
}
