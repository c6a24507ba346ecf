//! Commands with a model by its name: the same as with its folder.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::fixture::*;
use crate::inspect;
use crate::run::support::{Place, stderr, train};

const GENERATE: &str = "--prompt cat --beams 2 --max-new-tokens 4 --min-new-tokens 4 --keep-special --json";
pub const ALIGN: &str = "--train train.tsv --threads 1 --steps 2 --probe-every 2 --probe-batches 1 --batch-size 4 --shuffles 1 \
                     --out out --quiet";

#[test]
fn generate_is_the_same_by_name_and_by_folder() {
    for hub in [Hub::tiny(), Hub::with(pickled())] {
        let by_name = hub.done(&format!("generate --model tiny/t5 {GENERATE}")).0;
        fs::create_dir(hub.path("local")).unwrap();
        for (name, bytes) in hub.state.lock().unwrap().files.iter().filter(|(name, _)| !name.contains('/')) {
            fs::write(hub.path("local").join(name), bytes).unwrap();
        }
        assert_eq!(by_name, hub.done(&format!("generate --model local {GENERATE}")).0);
        assert!(by_name.contains("\"score\":"), "{by_name}");
    }
}

#[test]
fn a_folder_comes_before_a_name() {
    let hub = Hub::tiny();
    fs::create_dir_all(hub.path("tiny/t5")).unwrap();
    let said = hub.refusal(&format!("generate --model tiny/t5 {GENERATE}"));
    assert!(said.starts_with("tiny/t5: it has no tokenizer.json"), "{said}");
    assert!(hub.hub.requests().is_empty());
}

#[test]
fn shards_are_fetched_by_their_index() {
    let mut files = pickled();
    let whole = files.remove("pytorch_model.bin").unwrap();
    // One shard is as good as two to whoever reads the index.
    files.insert("pytorch_model-00001-of-00001.bin".into(), whole);
    files.insert("pytorch_model-00002-of-00002.bin".into(), b"of another index".to_vec());
    let map = "{\"weight_map\": {\"shared.weight\": \"pytorch_model-00001-of-00001.bin\"}}";
    files.insert("pytorch_model.bin.index.json".into(), map.into());
    let hub = Hub::with(files);
    hub.done(&format!("generate --model tiny/t5 {GENERATE}"));
    assert!(hub.has("pytorch_model-00001-of-00001.bin") && !hub.has("pytorch_model-00002-of-00002.bin"));
}

/// The files in the folder `name` of `place`.
pub fn of_folder(place: &Place, name: &str) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(place.path(name)).unwrap().map(|file| file.unwrap());
    files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
}

#[test]
fn adapters_and_their_bases_may_have_names() {
    let place = Place::new();
    inspect::small_base(&place, "base");
    // A base of that name, an adapter here.
    inspect::adapter(&place, "lora", "here", "tiny/t5");
    let hub = Hub::with(of_folder(&place, "base"));
    let here = place.path("here").display().to_string();
    let whole = hub.done(&format!("generate --model {here} {GENERATE}")).0;
    assert_eq!(whole, hub.done(&format!("generate --model tiny/t5 --adapter {here} {GENERATE}")).0);
    let told = |hub: &Hub, what: &str| hub.done(&format!("inspect {what} --json")).0;
    assert!(told(&hub, &here).contains("\"base_path\":\"tiny/t5\""), "{}", told(&hub, &here));
    assert!(told(&hub, "tiny/t5").contains("\"layout\":\"safetensors\""));
    let ids = |model: &str| hub.done(&format!("tokenize {model} cat --ids")).0;
    assert_eq!(ids("tiny/t5"), ids(&here));
    // An adapter of that name, its base here.
    inspect::adapter(&place, "lora", "there", "base");
    let hub = Hub::with(of_folder(&place, "there"));
    let copy = |from: &str| {
        fs::create_dir(hub.path(from)).unwrap();
        of_folder(&place, from).iter().for_each(|(name, bytes)| fs::write(hub.path(from).join(name), bytes).unwrap());
    };
    copy("base");
    assert_eq!(whole, hub.done(&format!("generate --model tiny/t5 {GENERATE}")).0);
    assert_eq!(whole, hub.done(&format!("generate --model base --adapter tiny/t5 {GENERATE}")).0);
    assert!(told(&hub, "tiny/t5").contains("\"kind\":\"LoRA\""));
}

