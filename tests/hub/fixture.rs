//! A hub on loopback with one repository, as the real one serves it: a listing, small files by the hub itself behind a redirect within
//! it, large ones at a second host behind an address that is signed. And the command, run against it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::json;
use sha1::Digest;
use tempfile::TempDir;

use super::server::{Request, Response, Server};
use crate::run::support::{complaint, files, fixture, stderr};

/// The one repository, if it has no other name; its commit, and another reference to it.
pub const NAME: &str = "tiny/t5";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub const REFERENCE: &str = "refs/pr/3";
/// What must be nowhere but in requests to the hub itself.
pub const TOKEN: &str = "hf_verySecretTokenOfTheTests";
/// The file that lies at the second host.
pub const WEIGHTS: &str = "model.safetensors";

/// What the hub has, and what is wrong with it.
pub struct State {
    pub files: BTreeMap<String, Vec<u8>>,
    pub commit: String,
    /// Who may see it: everybody, if none.
    pub token: Option<String>,
    /// Answers that come instead of the usual ones, each once, in order: to requests of this method whose path holds this.
    pub instead: Vec<(&'static str, &'static str, Change)>,
    kind: &'static str,
    name: String,
}

/// How an answer differs from the usual one.
pub type Change = Box<dyn Fn(Response) -> Response + Send>;

/// Any answer in its place.
pub fn answer(response: Response) -> Change {
    Box::new(move |_| response.clone())
}

/// The two servers, and a folder in which the command runs.
pub struct Hub {
    pub state: Arc<Mutex<State>>,
    pub hub: Server,
    pub elsewhere: Server,
    pub folder: TempDir,
}

pub fn sha256(bytes: &[u8]) -> String {
    hex(sha2::Sha256::digest(bytes))
}

