//! Adapters in PEFT's layout, `adapter_config.json` and `adapter_model.safetensors`: soft prompts of the encoder, and LoRA. What
//! transformers with PEFT trained can be attached here, and the reverse.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use serde::Deserialize;
use serde_json::{Value, json};

use super::config::T5Config;
use super::lora::{self, Pair};
use super::params::Param;
use super::save::{metadata, values};
use super::t5::T5;
use super::weights::Weights;
use super::weights::describe::{Stored, StoredFile};
use super::{load, prompt};
use crate::error::{Error, Result};
use crate::model_folder;

/// The description of an adapter.
pub const CONFIG: &str = "adapter_config.json";
/// Its tensors, as fsa writes them.
pub const WEIGHTS: &str = "adapter_model.safetensors";
/// The same as older versions of PEFT wrote them.
const PICKLED: &str = "adapter_model.bin";
/// The key of the model that it belongs to.
pub const BASE: &str = "base_model_name_or_path";
/// What PEFT puts before a module's path.
const PREFIX: &str = "base_model.model.";
const PEFT_TYPES: [&str; 2] = ["PROMPT_TUNING", "LORA"];

/// What a model can have attached.
#[derive(Debug, Clone)]
pub enum Adapter {
    /// A soft prompt, [P, H].
    Prompt(Tensor),
    /// LoRA's matrices, and what their products are multiplied by.
    Lora(Vec<Pair>, f64),
}

impl Adapter {
    /// Errors if it belongs to a model of other sizes than `config` says.
    ///
    /// # Errors
    /// As [`T5::with_adapter`].
    pub fn check(&self, config: &T5Config) -> Result<()> {
        match self {
            Self::Prompt(values) => prompt::fits(values.dims2()?.1, config.shape.d_model),
            Self::Lora(pairs, _) => {
                let mut shapes: HashMap<String, Vec<usize>> = load::shapes(config).into_iter().collect();
                shapes.insert(load::HEAD.to_string(), vec![config.shape.vocab_size, config.shape.d_model]);
                let weight = |module: &str| shapes.get(&format!("{module}.weight")).map(Vec::as_slice);
                pairs.iter().try_for_each(|(module, a, b)| lora::fits(module, a.dims(), b.dims(), weight(module)))
            }
        }
    }
}

/// What fsa has to know of `adapter_config.json`.
#[derive(Debug, Deserialize)]
struct Config {
    peft_type: String,
    num_virtual_tokens: Option<usize>,
    token_dim: Option<usize>,
    num_transformer_submodules: Option<usize>,
    r: Option<usize>,
    lora_alpha: Option<f64>,
    #[serde(default)]
    use_rslora: bool,
    #[serde(flatten)]
    others: HashMap<String, Value>,
}

/// Options of LoRA that change what it computes, and that fsa does not have.
const UNSUPPORTED: [&str; 15] = [
    "use_dora",
    "modules_to_save",
    "rank_pattern",
    "alpha_pattern",
    "layer_replication",
    "fan_in_fan_out",
    "lora_bias",
    "trainable_token_indices",
    "target_parameters",
    "alora_invocation_tokens",
    "arrow_config",
    "kasa_config",
    "monteclora_config",
    "use_bdlora",
    "use_qalora",
];
/// Ways to begin that leave the model's own weights alone. After the others (PiSSA, OLoRA, LoftQ …) an adapter belongs to a
/// changed model.
const INITIAL: [&str; 4] = ["gaussian", "eva", "mica", "orthogonal"];

/// Whether the folder `dir` is an adapter.
pub fn is_adapter(dir: &Path) -> bool {
    model_folder::on_disk(dir).join(CONFIG).is_file()
}

/// The files that the adapter in `dir` is read from, as far as they are there: its description, and last its tensors.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let config = Some(model_folder::on_disk(dir).join(CONFIG)).filter(|path| path.is_file());
    config.into_iter().chain(weights(dir)).collect()
}

fn weights(dir: &Path) -> Option<PathBuf> {
    [WEIGHTS, PICKLED].map(|name| model_folder::on_disk(dir).join(name)).into_iter().find(|path| path.is_file())
}

/// What the adapter in `dir` calls the model that it belongs to; none if it says nothing.
///
/// # Errors
/// If its description cannot be read.
pub fn base_name(dir: &Path) -> Result<Option<String>> {
    let config = read_config(dir)?;
    Ok(config.others.get(BASE).and_then(Value::as_str).filter(|name| !name.is_empty()).map(String::from))
}

