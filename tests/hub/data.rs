//! Tasks' data by name: files with the columns of real data sets, in both layouts that the hub has.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use super::fixture::*;
use super::server::Response;
use crate::run::support::{Place, stderr};

/// A hub with these files of the fixtures, and the descriptions of tasks whose data set it is.
fn data_set(files: &[(&str, &str)]) -> Hub {
    let of = |(name, from): &(&str, &str)| {
        let bytes = fs::read(crate::run::support::fixture(&format!("parquet/{from}.parquet"))).unwrap();
        (name.to_string(), bytes)
    };
    let mut files: BTreeMap<String, Vec<u8>> = files.iter().map(of).collect();
    files.insert("README.md".into(), b"what it is".to_vec());
    let hub = Hub::of("datasets", files);
    for (task, id) in [("rte", "aps/super_glue"), ("web_questions", "stanfordnlp/web_questions")] {
        let description = hub.done(&format!("tasks show {task}")).0;
        let config = if task == "rte" { String::new() } else { "\nconfig = \"web\"".to_string() };
        let own = description.replace(&format!("\"{id}\""), &format!("\"{NAME}\"{config}"));
        fs::write(hub.path(&format!("{task}.toml")), own.replace(" = 2490", " = 20").replace(" = 2032", " = 9"))
            .unwrap();
    }
    hub
}

/// `CONFIG/SPLIT-0000i-of-0000n.parquet`, on main.
pub fn native() -> Hub {
    data_set(&[
        ("rte/train-00000-of-00002.parquet", "rte/train-00000-of-00002"),
        ("rte/train-00001-of-00002.parquet", "rte/train-00001-of-00002"),
        ("rte/validation-00000-of-00001.parquet", "rte/validation-00000-of-00001"),
        ("web/test-00000-of-00001.parquet", "web_questions/test-00000-of-00001"),
    ])
}

/// As [`native`], with a model in the folder `model`.
fn native_with_model() -> Hub {
    let (hub, place) = (native(), Place::new());
    fs::create_dir(hub.path("model")).unwrap();
    for name in ["config.json", "tokenizer.json", WEIGHTS] {
        fs::write(hub.path("model").join(name), place.read(&format!("model/{name}"))).unwrap();
    }
    hub
}

/// `CONFIG/SPLIT/0000.parquet`, where the hub converts to.
fn converted() -> Hub {
    let hub = data_set(&[
        ("rte/train/0000.parquet", "rte/train-00000-of-00002"),
        ("rte/train/0001.parquet", "rte/train-00001-of-00002"),
        ("rte/validation/0000.parquet", "rte/validation-00000-of-00001"),
    ]);
    for _ in 0..2 {
        let scripts = json!({"sha": COMMIT, "siblings": [{"rfilename": "rte.py"}]}).to_string();
        hub.next("GET", "/revision/main", answer(Response::of(200, scripts)));
    }
    hub
}

fn validated(hub: &Hub, arguments: &str) -> (Value, String) {
    let (shown, said) = hub.done(&format!("tasks validate rte.toml --json {arguments}"));
    (serde_json::from_str(&shown).unwrap(), said)
}

#[test]
fn both_layouts_are_read_as_the_files_are() {
    for (hub, revision) in [(native(), "main"), (converted(), "refs%2Fconvert%2Fparquet")] {
        let fixture = crate::run::support::fixture("parquet/rte");
        let (of_hub, said) = validated(&hub, "--data hub --n 12");
        let file = &of_hub["files"][0];
        // Where no test split carries answers, the validation split stands for it.
        assert_eq!(file["path"], "hub:rte/validation");
        assert_eq!(
            (&file["examples"], &file["rows"], &file["origin"]["commit"]),
            (&12.into(), &12.into(), &COMMIT.into())
        );
        assert!(said.contains("hub:rte/validation: it has 12 rows, and the task's description says 277: "), "{said}");
        let (of_file, _) = validated(&hub, &format!("--data {}/validation.jsonl --n 12", fixture.display()));
        assert_eq!(of_hub["prompts"], of_file["prompts"]);
        assert_eq!(hub.asked("GET", &format!("/revision/{revision}?")).len(), 1);
        // A sample of both shards; the files of the other splits are not fetched.
        let (of_hub, _) = validated(&hub, "--data hub:train --sample 6 --n 6");
        let file = &of_hub["files"][0];
        assert_eq!((&file["path"], &file["examples"], &file["rows"]), (&"hub:rte/train".into(), &6.into(), &20.into()));
        let (of_file, _) = validated(&hub, &format!("--data {}/train.jsonl --sample 6 --n 6", fixture.display()));
        assert_ne!(of_hub["prompts"], of_file["prompts"], "the sample of another split");
        assert!(hub.asked("GET", "web/test").is_empty());
        let (text, _) = hub.done("tasks validate rte.toml --data hub@refs/pr/3");
        assert!(
            text.contains(&format!(
                "data: hub:rte/validation@refs/pr/3, 12 examples, 0 dropped; {NAME} at commit {COMMIT}"
            )),
            "{text}"
        );
        let (fetched, _) = hub.done("fetch rte.toml --quiet --json");
        let fetched: Value = serde_json::from_str(&fetched).unwrap();
        assert_eq!((&fetched["fetched"][0]["files"], &fetched["fetched"][0]["kind"]), (&3.into(), &"dataset".into()));
    }
}