/// The name that git gives to a file.
pub fn git(bytes: &[u8]) -> String {
    hex(sha1::Sha1::new().chain_update(format!("blob {}\0", bytes.len())).chain_update(bytes).finalize())
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_large(name: &str) -> bool {
    name.ends_with(".safetensors") || name.ends_with(".bin") || name.ends_with(".parquet")
}

impl Hub {
    /// With these files.
    pub fn with(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self::of("models", files)
    }

    /// A repository of this kind.
    pub fn of(kind: &'static str, files: BTreeMap<String, Vec<u8>>) -> Self {
        Self::named(kind, NAME, files)
    }

    /// A repository of this kind and name.
    pub fn named(kind: &'static str, name: &str, files: BTreeMap<String, Vec<u8>>) -> Self {
        let state =
            State { files, commit: COMMIT.into(), token: None, instead: Vec::new(), kind, name: name.to_string() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let elsewhere = Server::start(move |request| usual_or_not(&shared, request, elsewhere));
        // Another host by name, which is the same machine.
        let address = elsewhere.url("localhost");
        let shared = Arc::clone(&state);
        let hub = Server::start(move |request| usual_or_not(&shared, request, |s, r| hub(s, r, &address)));
        Self { state, hub, elsewhere, folder: tempfile::tempdir().unwrap() }
    }

    /// With the tiny model of the other tests, and files that nobody needs.
    pub fn tiny() -> Self {
        let place = crate::run::support::Place::new();
        let mut files: BTreeMap<String, Vec<u8>> = ["config.json", "tokenizer.json", WEIGHTS]
            .map(|name| (name.to_string(), place.read(&format!("model/{name}"))))
            .into();
        for unneeded in ["README.md", "pytorch_model.bin", "onnx/model.onnx", "tf_model.h5"] {
            files.insert(unneeded.into(), b"not needed".to_vec());
        }
        files.insert("special_tokens_map.json".into(), b"{}\n".to_vec());
        Self::with(files)
    }

    /// The next answer to a `method` request whose path holds `path` is another one.
    pub fn next(&self, method: &'static str, path: &'static str, change: Change) {
        self.state.lock().unwrap().instead.push((method, path, change));
    }

    /// The bytes of a file of the repository.
    pub fn file(&self, name: &str) -> Vec<u8> {
        self.state.lock().unwrap().files[name].clone()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The repository's folder in the cache.
    pub fn cached(&self, name: &str) -> PathBuf {
        self.path("hf/hub/models--tiny--t5").join(name)
    }

    /// Where the cache has the bytes of a file.
    pub fn blob(&self, name: &str) -> PathBuf {
        let bytes = self.file(name);
        self.cached("blobs").join(if is_large(name) { sha256(&bytes) } else { git(&bytes) })
    }

    /// Whether the cache has the file `name` whole.
    pub fn has(&self, name: &str) -> bool {
        let path = self.cached("snapshots").join(&self.state.lock().unwrap().commit).join(name);
        fs::read(path).is_ok_and(|bytes| bytes == self.file(name))
    }

    /// `program` in the folder, with nothing of the environment that concerns hubs but what points to this one.
    pub fn run(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().to_uppercase();
            if name.starts_with("HF_")
                || name.starts_with("HUGG")
                || name.ends_with("_PROXY")
                || name.ends_with("_CERT_FILE")
                || name == "REQUESTS_CA_BUNDLE"
            {
                command.env_remove(&name).env_remove(name.to_lowercase());
            }
        }
        command
            .env("HF_HOME", self.path("hf"))
            .env("HF_ENDPOINT", self.hub.url("127.0.0.1"))
            .env("FSA_HUB_RETRY_MS", "1")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// `fsa ARGUMENTS`, split at white space.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = self.run(env!("CARGO_BIN_EXE_fsa"));
        command.args(arguments.split_whitespace());
        command
    }

    /// Runs it, which must succeed; what it says on both channels.
    pub fn done(&self, arguments: &str) -> (String, String) {
        let output = self.command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments}: {}", stderr(&output));
        (String::from_utf8(output.stdout.clone()).unwrap(), stderr(&output))
    }

    /// The last line with which it refuses; nothing is printed as a result.
    pub fn refusal(&self, arguments: &str) -> String {
        refused(&self.command(arguments).output().unwrap())
    }

    /// Requests of `method` to either server whose path holds `path`.
    pub fn asked(&self, method: &str, path: &str) -> Vec<Request> {
        let all = self.hub.requests().into_iter().chain(self.elsewhere.requests());
        all.filter(|request| request.method == method && request.path.contains(path)).collect()
    }

    /// Every file in the folder, cache included, holds no token; nor does `said`.
    pub fn assert_no_token(&self, said: &[&str]) {
        for (name, bytes) in files(self.folder.path()) {
            let holds = bytes.is_some_and(|bytes| bytes.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()));
            assert!(!holds, "{} holds the token", name.display());
        }
        assert!(said.iter().all(|text| !text.contains(TOKEN)), "{said:?}");
    }
}

/// The error that a command ended with, which is its only one and not a panic.
pub fn refused(output: &Output) -> String {
    let text = stderr(output);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    complaint(text.lines().last().unwrap_or_default())
}

/// The tied model of the fixtures as PyTorch saved it, and a SentencePiece model: no safetensors and no tokenizer.json.
pub fn pickled() -> BTreeMap<String, Vec<u8>> {
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/spiece/ok_unigram");
    let read = |path: PathBuf| fs::read(path).unwrap();
    [
        ("config.json", read(fixture("t5/v1_0_tied_relu/config.json"))),
        ("pytorch_model.bin", read(fixture("layouts/tied/pytorch_model.bin"))),
        ("spiece.model", read(corpus)),
        // The rows that this small embedding has beside the pieces.
        ("tokenizer_config.json", b"{\"extra_ids\": 4}".to_vec()),
    ]
    .map(|(name, bytes)| (name.to_string(), bytes))
    .into()
}

fn usual_or_not(state: &Mutex<State>, request: &Request, usual: impl Fn(&State, &Request) -> Response) -> Response {
    let mut state = state.lock().unwrap();
    let usual = usual(&state, request);
    let fits = |(method, path, _): &(&str, &str, Change)| request.method == *method && request.path.contains(path);
    match state.instead.iter().position(fits) {
        Some(place) => (state.instead.remove(place).2)(usual),
        None => usual,
    }
}