fn read_config(dir: &Path) -> Result<Config> {
    let path = dir.join(CONFIG);
    let text = model_folder::read_text(dir, CONFIG).map_err(|error| Error::io("read", &path, error))?;
    serde_json::from_str(&text).map_err(|error| {
        Error::input(format!("it is not an adapter's description: {error}"))
            .at(&path)
            .line(error.line())
            .next("save the adapter again with PEFT's save_pretrained")
            .caused_by(error)
    })
}

/// The tensors of the adapter in `dir`.
fn open(dir: &Path) -> Result<Weights> {
    weights(dir).map(Weights::open_file).unwrap_or_else(|| {
        Err(Error::input(format!("it has no {WEIGHTS} and no {PICKLED}"))
            .at(dir)
            .next("save the adapter again with PEFT's save_pretrained"))
    })
}

/// Reads the adapter in `dir`.
///
/// # Errors
/// If a file is missing or damaged, or it is of a kind that fsa does not have.
pub fn read_adapter(dir: &Path) -> Result<Adapter> {
    let path = dir.join(CONFIG);
    let config = read_config(dir)?;
    if config.others.get("task_type").is_some_and(|task| task == "CAUSAL_LM") {
        return Err(Error::input("it belongs to a model without an encoder (task_type CAUSAL_LM)")
            .at(&path)
            .next("fsa attaches adapters of t5 and mt5"));
    }
    let weights = open(dir)?;
    match config.peft_type.as_str() {
        "PROMPT_TUNING" => read_prompt(&config, &path, &weights),
        "LORA" => read_lora(&config, path, &weights),
        other => Err(Error::input(format!("it is a `{other}`, which fsa cannot attach"))
            .at(&path)
            .next(format!("fsa knows {}", PEFT_TYPES.join(" and ")))),
    }
}

/// The files of tensors of the adapter in `dir`, and the dtypes in them.
///
/// # Errors
/// If it is not there, or damaged.
pub fn stored(dir: &Path) -> Result<(Vec<StoredFile>, Vec<Stored>)> {
    let weights = open(dir)?;
    Ok((weights.stored_files(), weights.dtypes()))
}

fn missing(field: &str, path: &Path) -> Error {
    Error::input(format!("it has no `{field}`")).at(path).next("save the adapter again with PEFT's save_pretrained")
}

fn read_prompt(config: &Config, path: &Path, weights: &Weights) -> Result<Adapter> {
    let rows = config.num_virtual_tokens.ok_or_else(|| missing("num_virtual_tokens", path))?;
    let width = config.token_dim.ok_or_else(|| missing("token_dim", path))?;
    // PEFT's default for encoder-decoders is two prompts in one table; its forward pass uses the first alone.
    let submodules = config.num_transformer_submodules.unwrap_or(1).max(1);
    let all = weights.tensor(prompt::NAME, &[rows.saturating_mul(submodules), width])?;
    Ok(Adapter::Prompt(if submodules == 1 { all } else { all.narrow(0, 0, rows)?.copy()? }))
}

fn read_lora(config: &Config, path: PathBuf, weights: &Weights) -> Result<Adapter> {
    let is_set = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    };
    let unsupported = UNSUPPORTED.into_iter().find(|option| config.others.get(*option).is_some_and(is_set));
    let unsupported = unsupported.or(config.others.get("bias").filter(|bias| *bias != "none").map(|_| "bias"));
    let initial = config.others.get("init_lora_weights").and_then(Value::as_str);
    let unsupported = unsupported.or(initial.filter(|way| !INITIAL.contains(way)).map(|_| "init_lora_weights"));
    if let Some(option) = unsupported {
        return Err(Error::input(format!("it was trained with `{option}`, which fsa does not have"))
            .at(&path)
            .next("merge it into its model with PEFT's merge_and_unload, and give the merged folder"));
    }
    let rank = config.r.ok_or_else(|| missing("r", &path))?;
    let alpha = config.lora_alpha.ok_or_else(|| missing("lora_alpha", &path))?;
    let scale = if config.use_rslora { alpha / (rank as f64).sqrt() } else { alpha / rank as f64 };
    if rank == 0 || !scale.is_finite() {
        return Err(Error::input(format!("a rank of {rank} and an alpha of {alpha} cannot be")).at(&path));
    }
    let mut pairs = Vec::new();
    for name in weights.names() {
        let part = name.strip_prefix(PREFIX).unwrap_or_default();
        let module = part.strip_suffix(".lora_A.weight").or(part.strip_suffix(".lora_B.weight"));
        let Some(module) = module else {
            return Err(Error::input("it is no part of LoRA on linear maps").at(&path).parameter(name));
        };
        let [a, b] = ["A", "B"].map(|part| format!("{PREFIX}{module}.lora_{part}.weight"));
        if name == b && weights.has(&a) {
            continue;
        }
        let columns = |name: &str, rank_first: bool| -> Result<usize> {
            let shape = weights.shape(name).ok_or_else(|| {
                let error = Error::input("the adapter lacks this tensor").at(&path).parameter(name);
                error.next("save the adapter again with PEFT's save_pretrained")
            })?;
            match (shape, rank_first) {
                ([r, other], true) | ([other, r], false) if *r == rank => Ok(*other),
                _ => Err(Error::input(format!("its shape {shape:?} does not go with rank {rank}"))
                    .at(&path)
                    .parameter(name)
                    .next("use the adapter_config.json that belongs to the weights")),
            }
        };
        let (inner, outer) = (columns(&a, true)?, columns(&b, false)?);
        pairs.push((module.to_string(), weights.tensor(&a, &[rank, inner])?, weights.tensor(&b, &[outer, rank])?));
    }
    match pairs.is_empty() {
        true => Err(Error::input("there is no pair of LoRA's matrices in it").at(path.with_file_name(WEIGHTS))),
        false => Ok(Adapter::Lora(pairs, scale)),
    }
}

