//! A folder with a tiny model, data for it and a config; the built command run in it; and what to hold its answers against.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use candle_core::Tensor;
use fsa::model::{T5, T5Config};
use fsa::spec::Seeds;
use serde_json::Value;
use tempfile::TempDir;

/// A tiny T5 v1.1: 12 more rows in its embedding than the fixture's tokenizer has tokens, as real models have.
pub const CONFIG: &str = r#"{
 "model_type": "t5",
 "vocab_size": 288,
 "d_model": 16,
 "d_kv": 4,
 "d_ff": 16,
 "num_layers": 2,
 "num_decoder_layers": 2,
 "num_heads": 2,
 "feed_forward_proj": "gated-gelu",
 "tie_word_embeddings": false,
 "relative_attention_num_buckets": 8,
 "relative_attention_max_distance": 32,
 "pad_token_id": 0,
 "eos_token_id": 1,
 "decoder_start_token_id": 0
}
"#;

/// What every run here has in common; flags win over it.
pub const RUN_TOML: &str = "\
model = 'model'
train = 'train.tsv'
threads = 1
steps = 4
probe-every = 2
probe-batches = 2
batch-size = 8
shuffles = 2
";

/// A folder that goes away with the test. Commands run in it, so that paths in their messages are the same everywhere.
pub struct Place {
    folder: TempDir,
}

impl Place {
    /// With `model/`, `train.tsv` (72 examples, both labels) and `run.toml`.
    pub fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.model("model", CONFIG);
        place.write("train.tsv", train(72));
        place.write("run.toml", RUN_TOML);
        place
    }

    /// Where `name` lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the file `name`, in a folder that exists.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// The bytes of the file `name`.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The text of the file `name`.
    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// Makes the model folder `name`: random weights for `config`, and the fixture's tokenizer.
    pub fn model(&self, name: &str, config: &str) {
        fs::create_dir(self.path(name)).unwrap();
        let model = T5::random(T5Config::parse(config, Path::new("config.json")).unwrap(), Seeds::new(0)).unwrap();
        let tensors = model.params().iter().map(|param| (param.name().to_string(), param.value().clone()));
        self.write(&format!("{name}/config.json"), config);
        self.save(name, &tensors.collect());
        fs::copy(fixture("tokenizer/tokenizer.json"), self.path(name).join("tokenizer.json")).unwrap();
    }

    /// The tensors of the model folder `name`.
    pub fn weights(&self, name: &str) -> BTreeMap<String, Tensor> {
        let path = self.path(name).join("model.safetensors");
        candle_core::safetensors::load(path, &candle_core::Device::Cpu).unwrap().into_iter().collect()
    }

    /// Makes `tensors` those of the model folder `name`.
    pub fn save(&self, name: &str, tensors: &BTreeMap<String, Tensor>) {
        safetensors::serialize_to_file(tensors, None, &self.path(name).join("model.safetensors")).unwrap();
    }

    /// `fsa ARGUMENTS`, split at white space, to be run in this folder.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fsa"));
        command.args(arguments.split_whitespace()).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs `fsa ARGUMENTS` to its end.
    pub fn fsa(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs `fsa ARGUMENTS`, which must succeed; what it printed.
    pub fn done(&self, arguments: &str) -> String {
        let output = self.fsa(arguments);
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{arguments}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The one line, without its prefix, with which `fsa ARGUMENTS` refuses. It must leave everything in this folder as it was,
    /// and nothing new.
    pub fn refusal(&self, arguments: &str) -> String {
        let before = files(self.folder.path());
        let output = self.fsa(arguments);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {text}");
        assert!(output.stdout.is_empty(), "{arguments}: it printed a result");
        let after = files(self.folder.path());
        let changed: Vec<_> =
            before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name)).collect();
        assert!(changed.is_empty(), "{arguments}: changed {changed:?}");
        complaint(&text)
    }

    /// The rows of the run in `out`.
    pub fn rows(&self, out: &str) -> Vec<Value> {
        rows(&self.text(&format!("{out}/rows.jsonl")))
    }
}

/// The error that is all of `stderr`, without its prefix.
pub fn complaint(stderr: &str) -> String {
    assert_eq!(stderr.lines().count(), 1, "not one line: {stderr}");
    stderr.trim_end().strip_prefix("fsa: error: ").unwrap_or_else(|| panic!("no error: {stderr}")).to_string()
}

/// What `output` holds on stderr.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Whole lines, each a row.
pub fn rows(text: &str) -> Vec<Value> {
    assert!(text.is_empty() || text.ends_with('\n'), "the last row is torn");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A file or folder under `tests/fixtures`.
pub fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

/// Everything below `folder` by its path; a folder holds nothing.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(inside) = folders.pop() {
        for entry in fs::read_dir(inside).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_path_buf();
            match path.is_dir() {
                true => {
                    found.insert(name, None);
                    folders.push(path);
                }
                false => {
                    found.insert(name, Some(fs::read(path).unwrap()));
                }
            }
        }
    }
    found
}

/// RTE in GLUE's form: `count` examples of different lengths, both labels.
pub fn train(count: usize) -> String {
    let things = ["the river", "a small house", "this old teacher", "rain", "the market in the town", "a letter"];
    let acts = ["is near the school", "was found", "came home late in the evening", "does not sleep", "is long"];
    let mut text = String::from("index\tsentence1\tsentence2\tlabel\n");
    for i in 0..count {
        let (thing, act) = (things[i % things.len()], acts[i / 3 % acts.len()]);
        let label = if i * 7 % 5 < 2 { "entailment" } else { "not_entailment" };
        text += &format!("{i}\tThey say that {thing} {act}.\t{thing} {}.\t{label}\n", acts[i % acts.len()]);
    }
    text
}
