//! Every task of the registry by its name, from a hub that has its data set under the name and in the places of the real one.

use std::collections::BTreeMap;
use std::fs;

use fsa::data::Task;
use serde_json::{Value, json};

use super::fixture::*;
use super::server::Response;
use crate::run::support::fixture;

/// Of each task, without their endings: the fixture that is the split asked for, the path that it has on the data set's `main`
/// (none, where its authors have a script or an archive there) and the one where the hub converts to.
const PLACES: [(&str, &str, Option<&str>, &str); 12] = [
    ("rte", "validation-00000-of-00001", Some("rte/validation-00000-of-00001"), "rte/validation/0000"),
    ("cb", "validation-00000-of-00001", Some("cb/validation-00000-of-00001"), "cb/validation/0000"),
    ("wic", "validation-00000-of-00001", Some("wic/validation-00000-of-00001"), "wic/validation/0000"),
    ("snli", "test-00000-of-00001", Some("plain_text/test-00000-of-00001"), "plain_text/test/0000"),
    ("openbookqa", "test-00000-of-00001", Some("main/test-00000-of-00001"), "main/test/0000"),
    (
        "trivia_qa",
        "validation-00000-of-00001",
        Some("rc.nocontext/validation-00000-of-00001"),
        "rc.nocontext/validation/0000",
    ),
    ("web_questions", "test-00000-of-00001", Some("data/test-00000-of-00001"), "default/test/0000"),
    ("wmt14_enfr", "test-00000-of-00001", Some("fr-en/test-00000-of-00001"), "fr-en/test/0000"),
    ("wmt16_ende", "test-00000-of-00001", Some("de-en/test-00000-of-00001"), "de-en/test/0000"),
    ("wmt16_enro", "test-00000-of-00001", Some("ro-en/test-00000-of-00001"), "ro-en/test/0000"),
    ("xsum", "test-00000-of-00001", Some("data/test-00000-of-00001"), "default/test/0000"),
    ("wiki_lingua", "test-00000-of-00001", None, "en/test/0000"),
];

/// A hub with the data set `id`: the splits that are asked for of all tasks whose data set it is, and beside each of a
/// configuration the same one of another.
fn data_set(id: &str, on_main: bool) -> Hub {
    let mut files: BTreeMap<String, Vec<u8>> = [("README.md".to_string(), b"what it is".to_vec())].into();
    for (task, name, main, converted) in PLACES {
        let hub = Task::named(task).unwrap().hub().unwrap().clone();
        let Some(path) = if on_main { main } else { Some(converted) }.filter(|_| hub.id == id) else { continue };
        let bytes = fs::read(fixture(&format!("parquet/{task}/{name}.parquet"))).unwrap();
        files.insert(format!("{path}.parquet"), bytes);
        if let Some(config) = hub.config {
            files.insert(format!("{}.parquet", path.replacen(&config, "another", 1)), b"not to be read".to_vec());
        }
    }
    let hub = Hub::named("datasets", id, files);
    if !on_main {
        let scripts = json!({"sha": COMMIT, "siblings": [{"rfilename": "script.py"}, {"rfilename": "data/all.zip"}]});
        hub.next("GET", "/revision/main", answer(Response::of(200, scripts.to_string())));
    }
    hub
}

fn validated(hub: &Hub, task: &str, data: &str) -> (Value, String) {
    let (shown, said) = hub.done(&format!("tasks validate {task} --json --n 12 --data {data}"));
    (serde_json::from_str(&shown).unwrap(), said)
}

#[test]
fn every_task_is_read_by_its_name_where_its_data_set_has_it() {
    assert_eq!(PLACES.map(|(task, ..)| task).to_vec(), Task::names().collect::<Vec<_>>(), "a task without a place");
    for (task, name, main, converted) in PLACES {
        let described = Task::named(task).unwrap().hub().unwrap().clone();
        let split = name.split('-').next().unwrap();
        let lines = fixture(&format!("parquet/{task}/{split}.jsonl"));
        for path in [main, Some(converted)].into_iter().flatten() {
            let on_main = main == Some(path);
            let hub = data_set(&described.id, on_main);
            let (of_hub, said) = validated(&hub, task, "hub");
            let (of_file, _) = validated(&hub, task, &lines.display().to_string());
            assert_eq!(of_hub["prompts"], of_file["prompts"], "{task}");
            let (read, file) = (&of_hub["files"][0], &of_file["files"][0]);
            let stated = format!("hub:{task}/{split}");
            let revision = if on_main { "main" } else { "refs/convert/parquet" };
            assert_eq!((&read["path"], &read["rows"]), (&stated.as_str().into(), &file["rows"]), "{task}");
            assert_eq!((&read["examples"], &read["dropped"]), (&file["examples"], &file["dropped"]), "{task}");
            assert_eq!(
                (&read["origin"]["repo"], &read["origin"]["revision"], &read["origin"]["commit"]),
                (&described.id.as_str().into(), &revision.into(), &COMMIT.into()),
                "{task}"
            );
            // The fixture has few of the rows that the real one has.
            assert_eq!(said.contains("and the task's description says"), described.rows.contains_key(split), "{said}");
            let fetched = hub.asked("HEAD", ".parquet");
            let wanted = format!("/{path}.parquet");
            assert!(!fetched.is_empty() && fetched.iter().all(|request| request.path.ends_with(&wanted)), "{task}");
        }
    }
}

#[test]
fn a_split_of_another_task_and_a_revision_may_be_named() {
    let lines = fixture("parquet/cb/validation.jsonl");
    let hub = data_set("aps/super_glue", true);
    // Its rows, read as the task that asks for them reads them.
    let (of_file, _) = validated(&hub, "snli", &lines.display().to_string());
    for revision in ["".to_string(), "@main".into(), format!("@{REFERENCE}"), format!("@{COMMIT}")] {
        let name = format!("hub:cb/validation{revision}");
        let (of_hub, _) = validated(&hub, "snli", &name);
        assert_eq!(of_hub["prompts"], of_file["prompts"], "{name}");
        assert_eq!(of_hub["files"][0]["path"], name);
        let revision = if revision.is_empty() { "main" } else { &revision[1..] };
        assert_eq!(of_hub["files"][0]["origin"]["revision"], revision);
        let (own, _) = validated(&hub, "cb", &name.replace("cb/", ""));
        assert_eq!((&own["files"][0]["path"], &own["files"][0]["rows"]), (&name.into(), &9.into()));
    }
}
