//! The model and the preset as typed, and what stands in help for a default that depends on the preset.

use std::path::{Path, PathBuf};

use clap::Arg;
use fsa::data::source::is_world;
use fsa::experiment::fetch;
use fsa::model::given::{self, Given};
use fsa::spec::{Defaults, MINI, Preset};
use fsa::{Result, model_folder};

use super::required;
use super::term::{Downloads, complain};

/// Help of `--model`.
pub const MODEL_HELP: &str = "Folder of the model, in Hugging Face layout, or of an adapter, which brings the model that it \
    names; or a name on the hub, as google/mt5-small or OWNER/NAME@REVISION; or `mini` for the embedded one (a folder of that name \
    is ./mini) [default: mini, unless there is data of your own]";
/// Help of `--adapter`.
pub const ADAPTER_HELP: &str = "A folder with a soft prompt or LoRA in PEFT's layout, attached to the model as it is";
/// Help of `--preset`.
pub const PRESET_HELP: &str = "Named defaults, over which every other option wins: mini is made for the embedded model, paper \
    has the paper's [default: mini for the model mini, else paper]";
/// Help of `--sample`.
pub const SAMPLE_HELP: &str = "Read at most N rows of each split, drawn by the seed; of parquet, only the row groups that hold them \
    [default: all]";
/// How a missing model may be given.
const MODEL: &str = "path/to/model, its name on the hub, or mini for the embedded one (or `model` in a --config file)";

/// The model: what is given, else the embedded one. Data of the user's own is an error then: a toy's numbers on it would
/// look like a model's.
pub fn model<'a>(given: Option<PathBuf>, data: impl IntoIterator<Item = &'a Path>) -> Result<PathBuf> {
    let own = data.into_iter().any(|path| !is_world(path));
    match given {
        None if own => required(None, "--model", "the model's folder", MODEL),
        None => Ok(MINI.into()),
        Some(model) => Ok(model),
    }
}

/// Fetches the model, where it is a name on the hub.
pub fn fetch(model: &Path, quiet: bool) -> Result<()> {
    fetch::base(model, None, &mut Downloads::new(quiet)).map_err(|error| error.flag("--model"))
}

/// As [`fetch`], of an adapter that is given as one; warns if it is plainly of another model than `model`. Commands that make a run
/// do so themselves.
pub fn fetch_adapter(adapter: Option<&Path>, model: &Path, quiet: bool) -> Result<()> {
    let Some(adapter) = adapter else { return Ok(()) };
    model_folder::fetch(adapter, None, &mut Downloads::new(quiet)).map_err(|error| error.flag("--adapter"))?;
    given::other_bases([adapter], model).iter().for_each(|warning| complain("warning", warning));
    Ok(())
}

/// As [`fetch`], for commands that look at a folder whatever it is: an adapter's base too. A base that cannot be had is left to them.
pub fn fetch_with_base(folder: &Path, quiet: bool) -> Result<()> {
    model_folder::fetch(folder, None, &mut Downloads::new(quiet))?;
    if let Ok(Given { model, adapter: Some(_) }) = given::resolve(folder.to_path_buf(), None) {
        let _ = fetch(&model, quiet);
    }
    Ok(())
}

/// As [`model`], with what is attached to it: an adapter in the model's place brings its base. Adapters are fetched here, where they
/// are names on the hub, since they say what the model is.
pub fn given<'a>(
    typed: Option<PathBuf>,
    adapter: Option<PathBuf>,
    data: impl IntoIterator<Item = &'a Path>,
    quiet: bool,
) -> Result<Given> {
    let model = model(typed, data)?;
    model_folder::fetch_adapter(&model, &mut Downloads::new(quiet)).map_err(|error| error.flag("--model"))?;
    given::resolve(model, adapter)
}

/// The file of a task that is not a registered one: data of the user's own.
pub fn task_file(task: &str) -> Option<&Path> {
    Some(Path::new(task)).filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
}

/// What the presets say of something: `64`, or `400 in mini, 1000 in paper`.
pub fn by_preset<T: ToString>(value: impl Fn(Defaults) -> T) -> String {
    let said = Preset::ALL.map(|preset| (value(preset.defaults()).to_string(), preset.name()));
    match &said {
        [(one, _), (other, _)] if one == other => one.clone(),
        _ => said.map(|(value, name)| format!("{value} in {name}")).join(", "),
    }
}

/// The argument with another default in its help.
pub fn with_default(arg: Arg, default: &str) -> Arg {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let what = help.split(" [default: ").next().unwrap_or_default().to_string();
    arg.help(format!("{what} [default: {default}]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_that_depends_on_the_preset_says_so() {
        assert_eq!(by_preset(|_| 64), "64");
        let said = by_preset(|of| of.bleu_tokenizer);
        assert_eq!(said, "13a in mini, intl in paper");
    }

    #[test]
    fn the_embedded_model_is_not_taken_for_data_of_ones_own() {
        let of = |data: &'static str| model(None, [Path::new(data)]).map_err(|error| error.to_string());
        assert_eq!(of("mini:rte/train"), Ok("mini".into()));
        assert!(of("train.tsv").unwrap_err().starts_with("--model: missing: the model's folder; give --model path/to"));
        assert_eq!(model(Some("m".into()), [Path::new("train.tsv")]).unwrap(), Path::new("m"));
        assert!(task_file("own.toml").is_some() && task_file("rte").is_none());
    }
}
