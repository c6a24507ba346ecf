//! From flags and config files to plans.

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Typed {
    #[command(flatten)]
    arguments: Arguments,
}

fn typed(flags: &str) -> Options {
    let flags = flags.split_whitespace();
    Typed::try_parse_from(std::iter::once("fsa").chain(flags)).unwrap().arguments.options
}

#[test]
fn flags_reach_the_plan_and_its_spec_is_a_config_for_it() {
    let plan = resolve(typed(""), None).unwrap();
    assert_eq!((plan.spec.out.as_path(), plan.spec.seed, plan.spec.seeds), (Path::new(Paper::OUT), 0, Paper::SEEDS));
    assert_eq!(plan.only.len(), ITEMS.len());
    let plan = resolve(typed("--out o --seed 3 --seeds 2 --threads 1 --only table3,figure1"), None).unwrap();
    assert_eq!(plan.spec, Paper { out: "o".into(), seed: 3, seeds: 2, threads: 1 });
    assert_eq!(plan.only, ["table3", "figure1"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spec.toml");
    std::fs::write(&file, toml::to_string(&plan.spec).unwrap()).unwrap();
    assert_eq!(resolve(typed(""), Some(&file)).unwrap().spec, plan.spec);
    assert_eq!(resolve(typed("--seeds 1"), Some(&file)).unwrap().spec.seeds, 1);
    std::fs::write(&file, "only = 'tabel3'\n").unwrap();
    let error = resolve(typed(""), Some(&file)).unwrap_err().to_string();
    assert!(error.contains("spec.toml:1: --only: the paper has no `tabel3`"), "{error}");
}
