//! What a run leaves behind: files, columns, rows that cover every parameter once, figures that can be drawn again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use super::support::*;

const COLUMNS: &str = "target,method,stage,seed,step,estimator,scope,name,group,cosine,cosine_lo,cosine_hi,yardstick,\
                       norm_full,norm_format,params,examples,shuffles";

#[test]
fn a_run_leaves_spec_provenance_rows_table_and_figures() {
    let place = Place::new();
    let printed = place.done("gradient-align --config run.toml --out out --quiet");
    let names = [
        "spec.toml",
        "run.json",
        "rows.jsonl",
        "gradient_align.csv",
        "figures/figure3.svg",
        "figures/figure3.png",
        "figures/figure7.svg",
        "figures/figure7.png",
        "figures/heatmap.svg",
        "figures/heatmap.png",
        "figures/norms.svg",
        "figures/norms.png",
    ];
    for name in names {
        assert!(printed.lines().any(|line| line == format!("out/{name}")), "{name} is not in\n{printed}");
    }
    let found: BTreeSet<String> =
        files(&place.path("out")).into_keys().map(|path| path.to_string_lossy().into_owned()).collect();
    let expected: BTreeSet<String> = names.into_iter().chain(["figures"]).map(String::from).collect();
    assert_eq!(found, expected);

    for name in names {
        let bytes = place.read(&format!("out/{name}"));
        match name.rsplit_once('.').unwrap().1 {
            "svg" => assert!(bytes.starts_with(b"<svg") && bytes.ends_with(b"</svg>\n"), "{name}"),
            // The signature of PNG (RFC 2083, section 3.1) and its last chunk.
            "png" => assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.ends_with(b"IEND\xaeB`\x82"), "{name}"),
            _ => assert!(bytes.ends_with(b"\n"), "{name}"),
        }
    }
    let run: Value = serde_json::from_slice(&place.read("out/run.json")).unwrap();
    assert_eq!((run["status"].as_str(), run["seed"].as_u64()), (Some("finished"), Some(0)));
    assert_eq!(run["data"][0]["rows"], 72);
    let numbers: usize = place.weights("model").values().map(|tensor| tensor.elem_count()).sum();
    assert_eq!(run["model"]["params"], numbers);
    assert!(printed.contains(run["signature"].as_str().unwrap()), "the signature goes with the table:\n{printed}");
}

#[test]
fn the_table_holds_the_rows_under_the_documented_columns() {
    let place = Place::new();
    place.done("gradient-align --config run.toml --out out --quiet");
    let table = place.text("out/gradient_align.csv");
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some(COLUMNS));
    let rows = place.rows("out");
    assert_eq!(lines.clone().count(), rows.len());
    for (line, row) in lines.zip(&rows) {
        for (column, field) in COLUMNS.split(',').zip(line.split(',')) {
            match &row[column] {
                Value::Null => assert_eq!(field, "", "{column} in {line}"),
                Value::String(text) => assert_eq!(field, text, "{column} in {line}"),
                number => assert_eq!(field.parse::<f64>().ok(), number.as_f64(), "{column} in {line}"),
            }
        }
    }
}

#[test]
fn each_parameter_is_counted_once_at_every_scope() {
    let place = Place::new();
    place.done("gradient-align --config run.toml --out out --quiet");
    let rows = place.rows("out");
    let weights = place.weights("model");
    let numbers: u64 = weights.values().map(|tensor| tensor.elem_count() as u64).sum();
    let outside = (weights["shared.weight"].elem_count() + weights["lm_head.weight"].elem_count()) as u64;

    let keys: BTreeSet<(u64, &str)> =
        rows.iter().map(|row| (row["step"].as_u64().unwrap(), row["estimator"].as_str().unwrap())).collect();
    let estimators = ["batch", "dataset", "expected", "flip"];
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), [0, 2, 4].map(|step| estimators.map(|e| (step, e))).concat());
    for step in [0, 2, 4] {
        for estimator in estimators {
            let mut params: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
            for row in rows.iter().filter(|row| row["step"] == step && row["estimator"] == estimator) {
                let (scope, name) = (row["scope"].as_str().unwrap(), row["name"].as_str().unwrap());
                let twice = params.entry(scope).or_default().insert(name, row["params"].as_u64().unwrap());
                assert_eq!(twice, None, "{scope} {name} has two rows");
                assert_eq!(row["examples"], 16);
                let shuffles = match estimator {
                    "expected" => 0,
                    "flip" => 1,
                    _ => 2,
                };
                assert_eq!(row["shuffles"], shuffles);
                for number in ["cosine", "cosine_lo", "cosine_hi", "yardstick"] {
                    assert!(row[number].as_f64().is_none_or(|value| value.abs() <= 1.0 + 1e-9), "{row}");
                }
            }
            let sum = |scope: &str| params[scope].values().sum::<u64>();
            let layers = &params["layer"];
            assert_eq!(
                params["model"],
                BTreeMap::from([("model", numbers), ("model_without_embeddings", numbers - outside)])
            );
            assert_eq!(sum("layer"), numbers);
            assert_eq!(sum("group") + layers["embedding"] + layers["head"], numbers);
            let stored: BTreeMap<&str, u64> =
                weights.iter().map(|(name, tensor)| (name.as_str(), tensor.elem_count() as u64)).collect();
            assert_eq!(params["parameter"], stored);
            let groups = |layer: &str| -> u64 {
                let of = |name: &&str| name.split_once('/').is_some_and(|(before, _)| before == layer);
                params["group"].iter().filter(|(name, _)| of(name)).map(|(_, count)| count).sum()
            };
            for (layer, count) in layers.iter().filter(|(layer, _)| !["embedding", "head"].contains(*layer)) {
                assert_eq!(groups(layer), *count, "{layer}");
            }
        }
    }
}

