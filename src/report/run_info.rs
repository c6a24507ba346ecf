//! `run.json`: what is known about a run beside its spec, so that every published number can be traced.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Versions of the crates that compute; a test holds them against Cargo.lock.
const CANDLE: &str = "0.11.1";
const GEMM: &str = "0.19.0";

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It has started and not written its end: it runs, or it was killed.
    Running,
    /// All its work is done.
    Finished,
    /// The user stopped it; `--resume` goes on.
    Interrupted,
    /// It ended with an error.
    Failed,
}

/// The machine and how it was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Operating system, such as `linux`.
    pub os: String,
    /// Processor architecture, such as `x86_64`.
    pub arch: String,
    /// Hardware threads that the process may use.
    pub cpu_threads: usize,
    /// Where tensors live: `cpu`.
    pub device: String,
    /// Threads of the engine.
    pub threads: usize,
}

/// A file that a run has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashedFile {
    /// As given.
    pub path: PathBuf,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// The model a run started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Its folder, or its name on the hub, as given.
    pub path: PathBuf,
    /// The files read from it: weights, configuration, tokenizer.
    pub files: Vec<HashedFile>,
    /// Numbers in its parameters.
    pub params: u64,
    /// What has to be said beside every number of it; none for most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The commit that its name on the hub came to; none for a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

impl ModelInfo {
    /// What stands for its weights in signatures: the beginning of the hash of the file that they are in, or of its first shard.
    pub fn weights(&self) -> String {
        let is_weights = |file: &&HashedFile| {
            file.path.extension().is_some_and(|extension| extension == "safetensors" || extension == "bin")
        };
        let hash = |file: &HashedFile| file.sha256.chars().take(12).collect();
        self.files.iter().find(is_weights).map_or_else(|| "none".to_string(), hash)
    }
}

/// An adapter that is known by a name on the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdapterInfo {
    /// The name, as given.
    pub path: PathBuf,
    /// The commit that it came to.
    pub commit: String,
}

/// A data file that a run has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataInfo {
    /// As given.
    pub path: PathBuf,
    /// SHA-256 of its bytes, in hexadecimal; of several files, that of a line for each with its hash.
    pub sha256: String,
    /// Examples of it that are used.
    pub rows: u64,
    /// Rows in it; none in runs of old versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_rows: Option<u64>,
    /// Whether only a sample of them was read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sampled: bool,
    /// Its files, if they are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<HashedFile>,
    /// Where on a hub it is from; none for what lies here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<DataOrigin>,
}

/// A data set of a hub at one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataOrigin {
    /// `owner/name`.
    pub repo: String,
    /// The branch or tag that was asked for.
    pub revision: String,
    /// The commit that it came to.
    pub commit: String,
}

impl DataInfo {
    /// What stands for it in signatures: the beginning of its hash; of what is from a hub, the beginning of the commit; and where
    /// not every row is used or it is from a hub, how many of how many.
    pub fn signature(&self) -> String {
        let short = |hash: &str| hash.chars().take(12).collect::<String>();
        let commit = self.origin.as_ref().map(|origin| format!("@{}", short(&origin.commit))).unwrap_or_default();
        let counts = self.file_rows.filter(|_| self.sampled || self.origin.is_some());
        let counts = counts.map(|all| format!(":{}/{all}", self.rows)).unwrap_or_default();
        format!("{}{commit}{counts}", short(&self.sha256))
    }
}

/// Versions of what computed the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crates {
    /// candle-core: tensors.
    pub candle: String,
    /// gemm: matrix products.
    pub gemm: String,
}

/// What is known about a run beside its spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Version of fsa.
    pub fsa_version: String,
    /// Revision of fsa's source, where the build knew it.
    pub git_revision: Option<String>,
    /// The command line, where there was one.
    pub command: Option<Vec<String>>,
    /// Start, RFC 3339 in UTC.
    pub started: String,
    /// End of the work, RFC 3339 in UTC; none while it runs or after a kill.
    pub finished: Option<String>,
    /// How far it has come.
    pub status: Status,
    /// The machine.
    pub host: Host,
    /// Root seed of every random stream.
    pub seed: u64,
    /// The model; none until it is loaded.
    pub model: Option<ModelInfo>,
    /// Adapters from the hub that go with it. Their files, and those of others, stand among the model's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adapters: Vec<AdapterInfo>,
    /// The data files.
    pub data: Vec<DataInfo>,
    /// The line that goes with every number of this run; empty until the model is loaded.
    pub signature: String,
    /// Versions of what computed.
    pub crates: Crates,
}

impl RunInfo {
    /// A run that starts now on this machine, with nothing loaded yet.
    pub fn start(seed: u64, threads: usize, git_revision: Option<String>, command: Option<Vec<String>>) -> Self {
        Self {
            fsa_version: env!("CARGO_PKG_VERSION").into(),
            git_revision,
            command,
            started: now(),
            finished: None,
            status: Status::Running,
            host: Host {
                os: std::env::consts::OS.into(),
                arch: std::env::consts::ARCH.into(),
                // Unknown on few systems, where at least this thread runs.
                cpu_threads: std::thread::available_parallelism().map_or(1, |count| count.get()),
                device: "cpu".into(),
                threads,
            },
            seed,
            model: None,
            adapters: Vec::new(),
            data: Vec::new(),
            signature: String::new(),
            crates: Crates { candle: CANDLE.into(), gemm: GEMM.into() },
        }
    }