/// The hub itself.
fn hub(state: &State, request: &Request, elsewhere: &str) -> Response {
    let not_found = |code: &str| Response::of(404, "no").with("x-error-code", code);
    if state.token.as_ref().is_some_and(|token| request.header("authorization") != Some(&format!("Bearer {token}"))) {
        return Response::of(401, "who?").with("x-error-code", "GatedRepo");
    }
    let path = request.path.split('?').next().unwrap().trim_start_matches('/');
    // Files are there under a reference too.
    let path = &path.replace("/resolve/refs%2Fpr%2F3/", &format!("/resolve/{}/", state.commit));
    if let Some(path) = path.strip_prefix(&format!("api/{}/", state.kind)) {
        let Some(revision) = path.strip_prefix(&format!("{}/revision/", state.name)) else {
            return not_found("RepoNotFound");
        };
        if !["main", "refs%2Fpr%2F3", "refs%2Fconvert%2Fparquet", &state.commit].contains(&revision) {
            return not_found("RevisionNotFound");
        }
        let file = |(name, bytes): (&String, &Vec<u8>)| match is_large(name) {
            true => {
                let lfs = json!({"sha256": sha256(bytes), "size": bytes.len(), "pointerSize": 130});
                json!({"rfilename": name, "size": bytes.len(), "blobId": "f".repeat(40), "lfs": lfs})
            }
            false => json!({"rfilename": name, "size": bytes.len(), "blobId": git(bytes)}),
        };
        let siblings: Vec<_> = state.files.iter().map(file).collect();
        let info = json!({"id": state.name, "sha": state.commit, "private": false, "siblings": siblings});
        return Response::of(200, info.to_string()).with("content-type", "application/json");
    }
    let prefix = if state.kind == "models" { String::new() } else { format!("{}/", state.kind) };
    let here = path.strip_prefix("cache/");
    let resolve = format!("{prefix}{}/resolve/{}/", state.name, state.commit);
    let Some(name) = here.unwrap_or(path).strip_prefix(&resolve) else {
        return not_found("RepoNotFound");
    };
    let Some(bytes) = state.files.get(&decoded(name)) else { return not_found("EntryNotFound") };
    let with = |response: Response| response.with("x-repo-commit", &state.commit);
    if is_large(name) {
        let hash = sha256(bytes);
        return with(Response::of(302, "elsewhere"))
            .with("x-linked-size", bytes.len())
            .with("x-linked-etag", format!("\"{hash}\""))
            .with("etag", "\"of-the-redirect\"")
            .with("location", format!("{elsewhere}/{hash}/{name}?signature=secret"));
    }
    match here {
        None => with(Response::of(307, "within")).with("location", format!("/cache/{path}")),
        Some(_) => with(ranged(bytes, request)).with("etag", format!("W/\"{}\"", git(bytes))),
    }
}

/// A path as it was before it became a part of an address: spaces are all that there is in these names.
fn decoded(path: &str) -> String {
    path.replace("%20", " ")
}

/// The second host.
fn elsewhere(state: &State, request: &Request) -> Response {
    // Files of one name in several folders are told apart by what they hold.
    let hash = request.path.trim_start_matches('/').split('/').next().unwrap();
    match state.files.iter().find(|(_, bytes)| sha256(bytes) == hash) {
        Some((_, bytes)) if request.path.contains("?signature=") => ranged(bytes, request).with("etag", "\"another\""),
        _ => Response::of(403, "no signature"),
    }
}

/// A file, or the rest of it that is asked for.
fn ranged(bytes: &[u8], request: &Request) -> Response {
    let start = request.header("range").map(|range| {
        range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')).unwrap().parse::<usize>().unwrap()
    });
    match start {
        None => Response::of(200, bytes),
        Some(start) if start < bytes.len() => Response::of(206, &bytes[start..])
            .with("content-range", format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len())),
        Some(_) => Response::of(416, "beyond").with("content-range", format!("bytes */{}", bytes.len())),
    }
}
