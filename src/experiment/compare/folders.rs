//! Where everything of a comparison lies in its run folder, and which targets a method is trained on together.

use std::path::{Path, PathBuf};

use crate::report::files::plain;
use crate::spec::method::{Method, Stage, Trained};

/// The sub-folder of stages and evaluations.
pub(super) const RUNS: &str = "runs";
/// Its sub-folders' sub-folders.
pub(super) const STAGES: &str = "stages";
pub(super) const EVALUATED: &str = "evaluated";

/// What a method is trained on: one target after the other, or all together.
pub(super) fn groups<T: Copy>(method: &Method, targets: &[T]) -> Vec<Vec<T>> {
    match method.is_mixed() {
        true => vec![targets.to_vec()],
        false => targets.iter().map(|&target| vec![target]).collect(),
    }
}

/// What a stage of a method on `group` is made of: several where each target has a soft prompt of its own to be trained.
pub(super) fn apart<T: Copy>(stage: &Stage, group: &[T]) -> Vec<Vec<T>> {
    match stage.trained {
        Trained::Attached => group.iter().map(|&target| vec![target]).collect(),
        Trained::Model | Trained::Both => vec![group.to_vec()],
    }
}

/// The folder of stage `number` of `method` on the targets of these names. Methods whose stages up to it are the same share it.
pub(super) fn stage(out: &Path, targets: &[&str], seed: u64, method: &Method, number: usize) -> PathBuf {
    let stages: Vec<&str> = method.stages()[..=number].iter().map(|stage| stage.name).collect();
    let shots = if method.shots > 0 { format!("+{}shot", method.shots) } else { String::new() };
    of_seed(out, targets, seed).join(STAGES).join(stages.join(".") + &shots)
}

/// The folder of what `method` has come to.
pub(super) fn evaluated(out: &Path, targets: &[&str], seed: u64, method: &Method) -> PathBuf {
    of_seed(out, targets, seed).join(EVALUATED).join(method.name())
}

/// The folder of everything on these targets with this seed.
fn of_seed(out: &Path, targets: &[&str], seed: u64) -> PathBuf {
    let names: Vec<String> = targets.iter().map(|name| plain(name)).collect();
    out.join(RUNS).join(format!("{}-seed{seed}", names.join("+")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_begin_alike_share_their_first_stage() {
        let of =
            |name: &str, number: usize| stage(Path::new("out"), &["rte"], 3, &Method::named(name).unwrap(), number);
        assert_eq!(of("promot", 0), Path::new("out/runs/rte-seed3/stages/prompt"));
        assert_eq!(of("promot", 0), of("prompt-tuning", 0));
        assert_ne!(of("promot+1shot", 0), of("prompt-tuning", 0));
        assert_eq!(of("promot+1shot", 1), Path::new("out/runs/rte-seed3/stages/prompt.model+1shot"));
        let all: Vec<PathBuf> = ["standard", "standard-long", "joint", "random-prompt", "promot", "promot-lora"]
            .map(|name| of(name, Method::named(name).unwrap().stages().len() - 1))
            .into();
        assert!((1..all.len()).all(|i| !all[..i].contains(&all[i])), "{all:?}");
    }

    #[test]
    fn only_soft_prompts_are_trained_apart() {
        let method = Method::named("multitask-promot").unwrap();
        assert_eq!(groups(&method, &[1, 2]), [[1, 2]]);
        assert_eq!(apart(&method.stages()[0], &[1, 2]), [[1], [2]]);
        assert_eq!(apart(&method.stages()[1], &[1, 2]), [[1, 2]]);
        assert_eq!(groups(&Method::named("promot").unwrap(), &[1, 2]), [[1], [2]]);
    }
}
