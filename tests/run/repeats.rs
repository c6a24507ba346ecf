//! The same spec gives the same bytes, whatever the folder; another seed does not.

use fsa::spec::GradientAlign;

use super::support::*;

const RESULTS: [&str; 4] = ["rows.jsonl", "gradient_align.csv", "figures/figure7.svg", "figures/heatmap.png"];

/// Whether the runs in two folders have the same results; they must have all of them or none.
fn same(place: &Place, one: &str, other: &str) -> bool {
    let equal = RESULTS.map(|name| place.read(&format!("{one}/{name}")) == place.read(&format!("{other}/{name}")));
    assert!(equal.iter().all(|same| *same == equal[0]), "{RESULTS:?}: {equal:?}");
    equal[0]
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let place = Place::new();
    place.done("gradient-align --config run.toml --out first --quiet");
    place.done("gradient-align --config run.toml --out below/second --quiet");
    assert!(same(&place, "first", "below/second"));
    place.done("gradient-align --config run.toml --out third --seed 1 --quiet");
    assert!(!same(&place, "first", "third"));
    assert!(place.rows("third").iter().all(|row| row["seed"] == 1));
    // Dropout, shuffles and order at work: with another seed not one measured row is the same.
    for (one, other) in place.rows("first").iter().zip(place.rows("third")) {
        assert_eq!((&one["step"], &one["name"]), (&other["step"], &other["name"]));
        assert_ne!(one["norm_full"], other["norm_full"], "{one}");
    }
}

#[test]
fn several_threads_repeat_too() {
    let place = Place::new();
    place.done("gradient-align --config run.toml --out first --threads 3 --quiet");
    place.done("gradient-align --config run.toml --out second --threads 3 --quiet");
    assert!(same(&place, "first", "second"));
}

#[test]
fn micro_batches_change_no_more_than_the_last_bits() {
    let place = Place::new();
    place.done("gradient-align --config run.toml --out whole --quiet");
    place.done("gradient-align --config run.toml --out cut --micro-batch-tokens 40 --quiet");
    for (whole, cut) in place.rows("whole").iter().zip(place.rows("cut")) {
        // Sums in another order, in f32: some 1e-7 apart, and four steps of training on top of it.
        let (whole, cut) = (whole["norm_full"].as_f64().unwrap(), cut["norm_full"].as_f64().unwrap());
        assert!((whole - cut).abs() <= 1e-5 * whole + 1e-9, "{whole} and {cut}");
    }
}

#[test]
fn a_runs_own_spec_is_a_config_for_it() {
    let place = Place::new();
    let flags = "--seed 7 --estimators flip,dataset --estimand summed --optimizer adamw --smoothing hf --probe-dropout on \
                 --dev train.tsv --probe-split validation --z-loss 1e-4 --warmup-steps 2";
    place.done(&format!("gradient-align --config run.toml --out first {flags} --quiet"));
    let spec: GradientAlign = toml::from_str(&place.text("first/spec.toml")).unwrap();
    assert_eq!((spec.seed, spec.training.warmup_steps), (7, 2));
    place.done("gradient-align --config first/spec.toml --out second --quiet");
    assert!(same(&place, "first", "second"));
    let again: GradientAlign = toml::from_str(&place.text("second/spec.toml")).unwrap();
    assert_eq!(again.out.to_str(), Some("second"));
    assert_eq!(GradientAlign { out: spec.out.clone(), ..again }, spec);
}
