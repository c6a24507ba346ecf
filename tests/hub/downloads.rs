//! What arrives, and how: redirects, repeats, connections that are cut, and what a disk or another process does meanwhile.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::fixture::*;
use super::server::Response;
use crate::run::support::stderr;

fn cut(at: usize) -> Change {
    Box::new(move |usual| Response { cut: Some(at), ..usual })
}

#[test]
fn a_model_arrives_in_the_layout_that_every_program_shares() {
    let hub = Hub::tiny();
    let output = hub.command("fetch tiny/t5").env("HF_TOKEN", TOKEN).output().unwrap();
    let (said, shown) = (stderr(&output), String::from_utf8(output.stdout.clone()).unwrap());
    assert_eq!(output.status.code(), Some(0), "{said}");
    for name in ["config.json", "tokenizer.json", "special_tokens_map.json", WEIGHTS] {
        assert!(hub.has(name), "{name}");
        let link = fs::read_link(hub.cached("snapshots").join(COMMIT).join(name)).unwrap();
        assert_eq!(link, Path::new("../../blobs").join(hub.blob(name).file_name().unwrap()));
    }
    assert_eq!(fs::read_to_string(hub.cached("refs/main")).unwrap(), COMMIT);
    assert_eq!(fs::read_dir(hub.cached("blobs")).unwrap().count(), 4, "more than is needed, or parts");
    // The token goes to the hub, whose redirects within it are followed, and not on to where it points.
    assert!(hub.asked("GET", "/cache/tiny/t5/resolve/").len() == 3 && hub.asked("GET", "signature").len() == 1);
    let bearer = format!("Bearer {TOKEN}");
    assert!(hub.hub.requests().iter().all(|request| request.header("authorization") == Some(&bearer)));
    assert!(hub.elsewhere.requests().iter().all(|request| request.header("authorization").is_none()));
    hub.assert_no_token(&[&said, &shown]);
    assert!(!said.contains("signature") && said.contains("tiny/t5/model.safetensors  "), "{said}");
    assert!(shown.starts_with("tiny/t5  0123456789ab  4 files  "), "{shown}");
    // Again: the hub is asked what there is, and for no file.
    let before = (hub.hub.requests().len(), hub.elsewhere.requests().len());
    hub.done("fetch tiny/t5");
    assert_eq!((hub.hub.requests().len(), hub.elsewhere.requests().len()), (before.0 + 1, before.1));
    // Another reference to the same commit needs no file either.
    hub.done(&format!("fetch tiny/t5@{REFERENCE}"));
    assert_eq!(fs::read_to_string(hub.cached("refs/refs/pr/3")).unwrap(), COMMIT);
    assert_eq!(hub.elsewhere.requests().len(), before.1);
}