#[test]
fn json_is_one_object_on_one_line() {
    let place = Place::new();
    let printed = place.done("gradient-align --config run.toml --out out --quiet --json");
    assert_eq!(printed.lines().count(), 1, "{printed}");
    let said: Value = serde_json::from_str(&printed).unwrap();
    let rows = place.rows("out");
    assert_eq!((said["out"].as_str(), said["rows"].as_u64()), (Some("out"), Some(rows.len() as u64)));
    for file in said["files"].as_array().unwrap() {
        assert!(place.path(file.as_str().unwrap()).is_file(), "{file}");
    }
    // First and last probe, each estimator.
    let summary = said["summary"].as_array().unwrap();
    assert_eq!(summary.len(), 8);
    for line in summary {
        let row = rows.iter().find(|row| {
            row["name"] == "model_without_embeddings"
                && row["step"] == line["step"]
                && row["estimator"] == line["estimator"]
        });
        assert_eq!(row.unwrap()["cosine"], line["cosine"]);
    }
}

#[test]
fn progress_goes_to_stderr_and_a_dry_run_writes_nothing() {
    let place = Place::new();
    let output = place.fsa("gradient-align --config run.toml --out out");
    let progress = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{progress}");
    // 4 steps and 3 probes of 2 batches.
    assert_eq!(progress.lines().next(), Some("0/10  started"));
    assert!(progress.lines().last().unwrap().starts_with("10/10  probed step 4  in "), "{progress}");
    let before = files(&place.path("."));
    let plan = place.done("gradient-align --config run.toml --out never --dry-run --json");
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!((plan["probe_steps"].clone(), plan["losses"].as_u64()), (serde_json::json!([0, 2, 4]), Some(7)));
    let time = &plan["time"];
    let parts: Vec<(&str, u64)> = time["parts"].as_array().unwrap().iter().map(part).collect();
    assert_eq!(parts, [("training steps", 4), ("probes", 3)]);
    assert!(time["total_s"].as_f64().unwrap() > 0.0, "{time}");
    assert!(before == files(&place.path(".")), "a dry run wrote something");
    let said = place.done("gradient-align --config run.toml --out never --dry-run");
    assert!(said.contains("\ntime        about ") && said.contains("\n  training steps  4  "), "{said}");
}

/// What a part of a plan's time is, and how often it comes.
fn part(part: &Value) -> (&str, u64) {
    assert!(part["total_s"].as_f64().unwrap() > 0.0, "{part}");
    (part["what"].as_str().unwrap(), part["count"].as_u64().unwrap())
}

#[test]
fn plot_draws_the_same_figures_from_the_rows_alone() {
    let place = Place::new();
    place.done("gradient-align --config run.toml --out out --quiet");
    let figures = files(&place.path("out/figures"));
    assert_eq!(figures.len(), 8);
    fs::remove_dir_all(place.path("out/figures")).unwrap();
    fs::remove_dir_all(place.path("model")).unwrap();
    for name in ["train.tsv", "out/spec.toml", "out/run.json", "out/gradient_align.csv"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    let printed = place.done("plot out");
    assert_eq!(printed.lines().count(), 8, "{printed}");
    assert!(printed.lines().all(|line| place.path(line).is_file()), "{printed}");
    assert!(figures == files(&place.path("out/figures")), "the figures differ");
}

#[test]
fn plot_refuses_what_has_no_rows_and_names_a_damaged_one() {
    let place = Place::new();
    assert_eq!(
        place.refusal("plot none"),
        "none: cannot read it: No such file or directory (os error 2); check the path"
    );
    assert!(place.refusal("plot run.toml").starts_with("run.toml: is a file, not a run folder"));
    assert!(place.refusal("plot model").starts_with("model/rows.jsonl: cannot read it"));
    place.write("model/rows.jsonl", "");
    assert!(place.refusal("plot model").starts_with("model/rows.jsonl: it has no rows; give the folder of a run"));
    place.done("gradient-align --config run.toml --out out --quiet");
    let lines = place.text("out/rows.jsonl");
    place.write("out/rows.jsonl", lines.replacen("\"step\":2", "\"step\":two", 1));
    let number = lines.lines().position(|line| line.contains("\"step\":2")).unwrap() + 1;
    let said = place.refusal("plot out");
    assert!(said.starts_with(&format!("out/rows.jsonl:{number}: column ")), "{said}");
    assert!(said.ends_with("repair or remove the line, or make the run again"), "{said}");
}
