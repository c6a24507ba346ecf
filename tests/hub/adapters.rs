//! Adapters by name: with every command, at the commit that a run began with.

use std::fs;

use serde_json::Value;

use super::commands::{ALIGN, of_folder};
use super::fixture::*;
use crate::inspect;
use crate::run::support::{Place, train};

/// A LoRA of that name, and its base in the folder `base`.
fn adapter() -> Hub {
    adapter_of("lora")
}

fn adapter_of(kind: &str) -> Hub {
    let place = Place::new();
    inspect::small_base(&place, "base");
    inspect::adapter(&place, kind, "adapter", "base");
    let hub = Hub::with(of_folder(&place, "adapter"));
    fs::create_dir(hub.path("base")).unwrap();
    let copy = |(name, bytes): (&String, &Vec<u8>)| fs::write(hub.path("base").join(name), bytes).unwrap();
    of_folder(&place, "base").iter().for_each(copy);
    hub
}

#[test]
fn a_run_goes_on_with_the_adapter_that_it_began_with() {
    for named in ["--model base --adapter tiny/t5", "--model tiny/t5"] {
        let hub = adapter();
        fs::write(hub.path("train.tsv"), train(24)).unwrap();
        let align = format!("gradient-align {named} --task rte {ALIGN}");
        let (_, said) = hub.done(&align);
        assert_eq!(said, "", "--quiet");
        let text = || fs::read_to_string(hub.path("out/run.json")).unwrap();
        let run = || serde_json::from_str::<Value>(&text()).unwrap();
        let info = run();
        assert_eq!(info["adapters"], serde_json::json!([{"path": "tiny/t5", "commit": COMMIT}]));
        let files = info["model"]["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap());
        let of_adapter: Vec<&str> = files.filter(|path| path.contains("adapter_")).collect();
        assert_eq!(of_adapter, ["tiny/t5/adapter_config.json", "tiny/t5/adapter_model.safetensors"]);
        // The run is cut off, and meanwhile the branch moves on to another adapter.
        fs::write(hub.path("out/run.json"), text().replace("\"finished\"", "\"running\"")).unwrap();
        {
            let mut state = hub.state.lock().unwrap();
            state.commit = COMMIT.chars().rev().collect();
            *state.files.get_mut("adapter_model.safetensors").unwrap().last_mut().unwrap() ^= 1;
        }
        hub.done(&format!("{align} --resume"));
        assert_eq!((&run()["signature"], &run()["adapters"]), (&info["signature"], &info["adapters"]));
    }
}

/// Writes what a comparison reads beside its model.
fn data_of_comparison(hub: &Hub) {
    let place = crate::compare::support::place();
    for name in ["train.tsv", "dev.tsv", "wq-train.jsonl", "wq-test.jsonl", "cb.jsonl", "compare.toml"] {
        fs::write(hub.path(name), place.read(name)).unwrap();
    }
}

#[test]
fn a_prompt_to_start_from_may_have_a_name() {
    let hub = adapter_of("prompt");
    data_of_comparison(&hub);
    let compare = "compare --config compare.toml --model base --methods prompt-tuning --prompt-length 5 --quiet";
    let run = |out: &str| serde_json::from_slice::<Value>(&fs::read(hub.path(out).join("run.json")).unwrap()).unwrap();
    let rows = |out: &str| fs::read(hub.path(out).join("compare.csv")).unwrap();
    let offline = |arguments: &str| hub.command(arguments).env("HF_HUB_OFFLINE", "1").output().unwrap();
    let named = |out: &str| format!("{compare} --prompt-file tiny/t5 --out {out}");
    assert!(refused(&offline(&named("early"))).starts_with("tiny/t5: --prompt-file: "));
    let (_, said) = hub.done(&named("online"));
    assert_eq!(said, "");
    let info = run("online");
    assert_eq!(info["adapters"], serde_json::json!([{"path": "tiny/t5", "commit": COMMIT}]));
    let weights = &sha256(&hub.file("adapter_model.safetensors"))[..12];
    assert!(info["signature"].as_str().unwrap().contains(&format!("|prompt:5xfile:{weights}|")), "{info}");
    let asked = hub.hub.requests().len();
    let output = offline(&named("offline"));
    assert!(output.status.success() && hub.hub.requests().len() == asked, "{output:?}");
    let again = run("offline");
    assert_eq!((&again["adapters"], &again["signature"]), (&info["adapters"], &info["signature"]));
    // The same as from its folder.
    let folder = hub.cached("snapshots").join(COMMIT);
    hub.done(&format!("{compare} --prompt-file {} --out folder", folder.display()));
    assert!(rows("online") == rows("offline") && rows("online") == rows("folder"));
    hub.done(&format!("{compare} --out fresh"));
    assert!(rows("online") != rows("fresh"), "the prompt was not taken");
}

#[test]
fn processes_that_share_the_work_share_the_adapter() {
    let hub = adapter();
    data_of_comparison(&hub);
    let compare =
        "compare --config compare.toml --model base --adapter tiny/t5 --methods standard,prompt-tuning --quiet";
    hub.done(&format!("{compare} --jobs 1 --out one"));
    hub.done(&format!("{compare} --jobs 2 --out two"));
    let of = |out: &str| fs::read(hub.path(out).join("compare.csv")).unwrap();
    assert!(of("one") == of("two"));
}

#[test]
fn an_adapter_is_looked_at_with_its_model() {
    let hub = adapter();
    let told = hub.done("inspect base --adapter tiny/t5 --json").0;
    assert!(told.contains("\"kind\":\"LoRA\""), "{told}");
}

#[test]
fn a_base_that_is_an_adapter_is_none() {
    let hub = adapter();
    let place = Place::new();
    inspect::adapter(&place, "lora", "here", NAME);
    let said = hub.refusal(&format!("generate --model {} --prompt cat", place.path("here").display()));
    let wanted =
        "tiny/t5: --model: it is the base of an adapter, and an adapter itself; give the model that both belong to";
    assert!(said.starts_with(wanted), "{said}");
}

#[test]
fn to_fetch_an_adapter_is_to_fetch_its_base() {
    let place = Place::new();
    inspect::small_base(&place, "base");
    inspect::adapter(&place, "lora", "adapter", "other/base");
    let hub = Hub::with(of_folder(&place, "adapter"));
    let said = hub.refusal("fetch tiny/t5 --quiet");
    assert!(said.contains("other/base"), "{said}");
    assert!(hub.has("adapter_model.safetensors"));
}
