//! `fsa bench`: what it says, not how fast anything is.

use serde_json::Value;

use super::support::*;

const BENCH: &str =
    "bench --model model --batch-size 2 --source-len 6 --target-len 2 --repeats 2 --warm-up 0 --threads 1";

fn measured(place: &Place, arguments: &str) -> Value {
    serde_json::from_str(&place.done(&format!("{BENCH} --json {arguments}"))).unwrap()
}

#[test]
fn every_work_has_its_times_and_its_memory() {
    let place = Place::new();
    let before = files(&place.path("."));
    let said = measured(&place, "--shuffles 3");
    assert!(said["sgemm_gflops"].as_f64().unwrap() > 0.0);
    assert_eq!((said["model"].as_str(), said["shuffles"].as_u64()), (Some("model"), Some(3)));
    for work in ["alignment", "training", "greedy", "beam"] {
        let [median, min, max] = ["median_s", "min_s", "max_s"].map(|key| said[work][key].as_f64().unwrap());
        assert!(0.0 < min && min <= median && median <= max && max.is_finite(), "{work}: {said}");
        if cfg!(target_os = "linux") {
            assert!(said[work]["peak_rss_mib"].as_f64().unwrap() > 1.0, "{work}: {said}");
        }
    }
    assert!(before == files(&place.path(".")), "it wrote something");
}

#[test]
fn one_chooses_what_is_measured() {
    let place = Place::new();
    let said = measured(&place, "--work greedy,training");
    assert!(said["greedy"].is_object() && said["training"].is_object(), "{said}");
    assert!(said.get("alignment").is_none() && said.get("beam").is_none(), "{said}");
    let table = place.done(&format!("{BENCH} --work greedy"));
    assert!(table.contains("\nsgemm    ") && table.contains("\ngreedy  ") && !table.contains("\nbeam"), "{table}");
}

#[test]
fn sources_may_be_ragged_and_the_shape_a_configs() {
    let place = Place::new();
    place.write("lengths.txt", "5\n7\n3\n");
    let arguments = "bench --shape model/config.json --lengths lengths.txt --batch-size 2 --target-len 2 --repeats 1 \
        --warm-up 0 --threads 1 --work alignment,training --json";
    for low_memory in ["", " --low-memory"] {
        let said: Value = serde_json::from_str(&place.done(&format!("{arguments}{low_memory}"))).unwrap();
        assert_eq!(
            (said["source_tokens"].as_u64(), said["low_memory"].as_bool()),
            (Some(12), Some(!low_memory.is_empty()))
        );
        assert!(["alignment", "training"].iter().all(|work| said[work]["gflops"].as_f64().unwrap() > 0.0), "{said}");
    }
}

#[test]
fn what_grows_is_measured_once_and_gone_on_with() {
    let place = Place::new();
    let grow = "bench --shape model/config.json --batch-size 2 --source-len 6 --target-len 2 --repeats 1 --warm-up 0 --threads 1 \
        --grow=shuffles,depth --out grown --quiet";
    let table = place.done(grow);
    assert!(
        table.contains("| shuffles | alignment | 1 | 8 |") && table.contains("| depth | training | 1 | 4 |"),
        "{table}"
    );
    let rows = place.text("grown/rows.jsonl");
    assert_eq!(rows.lines().count(), 4 + 2 * 3);
    for file in ["growth.csv", "growth.md", "figures/growth.svg", "figures/growth.png", "spec.toml", "run.json"] {
        assert!(place.path(&format!("grown/{file}")).is_file(), "{file}");
    }
    assert!(place.refusal(grow).contains("the folder is not empty"));
    // A kill in the middle of a row: what was measured stays, the rest is measured.
    let cut: Vec<&str> = rows.lines().take(7).collect();
    place.write("grown/rows.jsonl", format!("{}\n{{\"model\"", cut.join("\n")));
    place.done(&format!("{grow} --resume"));
    let again = place.text("grown/rows.jsonl");
    assert_eq!(again.lines().count(), 10);
    assert_eq!(again.lines().take(7).collect::<Vec<_>>(), cut);
    assert!(!place.text("grown/growth.md").contains("low-memory"));
    place.done(&format!(
        "{} --low-memory",
        grow.replace("--out grown", "--out low").replace("=shuffles,depth", "=depth")
    ));
    assert!(place.text("low/growth.md").contains("|threads:1|low-memory`"));
    let said = place.refusal("bench --model model --grow=width --out other");
    assert!(said.contains("--d-model: the weights in a folder have the shape that they have; give --shape"), "{said}");
}

#[test]
fn mistakes_are_named() {
    let place = Place::new();
    place.write("lengths.txt", "5\n7\n");
    place.write("wrong.txt", "5\nx\n");
    for (arguments, wanted) in [
        ("bench --batch-size 0", "--batch-size: must be from 1 to 65536, not 0"),
        (
            "bench --model none",
            "none: --model: there is no such folder; give a model folder, or the name of a model on the hub: OWNER/NAME",
        ),
        (
            "bench --shape t6",
            "--shape: there is no shape `t6`; give mini, t5-v1_1-small, t5-v1_1-base, mt5-small, or the path",
        ),
        ("bench --shape none.json", "none.json: --shape: "),
        ("bench --lengths none.txt", "none.txt: --lengths: "),
        ("bench --lengths lengths.txt --batch-size 3", "--lengths: has 2 lengths, for a batch of 3"),
        ("bench --lengths wrong.txt", "wrong.txt:2: --lengths: `x` is not a number of tokens"),
        ("bench --shape mini --model model", "cannot be used with"),
    ] {
        let said = place.refusal(arguments);
        assert!(said.contains(wanted), "{arguments}: {said}");
    }
    // What goes wrong in the process that measures is said here, once.
    place.write("model/model.safetensors", "no weights");
    let said = place.refusal(BENCH);
    assert!(said.starts_with("model/model.safetensors: "), "{said}");
}
