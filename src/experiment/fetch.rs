//! `fsa fetch`: models and data sets from the hub into its cache; and the model of a run that goes on.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Existing, fetch_data};
use crate::data::Task;
use crate::error::{Error, Kind, Result};
use crate::hub::{Hub, Id, Progress, RepoKind};
use crate::model::given::base_of;
use crate::model::peft::is_adapter;
use crate::model_folder;
use crate::report::RunFolder;
use crate::report::folder::RUN;
use crate::report::run_info::{AdapterInfo, RunInfo, Status};
use crate::spec::{Compare, GradientAlign, LabelRatio};

/// The flag that names the model.
const MODEL: &str = "--model";

/// A repository of which files are in the cache now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fetched {
    /// Its name, with the revision as asked for.
    pub id: String,
    /// What it holds.
    pub kind: RepoKind,
    /// The commit that the revision came to.
    pub commit: String,
    /// Files that fsa reads.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The folder that they are in.
    pub path: PathBuf,
}

/// Files of a data set's repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The repository, and the revision of it.
    pub id: Id,
    /// Paths in it.
    pub files: Vec<String>,
}

/// Fetches everything that `names` name, models by `OWNER/NAME` or `OWNER/NAME@REVISION` and tasks by their name.
///
/// # Errors
/// If one is neither, or cannot be had; what was fetched before it stays.
pub fn run(names: &[String], progress: &mut dyn Progress) -> Result<Vec<Fetched>> {
    // Every name before the first byte.
    let wanted = names.iter().map(|name| Wanted::of(name)).collect::<Result<Vec<_>>>()?;
    let mut fetched = Vec::new();
    for wanted in wanted {
        match wanted {
            Wanted::Model(path) => {
                fetched.extend(model(&path, progress)?);
                // An adapter is of no use without its base.
                if let Some(base) = is_adapter(&path).then(|| base_of(&path).ok()).flatten() {
                    fetched.extend(model(&base, progress)?);
                }
            }
            Wanted::Data(task) => fetched.push(fetch_data::whole(&task, progress)?),
        }
    }
    Ok(fetched)
}

enum Wanted {
    Model(PathBuf),
    Data(String),
}

impl Wanted {
    fn of(name: &str) -> Result<Self> {
        let path = Path::new(name);
        if Task::names().any(|known| known == name) || name.ends_with(".toml") {
            return Ok(Self::Data(name.to_string()));
        }
        if model_folder::name(path).is_some() {
            return Ok(Self::Model(path.to_path_buf()));
        }
        let what = match path.exists() {
            true => "it is here already",
            false => "it is neither the name of a model on the hub nor that of a task",
        };
        Err(Error::input(format!("`{name}`: {what}"))
            .next("give OWNER/NAME or OWNER/NAME@REVISION, or one of `fsa tasks list`"))
    }
}

fn model(path: &Path, progress: &mut dyn Progress) -> Result<Option<Fetched>> {
    let Some(named) = model_folder::fetch(path, None, progress)? else { return Ok(None) };
    let bytes = sizes(&named.files);
    Ok(Some(Fetched {
        id: named.id.to_string(),
        kind: RepoKind::Model,
        commit: named.commit,
        files: named.files.len(),
        bytes,
        path: named.folder,
    }))
}

/// Fetches files of a data set.
///
/// # Errors
/// If one of them cannot be had.
pub fn dataset(hub: &Hub, of: &Dataset, progress: &mut dyn Progress) -> Result<Fetched> {
    let repo = hub.repo(RepoKind::Dataset, of.id.name(), of.id.given_revision(), progress)?;
    let files = of.files.iter().map(|file| repo.file(file, progress)).collect::<Result<Vec<_>>>()?;
    Ok(Fetched {
        id: of.id.to_string(),
        kind: RepoKind::Dataset,
        commit: repo.commit.clone(),
        files: files.len(),
        bytes: sizes(&files),
        path: repo.snapshot(),
    })
}

pub(super) fn sizes(files: &[PathBuf]) -> u64 {
    files.iter().map(|file| std::fs::metadata(file).map_or(0, |file| file.len())).sum()
}

/// A model or an adapter that a run is given, and the flag that gives it.
pub type Given<'a> = (&'a Path, &'static str);

