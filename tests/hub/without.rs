//! Without a network: what is in the cache is used, and what is not is named.

use std::fs;
use std::net::TcpListener;

use super::fixture::*;
use crate::run::support::stderr;

const GENERATE: &str = "generate --model tiny/t5 --prompt cat --max-new-tokens 3";

#[test]
fn offline_asks_nobody() {
    let hub = Hub::tiny();
    let offline = |arguments: &str| hub.command(arguments).env("HF_HUB_OFFLINE", "1").output().unwrap();
    let said = refused(&offline(GENERATE));
    let wanted = "the model `tiny/t5` is not in the cache, and HF_HUB_OFFLINE is set; get it with `fsa fetch tiny/t5` while online";
    assert!(said.starts_with("tiny/t5: --model: there is no such folder, and ") && said.ends_with(wanted), "{said}");
    assert!(hub.hub.requests().is_empty());
    hub.done("fetch tiny/t5");
    let asked = hub.hub.requests().len();
    let output = offline(GENERATE);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert!(offline(&GENERATE.replace("t5 ", &format!("t5@{COMMIT} "))).status.success());
    assert!(refused(&offline(&GENERATE.replace("t5 ", "t5@v9 "))).contains("`tiny/t5@v9` is not in the cache"));
    // What a crash has cut short is seen without the hub too.
    let whole = fs::read(hub.blob(WEIGHTS)).unwrap();
    fs::write(hub.blob(WEIGHTS), &whole[..whole.len() / 2]).unwrap();
    let said = refused(&offline(GENERATE));
    assert!(said.contains("model.safetensors: --model: it is damaged (its SHA-256 is "), "{said}");
    fs::remove_file(hub.blob(WEIGHTS)).unwrap();
    assert!(
        refused(&offline(GENERATE)).contains("the cache has no weights of `tiny/t5`, and HF_HUB_OFFLINE is set; get")
    );
    assert_eq!(hub.hub.requests().len(), asked);
}

#[test]
fn a_hub_that_cannot_be_reached_leaves_the_cache() {
    let hub = Hub::tiny();
    // A port that nobody listens at.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let cut_off = || hub.command(GENERATE).env("HF_ENDPOINT", format!("http://127.0.0.1:{port}")).output().unwrap();
    let said = refused(&cut_off());
    let wanted = format!(
        "tiny/t5: --model: there is no such folder, and 127.0.0.1:{port} does not accept connections; check the network"
    );
    assert!(said.starts_with(&wanted), "{said}");
    let here = hub.done(GENERATE).0;
    let output = cut_off();
    assert_eq!((output.status.code(), String::from_utf8(output.stdout.clone()).unwrap()), (Some(0), here));
    let said = stderr(&output);
    assert!(said.starts_with(&format!("fsa: warning: 127.0.0.1:{port} does not accept connections; ")), "{said}");
    assert!(said.trim_end().ends_with(&format!("tiny/t5 is taken from the cache, at commit {COMMIT}")), "{said}");
}