impl T5 {
    /// The same model with `adapter` attached.
    ///
    /// # Errors
    /// If it belongs to a model of other sizes.
    pub fn with_adapter(&self, adapter: Adapter) -> Result<Self> {
        match adapter {
            Adapter::Prompt(values) => self.with_prompt(values),
            Adapter::Lora(pairs, scale) => self.with_lora(pairs, scale),
        }
    }

    /// The files of what is attached, by name, as PEFT writes them: soft prompt or LoRA; none if nothing is. `base` is what PEFT is
    /// to call the model.
    ///
    /// # Errors
    /// If both are: PEFT's folder holds one.
    pub fn adapter_files(&self, base: &str) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let matrices: Vec<&Param> = self.lora().collect();
        let (config, tensors): (Value, Vec<(String, &Param)>) = match (self.prompt(), matrices.first()) {
            (Some(_), Some(_)) => {
                return Err(Error::check(
                    "internal: soft prompt and LoRA at once, and PEFT's folder holds one adapter",
                ));
            }
            (Some(prompt), None) => (self.prompt_config(prompt, base)?, vec![(prompt::NAME.to_string(), prompt)]),
            (None, Some(_)) => {
                let named = |param: &&Param| format!("{PREFIX}{}", param.name());
                let config = self.lora_config(&matrices, base)?;
                (config, matrices.iter().map(|param| (named(param), *param)).collect())
            }
            (None, None) => return Ok(Vec::new()),
        };
        let internal = |error: String| Error::check(format!("internal: {error}"));
        let weights =
            safetensors::serialize(values(tensors)?, metadata()).map_err(|error| internal(error.to_string()))?;
        let mut text = serde_json::to_vec_pretty(&config).map_err(|error| internal(error.to_string()))?;
        text.push(b'\n');
        Ok(vec![(CONFIG, text), (WEIGHTS, weights)])
    }

    fn prompt_config(&self, prompt: &Param, base: &str) -> Result<Value> {
        let (rows, width) = prompt.value().dims2()?;
        let shape = &self.config().shape;
        Ok(json!({
            "base_model_name_or_path": base,
            "inference_mode": true,
            "num_attention_heads": shape.num_heads,
            "num_layers": shape.num_layers,
            "num_transformer_submodules": 1,
            "num_virtual_tokens": rows,
            "peft_type": "PROMPT_TUNING",
            "prompt_tuning_init": "RANDOM",
            "task_type": "SEQ_2_SEQ_LM",
            "token_dim": width,
        }))
    }

    fn lora_config(&self, matrices: &[&Param], base: &str) -> Result<Value> {
        // A comes first, [rank, in].
        let rank = matrices.first().map_or(Ok(1), |a| a.value().dim(0))?;
        let mut targets: Vec<&str> = matrices.iter().filter_map(|param| param.name().rsplit('.').nth(2)).collect();
        targets.sort_unstable();
        targets.dedup();
        Ok(json!({
            "base_model_name_or_path": base,
            "bias": "none",
            "fan_in_fan_out": false,
            "inference_mode": true,
            "init_lora_weights": true,
            "lora_alpha": self.lora_scale() * rank as f64,
            "lora_dropout": 0.0,
            "modules_to_save": null,
            "peft_type": "LORA",
            "r": rank,
            "target_modules": targets,
            "task_type": "SEQ_2_SEQ_LM",
            "use_dora": false,
            "use_rslora": false,
        }))
    }
}