#[test]
fn what_is_not_there_is_named() {
    let hub = native();
    let said = |data: &str| hub.refusal(&format!("tasks validate rte.toml --data {data}"));
    assert_eq!(
        said("hub:dev"),
        format!(
            "--data: {NAME}@main: it has no split rte/dev; it has train, validation; give another split or revision, or a file"
        )
    );
    assert!(said("hub@v9").contains("v9"), "{}", said("hub@v9"));
    assert!(said("hub:").starts_with("hub:: --data: is not a split on the hub; give hub, hub:SPLIT or hub:TASK/SPLIT"));
    assert!(said("hub:none/train").contains("there is no task `none`"));
    let description = fs::read_to_string(hub.path("rte.toml")).unwrap();
    let own = description.split("[hub]").next().unwrap();
    fs::write(hub.path("rte.toml"), own).unwrap();
    assert!(
        said("hub").starts_with(
            "hub:rte/test: --data: task `rte` names no data set of the hub; give a file, or a [hub] table"
        )
    );
    hub.state.lock().unwrap().files.remove("rte/train-00000-of-00002.parquet");
    fs::write(hub.path("rte.toml"), description.replace("\"premise\"", "\"premises\"")).unwrap();
    assert!(said("hub:train").contains("the split train is not whole: file 00000 of 00002 is not there"));
    // As the file has it, in place of the cache's path.
    assert!(
        said("hub")
            .contains("there is no column `premises` or `sentence1`; the file has premise, hypothesis, idx, label")
    );
    fs::write(hub.path("rte.toml"), description.replace("1 = \"False\"\n", "")).unwrap();
    assert!(said("hub").contains("column label: label `1` is not one of True, False, 0, entailment, not_entailment"));
}

#[test]
fn a_part_of_a_split_does_not_pass_for_all_of_it() {
    let hub = converted();
    validated(&hub, "--data hub:train");
    let offline = |arguments: &str| hub.command(arguments).env("HF_HUB_OFFLINE", "1").output().unwrap();
    let validate = "tasks validate rte.toml --data hub:train";
    assert!(offline(validate).status.success());
    // A crash, or somebody who needed room.
    let cache = hub.path("hf/hub").join(format!("datasets--{}", NAME.replace('/', "--")));
    fs::remove_file(cache.join("snapshots").join(COMMIT).join("rte/train/0001.parquet")).unwrap();
    let said = refused(&offline(validate));
    let wanted = format!(
        "the cache does not have `rte/train/0001.parquet` of `{NAME}@refs/convert/parquet`, and HF_HUB_OFFLINE is set; get it with `fsa fetch TASK` while online"
    );
    assert!(said.contains(&wanted), "{said}");
    // Where another program has filled the cache, the rows tell.
    fs::remove_dir_all(cache.join("fsa-listings")).unwrap();
    let said = refused(&offline(validate));
    assert!(
        said.contains("hub:rte/train: --data: its files in the cache have ") && said.contains(" rows of 20, and "),
        "{said}"
    );
    assert!(
        refused(&offline(&validate.replace("train", "dev@refs/convert/parquet")))
            .contains(", as the cache has it: it has no split rte/dev")
    );
}