#[test]
fn what_stands_beside_a_sentencepiece_model_counts_by_name_too() {
    let hub = Hub::with(pickled());
    fs::create_dir(hub.path("local")).unwrap();
    for (name, bytes) in pickled() {
        fs::write(hub.path("local").join(name), bytes).unwrap();
    }
    let tokens = |model: &str| hub.done(&format!("tokenize {model} <extra_id_3> --json")).0;
    assert_eq!(tokens("tiny/t5"), tokens("local"));
    assert!(tokens("tiny/t5").contains("\"sentinel\""), "{}", tokens("tiny/t5"));
}

#[test]
fn a_run_records_the_commit_and_goes_on_with_it() {
    let hub = Hub::tiny();
    fs::write(hub.path("train.tsv"), train(24)).unwrap();
    let align = format!("gradient-align --model tiny/t5@{REFERENCE} {ALIGN}");
    let output = hub.command(&align).env("HF_TOKEN", TOKEN).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    hub.assert_no_token(&[&format!("{output:?}")]);
    let text = |name: &str| fs::read_to_string(hub.path(name)).unwrap();
    let run = || serde_json::from_str::<Value>(&text("out/run.json")).unwrap();
    let info = run();
    assert_eq!(info["model"]["path"], "tiny/t5@refs/pr/3");
    assert_eq!(info["model"]["commit"], COMMIT);
    let paths: Vec<&str> =
        info["model"]["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["config.json", WEIGHTS, "tokenizer.json"].map(|name| format!("tiny/t5@refs/pr/3/{name}")));
    assert!(text("out/spec.toml").contains("model = \"tiny/t5@refs/pr/3\""), "{}", text("out/spec.toml"));
    // The run is cut off, and meanwhile the branch moves on to other weights: it goes on with those that it began with.
    fs::write(hub.path("out/run.json"), text("out/run.json").replace("\"finished\"", "\"running\"")).unwrap();
    {
        let mut state = hub.state.lock().unwrap();
        state.commit = COMMIT.chars().rev().collect();
        state.files.get_mut(WEIGHTS).unwrap().push(0);
    }
    let (_, said) = hub.done(&format!("{align} --resume"));
    assert!(said.contains(&format!("tiny/t5@{COMMIT} is taken from the cache, at commit {COMMIT}")), "{said}");
    assert_eq!((run()["model"]["commit"].as_str(), &run()["signature"]), (Some(COMMIT), &info["signature"]));
    assert_eq!(fs::read_to_string(hub.cached("refs/refs/pr/3")).unwrap(), COMMIT);
    // One that is done needs neither the hub nor the cache.
    fs::remove_dir_all(hub.path("hf")).unwrap();
    let output = hub.command(&format!("{align} --resume")).env("HF_HUB_OFFLINE", "1").output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn processes_that_share_the_work_share_the_commit() {
    let hub = Hub::tiny();
    let place = crate::compare::support::place();
    for name in ["train.tsv", "dev.tsv", "wq-train.jsonl", "wq-test.jsonl", "cb.jsonl", "compare.toml"] {
        fs::write(hub.path(name), place.read(name)).unwrap();
    }
    let compare =
        "compare --config compare.toml --model tiny/t5 --methods standard,prompt-tuning --jobs 2 --out out --quiet";
    let output = hub.command(compare).env("HF_TOKEN", TOKEN).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    hub.assert_no_token(&[&format!("{output:?}")]);
    let run: Value = serde_json::from_slice(&fs::read(hub.path("out/run.json")).unwrap()).unwrap();
    assert_eq!((&run["model"]["path"], &run["model"]["commit"]), (&"tiny/t5".into(), &COMMIT.into()));
    // One process asks for the branch, whether it is an adapter and then for its files; the others for the commit that it came to.
    let count = |revision: &str| hub.asked("GET", &format!("/revision/{revision}?")).len();
    assert_eq!((count("main"), count(COMMIT), hub.asked("GET", "signature").len()), (2, 2, 1));
    let measured =
        hub.done("bench --model tiny/t5 --work greedy --batch-size 1 --repeats 1 --warm-up 0 --threads 1 --json").0;
    assert!(measured.contains("\"model\":\"tiny/t5\""), "{measured}");
    assert_eq!((count("main"), count(COMMIT)), (3, 3));
}

#[cfg(unix)]
#[test]
fn huggingface_hub_and_fsa_find_what_the_other_has_fetched() {
    let Ok(python) = std::env::var("FSA_HUB_PYTHON") else {
        println!("skipped: FSA_HUB_PYTHON names no Python with huggingface_hub");
        return;
    };
    let run = |hub: &Hub, script: &str, offline: &str| {
        let script = format!("import huggingface_hub as hub\n{script}");
        let output = hub.run(&python).args(["-c", &script]).env("HF_HUB_OFFLINE", offline).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = stderr(&output);
        assert!(offline == "0" || said.is_empty(), "{said}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_string()
    };
    let hub = Hub::tiny();
    let python = |script: &str, offline: &str| run(&hub, script, offline);
    let here = hub.done(&format!("generate --model tiny/t5 {GENERATE}")).0;
    let asked = hub.hub.requests().len();
    let snapshot = python("print(hub.snapshot_download('tiny/t5'))", "1");
    assert_eq!(snapshot, hub.cached("snapshots").join(COMMIT).canonicalize().unwrap().display().to_string());
    let path = python(&format!("print(hub.hf_hub_download('tiny/t5', '{WEIGHTS}'))"), "1");
    assert!(fs::read(path).unwrap() == hub.file(WEIGHTS) && hub.hub.requests().len() == asked);
    fs::remove_dir_all(hub.path("hf")).unwrap();
    for name in ["config.json", "tokenizer.json", WEIGHTS] {
        python(&format!("hub.hf_hub_download('tiny/t5', '{name}', revision='{REFERENCE}')"), "0");
    }
    let asked = hub.elsewhere.requests().len();
    let mut offline = hub.command(&format!("generate --model tiny/t5@{REFERENCE} {GENERATE}"));
    let output = offline.env("HF_HUB_OFFLINE", "1").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), here);
    assert_eq!(hub.elsewhere.requests().len(), asked);
    // What fsa notes beside a data set's files is nothing to it.
    let hub = super::data::native();
    hub.done("fetch rte.toml --quiet");
    let cached = hub.path("hf/hub/datasets--tiny--t5");
    assert!(cached.join("fsa-listings").join(COMMIT).is_file());
    let scanned = "for repo in (scan := hub.scan_cache_dir()).repos:\n    \
                   print(scan.warnings, repo.repo_type, repo.repo_id, repo.nb_files, [r.commit_hash for r in repo.revisions])";
    assert_eq!(run(&hub, scanned, "1"), format!("[] dataset tiny/t5 3 ['{COMMIT}']"));
    let snapshot = run(&hub, "print(hub.snapshot_download('tiny/t5', repo_type='dataset'))", "1");
    assert_eq!(snapshot, cached.join("snapshots").join(COMMIT).canonicalize().unwrap().display().to_string());
    let name = "rte/validation-00000-of-00001.parquet";
    let path = run(&hub, &format!("print(hub.hf_hub_download('tiny/t5', '{name}', repo_type='dataset'))"), "1");
    assert!(fs::read(path).unwrap() == hub.file(name));
    // Nor does it keep the data set from being deleted.
    let delete = format!("hub.scan_cache_dir().delete_revisions('{COMMIT}').execute()");
    run(&hub, &delete, "1");
    assert!(!cached.exists());
}

#[test]
fn the_cache_is_listed() {
    let hub = Hub::tiny();
    let (empty, _) = hub.done("cache");
    assert!(empty.trim_end().ends_with("hub  no models and no data sets"), "{empty}");
    hub.done("fetch tiny/t5 --quiet");
    let (shown, _) = hub.done("cache");
    assert!(shown.starts_with("model  tiny/t5  0123456789ab main  "), "{shown}");
    assert!(shown.trim_end().ends_with("models--tiny--t5"), "{shown}");
    let json: Value = serde_json::from_str(&hub.done("cache --json").0).unwrap();
    let repository = &json["repositories"][0];
    assert_eq!((repository["name"].as_str(), repository["kind"].as_str()), (Some("tiny/t5"), Some("model")));
    assert_eq!(repository["revisions"][0]["references"][0], "main");
    assert_eq!(repository["revisions"][0]["files"], 4);
    let names = ["config.json", "tokenizer.json", "special_tokens_map.json", WEIGHTS];
    let bytes: usize = names.iter().map(|name| hub.file(name).len()).sum();
    assert_eq!((repository["bytes"].as_u64(), repository["incomplete_bytes"].as_u64()), (Some(bytes as u64), Some(0)));
    let json: Value = serde_json::from_str(&hub.done("fetch tiny/t5 --json --quiet").0).unwrap();
    assert_eq!(json["fetched"][0]["commit"], COMMIT);
    assert_eq!(
        (json["fetched"][0]["bytes"].as_u64(), json["fetched"][0]["files"].as_u64()),
        (Some(bytes as u64), Some(4))
    );
}
