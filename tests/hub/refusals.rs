//! What is not there, or not for everybody, or no hub at all: one line that says what to do.

use std::collections::BTreeMap;

use serde_json::json;

use super::fixture::*;
use super::server::Response;
use crate::run::support::stderr;

#[test]
fn what_is_not_there_is_named() {
    let hub = Hub::tiny();
    let host = hub.hub.url("127.0.0.1").replace("http://", "");
    assert_eq!(
        hub.refusal("generate --model tiny/none --prompt p"),
        format!(
            "tiny/none: --model: there is no such folder, and {host} has no model `tiny/none`; check its name, or it is \
             private, and needs a token in HF_TOKEN"
        )
    );
    let said = hub.refusal("fetch tiny/t5@v9");
    assert!(
        said.ends_with("the model `tiny/t5` has no revision `v9`; give a branch, a tag or a commit after the @"),
        "{said}"
    );
    hub.next("HEAD", "config.json", answer(Response::of(404, "no").with("x-error-code", "EntryNotFound")));
    let said = hub.refusal("fetch tiny/t5");
    assert_eq!(said, "the model `tiny/t5` has no file `config.json`; check its files on the hub");
    // Hubs say 401 to those whom they do not know.
    hub.next("GET", "/api/", answer(Response::of(401, "who?").with("x-error-code", "RepoNotFound")));
    assert!(hub.refusal("fetch tiny/hidden").contains(" has no model `tiny/hidden`; check its name, or it is private"));
    for wrong in ["tiny", "a/b/c", "tiny/t5@../x", "-a/b", "--", "tiny/t5@"] {
        let output = hub.command("fetch").args(["--", wrong]).output().unwrap();
        let said = refused(&output);
        assert!(
            said.starts_with(&format!("`{wrong}`: it is neither the name of a model on the hub nor that of a task; ")),
            "{said}"
        );
    }
}

#[test]
fn a_missing_or_wrong_token_is_said_and_never_shown() {
    let hub = Hub::tiny();
    hub.state.lock().unwrap().token = Some(TOKEN.into());
    let said = hub.refusal("fetch tiny/t5");
    assert!(said.contains("access to the model `tiny/t5` is restricted (401, by 127.0.0.1:"), "{said}");
    assert!(said.ends_with("set HF_TOKEN, or log in once with `hf auth login`"), "{said}");
    let with = |token: &str, change: Change| {
        hub.next("GET", "/api/", change);
        let output = hub.command("fetch tiny/t5").env("HF_TOKEN", token).output().unwrap();
        hub.assert_no_token(&[&stderr(&output)]);
        refused(&output)
    };
    let said = with("hf_wrong", answer(Response::of(401, "no")));
    assert!(said.contains(" does not accept the token (401), for the model `tiny/t5`; set HF_TOKEN to one"), "{said}");
    let said = with(TOKEN, answer(Response::of(403, "no").with("x-error-code", "GatedRepo")));
    assert!(said.contains("is restricted (403, by 127.0.0.1:") && said.contains("; ask for access to it on"), "{said}");
    // A server that sends the token back.
    let said = with(TOKEN, answer(Response::of(400, TOKEN).with("x-error-message", format!("bad {TOKEN} here"))));
    assert!(said.contains("answered 400 for the model `tiny/t5`: bad … here"), "{said}");
    let said = refused(&hub.command("fetch tiny/t5").env("HF_TOKEN", format!("{TOKEN} {TOKEN}")).output().unwrap());
    assert!(said.starts_with("HF_TOKEN: it is no token: ") && !said.contains(TOKEN), "{said}");
}

#[test]
fn what_is_no_hub_is_refused() {
    for (change, wanted) in [
        (
            answer(Response::of(200, "<html>log in to the network</html>")),
            "does not answer as a hub does: its listing of files is not one",
        ),
        (
            answer(Response::of(200, json!({"sha": "main", "siblings": []}).to_string())),
            "does not answer as a hub does: it names no commit",
        ),
        (answer(Response::of(302, "").with("location", "file:///etc/passwd")), "redirected to what is no address"),
        (answer(Response::of(200, json!({"sha": COMMIT}).to_string())), "it has no config.json (it has nothing)"),
    ] {
        let hub = Hub::tiny();
        hub.next("GET", "/api/", change);
        let said = hub.refusal("fetch tiny/t5");
        assert!(said.contains(wanted), "{said}");
    }
    let hub = Hub::tiny();
    for _ in 0..20 {
        hub.next("GET", "/api/", answer(Response::of(302, "").with("location", "/api/again")));
    }
    assert!(hub.refusal("fetch tiny/t5").contains("redirected without end"));
    // Headers that would lead out of the cache.
    let hub = Hub::tiny();
    hub.next("HEAD", "cache/", answer(Response::of(200, "").with("etag", "\"../../../evil\"")));
    assert!(hub.refusal("fetch tiny/t5").contains("does not say what `config.json` of `tiny/t5` holds"));
}

#[test]
fn repositories_that_are_no_models_for_fsa_are_named() {
    let hub = |files: &[(&str, &str)]| {
        Hub::with(files.iter().map(|(name, text)| (name.to_string(), text.as_bytes().to_vec())).collect())
    };
    let said = hub(&[("README.md", ""), ("data.csv", "")]).refusal("fetch tiny/t5");
    assert!(
        said.contains("`tiny/t5` is no model that fsa reads: it has no config.json (it has README.md, data.csv)"),
        "{said}"
    );
    let said = hub(&[("config.json", "{}"), ("flax_model.msgpack", "")]).refusal("fetch tiny/t5");
    assert!(
        said.contains("`tiny/t5` has no weights that fsa reads, no model.safetensors or pytorch_model.bin in one"),
        "{said}"
    );
    assert!(said.contains("(it has flax_model.msgpack)"), "{said}");
    // An index that leads elsewhere.
    let index = json!({"weight_map": {"a": "../../../../evil.bin"}}).to_string();
    let said = hub(&[("config.json", "{}"), ("pytorch_model.bin.index.json", &index)]).refusal("fetch tiny/t5");
    assert!(said.contains("the model `tiny/t5` has no file `../../../../evil.bin`"), "{said}");
}

#[test]
fn names_that_would_leave_the_snapshot_are_no_files() {
    let files: BTreeMap<String, Vec<u8>> =
        [("config.json", "{}"), ("adapter_config.json", "{}"), ("../evil", "x"), ("adapter_model.bin", "x")]
            .map(|(name, text)| (name.to_string(), text.into()))
            .into();
    let hub = Hub::with(files);
    hub.done("fetch tiny/t5");
    assert!(hub.asked("GET", "evil").is_empty() && hub.has("adapter_model.bin"));
}