#[test]
fn a_run_records_the_commit_and_goes_on_with_it() {
    let hub = native_with_model();
    let ratio = "label-ratio --model model --task rte.toml --train hub --dev hub:validation --sample 10 --threads 1 \
                 --eval web_questions.toml:0 --file web_questions.toml.test=hub --steps 2 --probe-every 2 --batch-size 4 \
                 --beams 1 --max-new-tokens 3 --limit 4 --out out --quiet";
    let (shown, _) = hub.done(ratio);
    let text = |name: &str| fs::read_to_string(hub.path(name)).unwrap();
    let run = || serde_json::from_str::<Value>(&text("out/run.json")).unwrap();
    let info = run();
    let of = |path: &str| info["data"].as_array().unwrap().iter().find(|data| data["path"] == path).unwrap().clone();
    let train = of("hub:rte/train");
    assert_eq!(train["origin"], json!({"repo": NAME, "revision": "main", "commit": COMMIT}));
    assert_eq!((&train["rows"], &train["file_rows"], &train["sampled"]), (&10.into(), &20.into(), &true.into()));
    let names: Vec<&str> =
        train["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(names, ["rte/train-00000-of-00002.parquet", "rte/train-00001-of-00002.parquet"]);
    let web = of("hub:web_questions/test");
    assert_eq!((&web["rows"], &web["file_rows"]), (&4.into(), &9.into()));
    let signature = info["signature"].as_str().unwrap();
    assert!(shown.contains(signature), "{shown}");
    assert!(signature.contains(&format!("@{}:10/20+", &COMMIT[..12])), "{signature}");
    assert!(signature.contains(&format!("@{}:4/9|", &COMMIT[..12])), "{signature}");
    assert!(text("out/spec.toml").contains("sample = 10"), "{}", text("out/spec.toml"));
    assert_eq!(hub.asked("GET", "/revision/main?").len(), 1, "splits of one run are of one commit");
    // The run is cut off, and meanwhile the branch moves on to other data: it goes on with those that it began with.
    fs::write(hub.path("out/run.json"), text("out/run.json").replace("\"finished\"", "\"running\"")).unwrap();
    hub.state.lock().unwrap().commit = COMMIT.chars().rev().collect();
    let output = hub.command(&format!("{ratio} --resume")).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(run()["signature"], info["signature"]);
    // One that is done needs no hub.
    fs::remove_dir_all(hub.path("hf")).unwrap();
    let output = hub.command(&format!("{ratio} --resume --json")).env("HF_HUB_OFFLINE", "1").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["signature"], info["signature"]);
}

#[test]
fn the_commit_and_the_rows_of_data_stand_beside_scores() {
    let hub = native_with_model();
    let commit = &COMMIT[..12];
    let beside = |text: &str, rows: &str| assert!(text.contains(&format!("@{commit}:{rows}")), "{rows}: {text}");
    let train = "--model model --threads 1 --steps 2 --probe-every 2 --batch-size 4 --quiet";
    let (shown, _) = hub.done(&format!(
        "gradient-align {train} --task rte.toml --train hub --dev hub:validation --probe-split validation --sample 10 \
         --probe-batches 1 --shuffles 1 --out align"
    ));
    beside(&shown, "10/20|n:10|");
    beside(&shown, "10/12|probe:validation:");
    let (shown, _) = hub.done(&format!(
        "compare {train} --target rte.toml --methods standard --report validation --eval web_questions.toml:0 --beams 1 \
         --max-new-tokens 3 --limit 4 --file rte.toml.train=hub --file rte.toml.validation=hub \
         --file web_questions.toml.test=hub --out compare"
    ));
    let file = |name: &str| fs::read_to_string(hub.path("compare").join(name)).unwrap();
    for text in [
        shown,
        file("table.md"),
        file("table.tex").replace("\\textbar\\allowbreak{}", "|").replace("\\allowbreak{}", ""),
        file("run.json"),
    ] {
        ["20/20+", "4/12+", "4/9|"].iter().for_each(|rows| beside(&text, rows));
    }
}

#[test]
fn a_model_without_data_is_told_of_the_hub() {
    let hub = native();
    let said = hub.refusal("gradient-align --model model --task rte --out out");
    assert!(said.contains("--train: ") && said.contains("or hub for the task's data set on the hub"), "{said}");
}
