//! Data sets, which the library fetches file by file.

use std::fs;
use std::path::PathBuf;

use fsa::experiment::fetch::{Dataset, dataset};
use fsa::hub::{Hub as Client, Id, RepoKind, Silent};

use super::fixture::*;
use super::server::Response;

const FILE: &str = "data/train 1.parquet";

fn of(hub: &Hub) -> Client {
    let variables = [
        ("HF_HOME", hub.path("hf").display().to_string()),
        ("HF_ENDPOINT", hub.hub.url("127.0.0.1")),
        ("HF_TOKEN", TOKEN.to_string()),
        ("FSA_HUB_RETRY_MS", "1".to_string()),
    ];
    let client = Client::from_variables(&|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    });
    let client = client.unwrap();
    assert!(!format!("{client:?}").contains(TOKEN), "{client:?}");
    client
}

fn fixture() -> Hub {
    let files = [(FILE, vec![7; 3_000_000]), ("README.md", b"what it is".to_vec())];
    Hub::of("datasets", files.map(|(name, bytes)| (name.to_string(), bytes)).into())
}

#[test]
fn files_arrive_where_huggingface_hub_has_them() {
    let hub = fixture();
    let id = Id::parse("tiny/t5@refs/pr/3").unwrap();
    let fetched = dataset(&of(&hub), &Dataset { id: id.clone(), files: vec![FILE.into()] }, &mut Silent).unwrap();
    let folder = hub.path("hf/hub/datasets--tiny--t5");
    assert_eq!((fetched.id.as_str(), fetched.commit.as_str(), fetched.bytes), ("tiny/t5@refs/pr/3", COMMIT, 3_000_000));
    assert_eq!(fetched.path, folder.join("snapshots").join(COMMIT));
    let link = fs::read_link(fetched.path.join(FILE)).unwrap();
    assert_eq!(link, PathBuf::from("../../../blobs").join(sha256(&hub.file(FILE))));
    assert_eq!(fs::read(fetched.path.join(FILE)).unwrap(), hub.file(FILE));
    assert_eq!(fs::read_to_string(folder.join("refs/refs/pr/3")).unwrap(), COMMIT);
    let repo = of(&hub).repo(RepoKind::Dataset, "tiny/t5", None, &mut Silent).unwrap();
    let sizes: Vec<_> = repo.files().iter().map(|file| (file.path.as_str(), file.size)).collect();
    assert_eq!(sizes, [("README.md", Some(10)), (FILE, Some(3_000_000))]);
    hub.assert_no_token(&[]);
}

#[test]
fn what_is_not_there_is_named() {
    let hub = fixture();
    let client = of(&hub);
    let error = client.repo(RepoKind::Dataset, "tiny/none", None, &mut Silent).unwrap_err().to_string();
    assert!(
        error.ends_with("has no data set `tiny/none`; check its name, or the token's account may not see it"),
        "{error}"
    );
    let repo = client.repo(RepoKind::Dataset, "tiny/t5", Some("main"), &mut Silent).unwrap();
    let error = repo.file("data/none.parquet", &mut Silent).unwrap_err().to_string();
    assert_eq!(error, "the data set `tiny/t5@main` has no file `data/none.parquet`; check its files on the hub");
    // One that the listing has and the hub does not.
    hub.next("HEAD", "README", answer(Response::of(404, "no").with("x-error-code", "EntryNotFound")));
    assert!(repo.file("README.md", &mut Silent).unwrap_err().to_string().contains("has no file `README.md`"));
    for name in ["x", "../x/y", "x/y/z"] {
        let error = client.repo(RepoKind::Dataset, name, None, &mut Silent).unwrap_err().to_string();
        assert_eq!(error, format!("`{name}` is no name of a repository; give OWNER/NAME"));
    }
}
