//! Tasks' data from the hub, before a run reads them: what the splits that it names on the hub are made of, at the commit that it
//! began with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Existing;
use super::fetch::{Fetched, runs, sizes};
use crate::data::{MiniSplit, Task, source};
use crate::error::{Error, Kind, Result};
use crate::hub::{Progress, RepoKind};
use crate::report::run_info::Status;
use crate::spec::{Compare, Evaluation, GradientAlign, LabelRatio};

/// Every split of the task `name` that carries answers.
pub(super) fn whole(name: &str, progress: &mut dyn Progress) -> Result<Fetched> {
    let task = Task::resolve(name)?;
    let splits = task.hub().map(|hub| hub.splits.iter().collect::<Vec<_>>()).unwrap_or_default();
    let mut found: Option<(String, String, PathBuf)> = None;
    let mut files = Vec::new();
    for (split, of_hub) in splits {
        // invariant: descriptions have no other splits than these
        let split = MiniSplit::named(split).unwrap_or(MiniSplit::Test);
        if let Some((repo, here)) = source::fetch(&task, Path::new(&format!("hub:{of_hub}")), split, progress)? {
            files.extend(here);
            found = Some((repo.id().to_string(), repo.commit.clone(), repo.snapshot()));
        }
    }
    let Some((id, commit, path)) = found else {
        return Err(Error::input(format!("the description of task `{name}` names no split on the hub"))
            .next("give its data as files, or a [hub] table in the description"));
    };
    Ok(Fetched { id, kind: RepoKind::Dataset, commit, files: files.len(), bytes: sizes(&files), path })
}

/// A split that a run reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    task: String,
    split: MiniSplit,
    path: PathBuf,
    flag: &'static str,
}

/// Those that are given by name or path of a run of `fsa gradient-align`.
pub fn of_gradient_align(spec: &GradientAlign) -> Vec<Named> {
    let of = |split, path: &Path, flag| Named { task: spec.task.clone(), split, path: path.to_path_buf(), flag };
    let dev = spec.dev.iter().map(|dev| of(MiniSplit::Validation, dev, "--dev"));
    std::iter::once(of(MiniSplit::Train, &spec.train, "--train")).chain(dev).collect()
}

/// As [`of_gradient_align`], of `fsa label-ratio`.
pub fn of_label_ratio(spec: &LabelRatio) -> Vec<Named> {
    of_files(&spec.files, &[&spec.task], &spec.eval)
}

/// As [`of_gradient_align`], of `fsa compare`.
pub fn of_compare(spec: &Compare) -> Vec<Named> {
    of_files(&spec.files, &spec.target.iter().collect::<Vec<_>>(), &spec.eval)
}

/// The splits in `files` of the tasks that are fine-tuned, and of those that are evaluated: of these the training split too, if there
/// are shots.
fn of_files(files: &BTreeMap<String, PathBuf>, targets: &[&String], eval: &[Evaluation]) -> Vec<Named> {
    let named = |(key, path): (&String, &PathBuf)| {
        let (task, split) = key.rsplit_once('.')?;
        Some(Named { task: task.to_string(), split: MiniSplit::named(split)?, path: path.clone(), flag: "--file" })
    };
    let is_read = |named: &Named| {
        let shots = |of: &Evaluation| of.task == named.task && (of.shots > 0 || named.split != MiniSplit::Train);
        targets.contains(&&named.task) || eval.iter().any(shots)
    };
    files.iter().filter_map(named).filter(is_read).collect()
}

/// Fetches those of `splits` that are on the hub, for a run in the folder `out`. One that goes on does so with the commits that it
/// began with, whatever the revisions have come to since.
///
/// # Errors
/// If one cannot be had; a run that is done needs none.
pub fn for_run(splits: &[Named], out: &Path, existing: Existing, progress: &mut dyn Progress) -> Result<()> {
    let before = if existing == Existing::Resume { runs(out) } else { Vec::new() };
    if before.first().is_some_and(|run| run.status == Status::Finished) {
        return Ok(());
    }
    for origin in before.iter().flat_map(|run| &run.data).filter_map(|data| data.origin.as_ref()) {
        source::keep(&origin.repo, &origin.revision, &origin.commit);
    }
    splits.iter().filter(|named| source::is_hub(&named.path)).try_for_each(|Named { task, split, path, flag }| {
        let fetched = Task::resolve(task).and_then(|task| source::fetch(&task, path, *split, progress));
        fetched.map(drop).map_err(|error| match error.kind() {
            Kind::Interrupted => error,
            _ => error.flag(*flag),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_splits_of_evaluations_are_fetched_for_shots_only() {
        let keys = ["rte.train", "rte.validation", "cb.train", "cb.test", "snli.train", "snli.test", "wic.test"];
        let files = keys.map(|key| (key.to_string(), PathBuf::from("hub"))).into_iter().collect();
        let eval = ["cb:0", "snli:2"].map(|text| Evaluation::parse(text).unwrap());
        let of: Vec<String> = of_files(&files, &[&"rte".to_string()], &eval)
            .iter()
            .map(|named| format!("{}.{}", named.task, named.split.name()))
            .collect();
        assert_eq!(of, ["cb.test", "rte.train", "rte.validation", "snli.test", "snli.train"]);
    }
}
