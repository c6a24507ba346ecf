//! What stands beside `spiece.model` in a folder: how many sentinels follow its pieces, and which tokens the folder adds
//! (`tokenizer_config.json`, and `added_tokens.json` and `special_tokens_map.json` as older versions of transformers wrote them). As
//! transformers reads them: version 5 where `added_tokens_decoder` has the ids, and else version 4, of which such folders are.

use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::sentencepiece::{Named, Others, Token, number};
use crate::error::{Error, Result};
use crate::model_folder;

const CONFIG: &str = "tokenizer_config.json";
const ADDED: &str = "added_tokens.json";
const MAP: &str = "special_tokens_map.json";
/// How many sentinels T5 adds to a SentencePiece model unless `tokenizer_config.json` says otherwise, and how many it may.
const SENTINELS: usize = 100;
const MOST_SENTINELS: usize = 10_000;
/// How many other tokens a folder may add.
const MOST_ADDED: usize = 10_000;
/// The keys of special tokens, in the order in which they get ids if they have none.
const NAMED: [&str; 7] = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];
const MORE: &str = "additional_special_tokens";

/// It.
#[derive(Debug)]
pub(super) struct Beside {
    pub sentinels: usize,
    pub others: Others,
}

#[derive(Default, Deserialize)]
struct Config {
    extra_ids: Option<usize>,
    added_tokens_decoder: Option<BTreeMap<String, Listed>>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// A token of `added_tokens_decoder`.
#[derive(Deserialize)]
struct Listed {
    content: String,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    #[serde(default)]
    special: bool,
}

impl Config {
    /// What the map of special tokens says wins, and its list is added to that of the config.
    fn add_map(&mut self, map: BTreeMap<String, Value>) {
        for (key, value) in map {
            match (self.others.get_mut(&key), value) {
                (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
                (_, value) => drop(self.others.insert(key, value)),
            }
        }
    }

    fn lists_more_without_sentinels(&self) -> bool {
        let is_sentinel = |value: &Value| text(value).is_some_and(|text| number(text).is_some());
        self.others.get(MORE).and_then(Value::as_array).is_some_and(|list| !list.iter().any(is_sentinel))
    }
}

impl Beside {
    /// That in `dir`.
    pub fn read(dir: &Path) -> Result<Self> {
        let mut config: Config = read(dir, CONFIG)?;
        let mut sentinels = config.extra_ids.unwrap_or(SENTINELS);
        if sentinels > MOST_SENTINELS {
            return Err(Error::input(format!("{sentinels} sentinels are more than {MOST_SENTINELS}"))
                .at(dir.join(CONFIG))
                .column("extra_ids")
                .next("get the file again"));
        }
        if config.added_tokens_decoder.is_none() {
            config.add_map(read(dir, MAP)?);
        }
        let mut named = named(&config.others);
        if config.added_tokens_decoder.is_none() && config.lists_more_without_sentinels() {
            // Such a list is the whole of it: the sentinels come after it, and by their numbers.
            let sentinel = |number| Named { text: format!("<extra_id_{number}>"), strips: (false, false) };
            named.extend((0..sentinels).map(sentinel));
            sentinels = 0;
        }
        let mut tokens = Vec::new();
        let file = if config.added_tokens_decoder.is_some() { CONFIG } else { ADDED };
        let bad = |what: String| Error::input(what).at(dir.join(file)).next("get the file again");
        match config.added_tokens_decoder {
            Some(listed) => {
                for (id, Listed { content, lstrip, rstrip, special }) in listed {
                    let id = id.parse().map_err(|_| bad(format!("its added token `{content}` has the id `{id}`")))?;
                    tokens.push(Token { text: content, id, strips: (lstrip, rstrip), special });
                }
            }
            None => {
                let listed: BTreeMap<String, u32> = read(dir, ADDED)?;
                let special: HashMap<&str, _> = named.iter().map(|it| (it.text.as_str(), it.strips)).collect();
                let token = |(text, id): (String, u32)| {
                    let strips = special.get(text.as_str()).copied();
                    Token { text, id, strips: strips.unwrap_or_default(), special: strips.is_some() }
                };
                tokens.extend(listed.into_iter().map(token));
            }
        }
        if tokens.iter().any(|token| token.text.is_empty()) {
            return Err(bad("it adds a token that is empty".into()));
        }
        let (count, most) = (tokens.len().max(named.len()), MOST_SENTINELS + MOST_ADDED);
        if count > most {
            return Err(bad(format!("it adds {count} tokens, more than {most}")));
        }
        tokens.sort_by_key(|token| token.id);
        Ok(Self { sentinels, others: Others { tokens, named } })
    }
}

/// The text of a special token: a text, or an object's `content`.
fn text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value["content"].as_str()).filter(|text| !text.is_empty())
}

/// The special tokens that a config names.
fn named(config: &BTreeMap<String, Value>) -> Vec<Named> {
    let token = |value: &Value| {
        let strips = |key: &str| value[key].as_bool().unwrap_or(false);
        Some(Named { text: text(value)?.to_string(), strips: (strips("lstrip"), strips("rstrip")) })
    };
    let one = NAMED.iter().filter_map(|key| config.get(*key));
    let more = config.get(MORE).and_then(Value::as_array).into_iter().flatten();
    one.chain(more).filter_map(token).collect()
}

/// The JSON in the file `name`; nothing if there is no such file.
fn read<T: DeserializeOwned + Default>(dir: &Path, name: &str) -> Result<T> {
    let path = dir.join(name);
    match model_folder::read(dir, name) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
            let what = match name {
                CONFIG => "description of a tokenizer",
                ADDED => "list of added tokens",
                _ => "list of special tokens",
            };
            Error::input(format!("it is no {what}: {error}"))
                .at(&path)
                .line(error.line())
                .next("get the file again, or remove it if the model has no other than the usual 100 sentinels")
                .caused_by(error)
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(Error::io("read", path, error)),
    }
}