#[test]
fn a_login_counts_as_a_token() {
    let hub = Hub::tiny();
    hub.state.lock().unwrap().token = Some(TOKEN.into());
    fs::create_dir(hub.path("hf")).unwrap();
    fs::write(hub.path("hf/token"), format!("{TOKEN}\n")).unwrap();
    let (shown, said) = hub.done("fetch tiny/t5");
    assert!(hub.has(WEIGHTS) && !shown.contains(TOKEN) && !said.contains(TOKEN));
    assert!(hub.elsewhere.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    let hub = Hub::tiny();
    hub.next("GET", "/api/", answer(Response::of(429, "slowly").with("retry-after", 1)));
    hub.next("HEAD", "config.json", answer(Response::of(503, "later")));
    hub.next("GET", "tokenizer.json", answer(Response::of(500, "oh")));
    for _ in 0..3 {
        hub.next("GET", "signature", answer(Response::of(502, "oh")));
    }
    let begun = Instant::now();
    hub.done("fetch tiny/t5");
    assert!(hub.has(WEIGHTS) && begun.elapsed() >= Duration::from_secs(1), "Retry-After was not kept");
    assert_eq!(hub.asked("GET", "signature").len(), 4);
    assert!(hub.state.lock().unwrap().instead.is_empty());
}

#[test]
fn a_server_that_stays_in_trouble_is_given_up() {
    let hub = Hub::tiny();
    for _ in 0..20 {
        hub.next("GET", "signature", answer(Response::of(503, "oh")));
    }
    let said = hub.refusal("fetch tiny/t5");
    assert!(said.starts_with("localhost:"), "{said}");
    assert!(said.ends_with(" answered 503 (service unavailable); it is in trouble: run it again later"), "{said}");
    assert_eq!(hub.asked("GET", "signature").len(), 6);
    let hub = Hub::tiny();
    hub.next("GET", "/api/", answer(Response::of(429, "no").with("retry-after", 86_400)));
    let said = hub.refusal("fetch tiny/t5");
    assert!(said.ends_with("429 (too many requests); it asks for a pause of 86400s: try again then"), "{said}");
}

#[test]
fn a_connection_that_is_cut_is_gone_on_from() {
    let hub = Hub::tiny();
    hub.next("GET", "signature", cut(1000));
    hub.next("GET", "signature", cut(500));
    hub.next("GET", "cache/tiny/t5/resolve", cut(0));
    hub.done("fetch tiny/t5");
    assert!(hub.has(WEIGHTS) && hub.has("config.json"));
    let ranges: Vec<_> =
        hub.elsewhere.requests().iter().map(|request| request.header("range").map(String::from)).collect();
    assert_eq!(ranges, [None, Some("bytes=1000-".into()), Some("bytes=1500-".into())]);
    // A server that does not know ranges sends everything again.
    let hub = Hub::tiny();
    let whole = hub.file(WEIGHTS);
    hub.next("GET", "signature", cut(1000));
    hub.next("GET", "signature", answer(Response::of(200, whole)));
    hub.done("fetch tiny/t5");
    assert!(hub.has(WEIGHTS));
    // And one that claims that there is nothing more.
    let hub = Hub::tiny();
    hub.next("GET", "signature", cut(1000));
    hub.next("GET", "signature", answer(Response::of(416, "no")));
    hub.done("fetch tiny/t5");
    assert!(hub.has(WEIGHTS));
}

#[test]
fn a_connection_that_is_cut_again_and_again_leaves_what_has_arrived() {
    let hub = Hub::tiny();
    hub.next("GET", "signature", cut(1000));
    for _ in 0..20 {
        hub.next("GET", "signature", cut(0));
    }
    let said = hub.refusal("fetch tiny/t5");
    assert!(said.contains(" broke off after 1000 of "), "{said}");
    assert!(said.ends_with("what has arrived is kept: run it again, and it goes on from there"), "{said}");
    let part = hub.blob(WEIGHTS).with_extension("incomplete");
    assert_eq!(fs::read(&part).unwrap(), hub.file(WEIGHTS)[..1000]);
    let (shown, _) = hub.done("cache");
    assert!(shown.contains(" + 1.0 kB incomplete  "), "{shown}");
    hub.state.lock().unwrap().instead.clear();
    let (_, said) = hub.done("fetch tiny/t5");
    assert!(said.contains("of which 1.0 kB are here already"), "{said}");
    assert_eq!(hub.elsewhere.requests().last().unwrap().header("range"), Some("bytes=1000-"));
    assert!(hub.has(WEIGHTS) && !part.exists());
}

#[test]
fn a_server_that_never_sends_all_is_given_up() {
    // It knows no ranges, and begins again each time: without an end, were the same bytes taken for progress.
    let hub = Hub::tiny();
    for _ in 0..20 {
        let whole = hub.file(WEIGHTS);
        hub.next("GET", "signature", answer(Response { cut: Some(1000), ..Response::of(200, whole) }));
    }
    let said = hub.refusal("fetch tiny/t5");
    assert!(said.contains(" broke off after 1000 of "), "{said}");
}

#[test]
fn what_is_not_what_was_announced_is_not_kept() {
    let hub = Hub::tiny();
    let flipped = |mut usual: Response| {
        usual.body[700] ^= 1;
        usual
    };
    hub.next("GET", "signature", Box::new(flipped));
    let said = hub.refusal("fetch tiny/t5");
    assert!(said.contains(" sent for tiny/t5/model.safetensors is not what it announces: its SHA-256 is "), "{said}");
    assert!(!hub.blob(WEIGHTS).exists() && !hub.blob(WEIGHTS).with_extension("incomplete").exists());
    hub.next("GET", "cache/tiny/t5/resolve", Box::new(|usual| Response::of(200, usual.body.to_ascii_uppercase())));
    fs::remove_dir_all(hub.path("hf")).unwrap();
    assert!(hub.refusal("fetch tiny/t5").contains("config.json is not what it announces: its git hash is "));
    hub.done("fetch tiny/t5");
    // A part that an earlier attempt left, and that is of something else.
    fs::remove_file(hub.blob(WEIGHTS)).unwrap();
    fs::write(hub.blob(WEIGHTS).with_extension("incomplete"), "something else").unwrap();
    hub.done("fetch tiny/t5");
    assert!(hub.has(WEIGHTS));
}

#[test]
fn a_file_that_a_crash_has_cut_short_is_fetched_again() {
    let hub = Hub::tiny();
    hub.done("fetch tiny/t5");
    for name in [WEIGHTS, "config.json"] {
        let whole = fs::read(hub.blob(name)).unwrap();
        fs::write(hub.blob(name), &whole[..whole.len() / 2]).unwrap();
    }
    let (_, said) = hub.done("fetch tiny/t5");
    assert!(hub.has(WEIGHTS) && hub.has("config.json"));
    assert!(said.contains("fsa: warning: tiny/t5/model.safetensors is damaged in the cache ("), "{said}");
    // A link that leads nowhere, as when a blob was deleted by hand.
    fs::remove_file(hub.blob("config.json")).unwrap();
    hub.done("fetch tiny/t5");
    assert!(hub.has("config.json"));
}

#[test]
fn two_processes_share_one_download() {
    let hub = Hub::tiny();
    hub.next("GET", "signature", Box::new(|usual| Response { slow: Duration::from_millis(1500), ..usual }));
    let mut first = hub.command("fetch tiny/t5").spawn().unwrap();
    while hub.elsewhere.requests().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (_, said) = hub.done("fetch tiny/t5");
    assert!(first.wait().unwrap().success());
    assert!(hub.has(WEIGHTS));
    assert_eq!(hub.elsewhere.requests().len(), 1, "fetched twice");
    assert!(said.contains("another process is fetching tiny/t5/model.safetensors; waiting for it"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_process_that_is_ended_leaves_its_part_and_no_lock() {
    for signal in ["KILL", "INT"] {
        let hub = Hub::tiny();
        hub.next("GET", "signature", Box::new(|usual| Response { slow: Duration::from_secs(20), ..usual }));
        let part = hub.blob(WEIGHTS).with_extension("incomplete");
        let half = hub.file(WEIGHTS).len() as u64 / 2;
        let fetch = hub.command("fetch tiny/t5").stderr(Stdio::piped()).spawn().unwrap();
        while fs::metadata(&part).map_or(0, |part| part.len()) < half {
            std::thread::sleep(Duration::from_millis(5));
        }
        let kill = format!("kill -s {signal} {}", fetch.id());
        let kill = Command::new("/bin/sh").args(["-c", &kill]).status().unwrap();
        assert!(kill.success());
        let output = fetch.wait_with_output().unwrap();
        if signal == "INT" {
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(130), "{said}");
            assert!(
                said.ends_with("stopped; what has arrived is kept: the same command goes on from there\n"),
                "{said}"
            );
        }
        hub.done("fetch tiny/t5");
        assert!(hub.has(WEIGHTS));
        assert_eq!(hub.elsewhere.requests().last().unwrap().header("range"), Some(format!("bytes={half}-").as_str()));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_keeps_what_is_there() {
    let hub = Hub::tiny();
    // As on a full disk, no write succeeds.
    fs::create_dir_all(hub.cached("blobs")).unwrap();
    std::os::unix::fs::symlink("/dev/full", hub.blob("config.json").with_extension("incomplete")).unwrap();
    let said = hub.refusal("fetch tiny/t5");
    assert!(said.contains(".incomplete: cannot write it: No space left on device (os error 28); free some"), "{said}");
    assert!(said.ends_with("are kept, and the same command goes on from there"), "{said}");
    fs::remove_dir_all(hub.path("hf")).unwrap();
    // As in a quota's last blocks, some of it fits: 8 blocks of 512 or 1024 bytes, which the other files do not need.
    hub.state.lock().unwrap().files.remove("tokenizer.json");
    let limited = format!("trap '' XFSZ; ulimit -f 8; exec {} fetch tiny/t5", env!("CARGO_BIN_EXE_fsa"));
    let output = hub.run("/bin/sh").args(["-c", &limited]).output().unwrap();
    let said = refused(&output);
    assert!(
        said.contains("cannot write it: File too large (os error 27); free some space, or set HF_HOME to"),
        "{said}"
    );
    let part = fs::metadata(hub.blob(WEIGHTS).with_extension("incomplete")).unwrap().len();
    assert!([4096, 8192].contains(&part) && said.contains(&format!("; the {part} of ")), "{said}");
    hub.done("fetch tiny/t5");
    assert_eq!(hub.elsewhere.requests().last().unwrap().header("range"), Some(format!("bytes={part}-").as_str()));
    assert!(hub.has(WEIGHTS));
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_keeps_what_has_arrived() {
    let hub = Hub::tiny();
    // Room for the other files and some of the weights; in a mount of its own, which goes with the process.
    let size = hub.file("tokenizer.json").len() + 20_000;
    let fsa = env!("CARGO_BIN_EXE_fsa");
    let script = format!(
        "mkdir -p small && mount -t tmpfs -o size={size} tmpfs small || exit 77; HF_HOME=small {fsa} fetch tiny/t5; code=$?; \
         cp -a small hf; exit $code"
    );
    let output = hub.run("unshare").args(["--mount", "--map-root-user", "sh", "-c", &script]).output();
    let said = output.as_ref().map_or_else(|error| error.to_string(), stderr);
    if !said.contains("fsa: ") {
        println!("skipped: no file system of a limited size can be mounted here: {said}");
        return;
    }
    let said = refused(&output.unwrap());
    assert!(
        said.contains("incomplete: cannot write it: No space left on device (os error 28); free some space"),
        "{said}"
    );
    let part = fs::metadata(hub.blob(WEIGHTS).with_extension("incomplete")).unwrap().len();
    assert!(part > 0 && said.contains(&format!("; the {part} of ")), "{said}");
    hub.done("fetch tiny/t5");
    assert_eq!(hub.elsewhere.requests().last().unwrap().header("range"), Some(format!("bytes={part}-").as_str()));
    assert!(hub.has(WEIGHTS));
}