    /// The first file that both runs read and that holds something else now than it did `before`.
    pub fn changed_since(&self, before: &Self) -> Option<PathBuf> {
        let files = |run: &Self| -> Vec<(PathBuf, String)> {
            let model = run.model.iter().flat_map(|model| &model.files).map(|file| (&file.path, &file.sha256));
            let data = run.data.iter().map(|data| (&data.path, &data.sha256));
            model.chain(data).map(|(path, sha256)| (path.clone(), sha256.clone())).collect()
        };
        let then = files(before);
        files(self)
            .into_iter()
            .find_map(|(path, now)| then.iter().any(|(known, sha256)| *known == path && *sha256 != now).then_some(path))
    }

    /// The same run at its end.
    pub fn end(mut self, status: Status) -> Self {
        self.finished = Some(now());
        self.status = status;
        self
    }
}

/// SHA-256 of a file's bytes, in hexadecimal; read in pieces, so a model larger than memory is fine.
pub fn sha256(path: &Path) -> Result<String> {
    let failed = |source| Error::io("read", path, source);
    let mut file = File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => hash.update(&piece[..length]),
            Err(source) if source.kind() == ErrorKind::Interrupted => (),
            Err(source) => return Err(failed(source)),
        }
    }
    Ok(hexadecimal(hash))
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// [`sha256`] together with its path.
pub fn hash_file(path: &Path) -> Result<HashedFile> {
    Ok(HashedFile { path: path.to_path_buf(), sha256: sha256(path)? })
}

/// As [`hash_file`], for a file that is not on disk.
pub fn hash_bytes(path: &Path, bytes: &[u8]) -> HashedFile {
    HashedFile { path: path.to_path_buf(), sha256: hexadecimal(Sha256::new().chain_update(bytes)) }
}

/// This moment, RFC 3339 in UTC, to the second.
pub fn now() -> String {
    // A clock before 1970 is a clock that was never set.
    rfc3339(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// Seconds since 1970 as RFC 3339 in UTC.
fn rfc3339(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Gregorian calendar in eras of 400 years that start on 1 March, so that the leap day is a year's last
    // (H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days).
    let day = days + 719_468;
    let (era, day_of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day_of_month:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::RunFolder;

    #[test]
    fn data_from_a_hub_and_samples_say_so_in_signatures() {
        let whole = DataInfo {
            path: "train.tsv".into(),
            sha256: "0123456789abcdef".repeat(4),
            rows: 10,
            file_rows: Some(12),
            sampled: false,
            files: Vec::new(),
            origin: None,
        };
        assert_eq!(whole.signature(), "0123456789ab");
        assert_eq!(DataInfo { sampled: true, ..whole.clone() }.signature(), "0123456789ab:10/12");
        let commit = "fedcba9876543210".repeat(2);
        let origin = Some(DataOrigin { repo: "a/b".into(), revision: "main".into(), commit });
        assert_eq!(DataInfo { origin, ..whole }.signature(), "0123456789ab@fedcba987654:10/12");
        let old: DataInfo = serde_json::from_str(r#"{"path": "a", "sha256": "00", "rows": 3}"#).unwrap();
        assert_eq!((old.file_rows, old.signature().as_str()), (None, "00"));
    }

    #[test]
    fn times_agree_with_date() {
        // Reference: GNU date, `date -u -d @N +%FT%TZ`.
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(seconds), expected);
        }
    }

    #[test]
    fn hash_agrees_with_the_standard() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        // Reference: FIPS 180-2, appendix B.1.
        assert_eq!(sha256(&path).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(sha256(&dir.path().join("none")).unwrap_err().to_string().contains("none"));
    }

    #[test]
    fn versions_are_those_of_the_lock_file() {
        let lock = include_str!("../../Cargo.lock");
        for (name, version) in [("candle-core", CANDLE), ("gemm", GEMM)] {
            assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"")), "{name} {version}");
        }
    }

    #[test]
    fn weights_of_every_layout_have_their_hash_in_signatures() {
        let of = |names: &[&str]| {
            let file = |(place, name): (usize, &&str)| HashedFile {
                path: Path::new("model").join(name),
                sha256: format!("{place}{place}").repeat(32),
            };
            let files = names.iter().enumerate().map(file).collect();
            ModelInfo { path: "model".into(), files, params: 1, note: None, commit: None }.weights()
        };
        assert_eq!(of(&["config.json", "model.safetensors", "tokenizer.json"]), "111111111111");
        assert_eq!(
            of(&["config.json", "pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]),
            "111111111111"
        );
        assert_eq!(of(&[]), "none");
    }

    #[test]
    fn reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(dir.path(), false).unwrap();
        let mut run = RunInfo::start(u64::MAX, 2, None, Some(vec!["fsa".into(), "gradient-align".into()]));
        folder.write_run(&run).unwrap();
        assert_eq!(folder.read_run().unwrap(), run);
        run = run.end(Status::Finished);
        folder.write_run(&run).unwrap();
        assert_eq!(folder.read_run().unwrap(), run);
    }
}