/// The model and the adapters of a run of `fsa gradient-align`.
pub fn of_gradient_align(spec: &GradientAlign) -> Vec<Given<'_>> {
    given(&spec.model, spec.adapter.as_ref(), spec.stages.as_ref().and_then(|stages| stages.prompt.file.as_ref()))
}

/// As [`of_gradient_align`], of `fsa label-ratio`.
pub fn of_label_ratio(spec: &LabelRatio) -> Vec<Given<'_>> {
    given(&spec.model, spec.adapter.as_ref(), None)
}

/// As [`of_gradient_align`], of `fsa compare`.
pub fn of_compare(spec: &Compare) -> Vec<Given<'_>> {
    given(&spec.model, spec.adapter.as_ref(), spec.prompt.file.as_ref())
}

fn given<'a>(model: &'a Path, adapter: Option<&'a PathBuf>, prompt: Option<&'a PathBuf>) -> Vec<Given<'a>> {
    let adapters = [(adapter, "--adapter"), (prompt, "--prompt-file")].into_iter();
    let adapters = adapters.filter_map(|(path, flag)| Some((path?.as_path(), flag)));
    std::iter::once((model, MODEL)).chain(adapters).collect()
}

/// For `run.json`: the adapters among `given` that have come from the hub.
pub(super) fn adapters(given: &[Given]) -> Vec<AdapterInfo> {
    let adapters = given.iter().filter(|(_, flag)| *flag != MODEL);
    let info = |(path, _): &Given| Some(AdapterInfo { path: path.to_path_buf(), commit: model_folder::commit(path)? });
    adapters.filter_map(info).collect()
}

/// Fetches what of `given` is a name on the hub, for a run in the folder `out`. A run that goes on does so with the commits that it
/// began with, whatever the names have come to since.
///
/// # Errors
/// If one cannot be had. A run that is done needs none: what is wrong is no more than a warning then.
pub fn for_run(given: &[Given], out: &Path, existing: Existing, progress: &mut dyn Progress) -> Result<()> {
    let before = if existing == Existing::Resume { runs(out) } else { Vec::new() };
    given.iter().filter(|(path, _)| model_folder::name(path).is_some()).try_for_each(|(path, flag)| {
        let began_with = |run: &RunInfo| {
            let model = run.model.as_ref().filter(|known| known.path == *path).and_then(|known| known.commit.clone());
            let adapter = || run.adapters.iter().find(|known| known.path == *path).map(|known| known.commit.clone());
            model.or_else(adapter)
        };
        let commit = before.iter().find_map(began_with);
        let fetched = match *flag {
            MODEL => base(path, commit.as_deref(), progress),
            _ => model_folder::fetch(path, commit.as_deref(), progress).map(drop),
        };
        match fetched {
            Err(error) if error.kind() == Kind::Interrupted => Err(error),
            Err(error) if before.first().is_some_and(|run| run.status == Status::Finished) => {
                progress.warn(&error.to_string());
                Ok(())
            }
            fetched => fetched.map_err(|error| error.flag(*flag)),
        }
    })
}

/// Fetches a model, where it is a name on the hub, at `commit` if that is given.
///
/// # Errors
/// If it cannot be had, or is an adapter: those that stand in a model's place have been told apart before.
pub fn base(model: &Path, commit: Option<&str>, progress: &mut dyn Progress) -> Result<()> {
    match model_folder::fetch(model, commit, progress)? {
        Some(_) if is_adapter(model) => Err(Error::input("it is the base of an adapter, and an adapter itself")
            .at(model)
            .next("give the model that both belong to: --model path/to/model --adapter path/to/adapter")),
        _ => Ok(()),
    }
}

/// What is known of the run in `out`, and of those in the folders of its methods.
pub(super) fn runs(out: &Path) -> Vec<RunInfo> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(out).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders.sort();
    folders.insert(0, out.to_path_buf());
    let read = |folder: &PathBuf| RunFolder::open(folder).ok().filter(|run| run.file(RUN).is_file())?.read_run().ok();
    folders.iter().filter(|folder| folder.is_dir()).filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Silent;

    #[test]
    fn what_is_no_name_is_refused_before_anything_is_fetched() {
        let said = |name: &str| run(&[name.to_string()], &mut Silent).unwrap_err().to_string();
        assert!(
            said("mt5-small")
                .starts_with("`mt5-small`: it is neither the name of a model on the hub nor that of a task")
        );
        assert!(said("src/hub").starts_with("`src/hub`: it is here already"));
    }
}
