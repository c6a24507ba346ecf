//! The methods of one `fsa gradient-align` run: which there can be, what their stages take, and the run that each of them comes to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::compare::{AttachPrompt, Lora, Mix, Report, SoftPrompt, StageTraining};
use super::gradient_align::{GradientAlign, ProbeSplit};
use super::method::{Attached, Budget, Method, Stage};
use super::{Compare, Decoding};
use crate::error::{Error, Result};

/// The flag that names methods.
const FLAG: &str = "--method";
/// The method of a run that names none.
pub const STANDARD: &str = "standard";
/// The sub-folder of stages before the last.
pub const EARLIER: &str = "earlier";

/// What stages take that attach something, or train what is attached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stages {
    /// New soft prompts.
    pub prompt: SoftPrompt,
    /// New low-rank matrices.
    pub lora: Lora,
    /// How the checkpoint of a stage before the last is chosen.
    pub choose: Choose,
    /// Stages that train a soft prompt.
    pub prompt_stage: StageTraining,
    /// Stages that train low-rank matrices.
    pub lora_stage: StageTraining,
}

/// How checkpoints are scored on the target's validation split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choose {
    /// Examples; all of them without.
    #[serde(default, with = "super::limit")]
    pub limit: Option<usize>,
    /// BLEU's tokenizer.
    pub bleu_tokenizer: String,
    /// How outputs are decoded.
    pub decoding: Decoding,
}

impl Stages {
    /// How `stage` is trained, where fine-tuning the model is trained as `model` says.
    pub fn training(&self, stage: &Stage, model: &StageTraining) -> StageTraining {
        let [prompt, lora] = [&self.prompt_stage, &self.lora_stage];
        super::compare::stage(stage, model, prompt, lora)
    }
}

/// The methods called `names`, each once; none for standard fine-tuning alone.
///
/// # Errors
/// If there is none of a name, or it has no stage that is fine-tuned on one task.
pub fn named(names: &[String]) -> Result<Vec<Method>> {
    let mut methods: Vec<Method> = Vec::new();
    for name in names {
        let unknown = |_| Method::unknown(name.trim(), &all().collect::<Vec<_>>()).flag(FLAG);
        let method = Method::named(name.trim()).map_err(unknown)?;
        possible(&method)?;
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    match &methods[..] {
        [] => Err(Error::input("needs at least one").flag(FLAG)),
        [one] if one.name() == STANDARD => Ok(Vec::new()),
        _ => Ok(methods),
    }
}

/// The names of all that there can be.
pub fn all() -> impl Iterator<Item = String> {
    Method::names().filter(|name| Method::named(name).is_ok_and(|method| possible(&method).is_ok()))
}

fn possible(method: &Method) -> Result<()> {
    let (why, next) = match (method.stages().is_empty(), method.is_mixed()) {
        (false, false) => return Ok(()),
        (true, _) => {
            ("trains nothing, so there is nothing to follow", "leave it out: `standard` begins with that model")
        }
        (_, true) => ("trains on several targets together, and here there is one task", "leave it out"),
    };
    Err(Error::input(format!("`{}` {why}", method.name())).flag(FLAG).next(next))
}

/// The stages of `method` that a run trains, if an adapter is there or not, and whether each is the last one.
pub fn trained(method: &Method, has_adapter: bool) -> impl Iterator<Item = (&'static Stage, bool)> {
    let stages = method.stages();
    let first = if has_adapter { stages.len().saturating_sub(1) } else { 0 };
    stages.iter().enumerate().skip(first).map(move |(number, stage)| (stage, number + 1 == stages.len()))
}

/// Whether a stage of `method` takes what [`Stages`] says.
pub fn takes_stages(method: &Method, has_adapter: bool) -> bool {
    let is_new = |stage: &Stage| stage.attached != Attached::Nothing && !has_adapter;
    trained(method, has_adapter).any(|(stage, _)| is_new(stage) || stage.budget != Budget::Model)
}

/// The error of a spec without [`Stages`] that needs them.
pub(super) fn missing(methods: &[Method]) -> Error {
    let names: Vec<String> = methods.iter().map(Method::name).collect();
    Error::input(format!("`{}` takes a [stages] table, which the spec does not have", names.join(",")))
        .flag(FLAG)
        .next("give the options as flags, or a spec that fsa has written")
}

/// Errors on what cannot be meant of the methods of `spec`.
pub(super) fn validate(spec: &GradientAlign) -> Result<()> {
    spec.method.iter().try_for_each(possible)?;
    if !spec.method.is_empty() && !spec.training.trains_everything() {
        let what = "cannot be used with other methods than standard: what is trained follows from the method";
        return Err(Error::input(what).flag("--trainable").next("leave it out"));
    }
    let has_adapter = spec.adapter.is_some();
    if has_adapter && !spec.method.is_empty() {
        let (first, several) = (&spec.method[0], spec.method.len() > 1);
        if several || first.stages().len() < 2 {
            let what = match several {
                true => "cannot be used with several methods: it is what one method has trained".to_string(),
                false => format!("cannot be used with `{}`, which has no stage before its last", first.name()),
            };
            return Err(Error::input(what)
                .flag("--adapter")
                .next("leave it out, or give --method promot or promot-lora"));
        }
    }
    if spec.method.iter().any(|method| takes_stages(method, has_adapter)) {
        let stages = spec.stages.as_ref().ok_or_else(|| missing(&spec.method))?;
        spec.comparison(stages, &spec.method).validate()?;
    }
    match spec.method.iter().find(|method| spec.has_earlier(method)) {
        Some(method) if spec.dev.is_none() => Err(Error::input(format!(
            "missing: the validation split, by which the checkpoint of the first stage of `{}` is chosen",
            method.name()
        ))
        .flag("--dev")
        .next("give --dev path/to/validation.tsv (or `dev` in a --config file)")),
        _ => Ok(()),
    }
}

impl GradientAlign {
    /// Whether `method` has stages that are trained before the one that is probed.
    pub fn has_earlier(&self, method: &Method) -> bool {
        method.stages().len() > 1 && self.adapter.is_none()
    }

    /// Whether all of it lies in the run folder itself: one method whose one stage is trained and probed.
    pub fn is_one_run(&self) -> bool {
        match &self.method[..] {
            [] => true,
            [one] => !self.has_earlier(one),
            _ => false,
        }
    }

    /// The folder of `method`, where it is not all of the run.
    pub fn folder_of(&self, method: &Method) -> PathBuf {
        self.out.join(method.name())
    }

    /// The run that `method` comes to, behind what the stage before its last left in `adapter`; without one, behind something new of
    /// the same size.
    pub fn run_of(&self, method: &Method, adapter: Option<&Path>) -> Self {
        let takes_stages = takes_stages(method, adapter.is_some());
        let is_probed = self.probe_split == ProbeSplit::Validation;
        Self {
            // As a run that names no method.
            method: if method.name() == STANDARD { Vec::new() } else { vec![*method] },
            stages: self.stages.clone().filter(|_| takes_stages),
            adapter: adapter.map(Path::to_path_buf),
            dev: self.dev.clone().filter(|_| is_probed || (adapter.is_none() && self.has_earlier(method))),
            out: self.folder_of(method),
            ..self.clone()
        }
    }

    /// The comparison that trains the stages before the last; none if no method has any.
    ///
    /// # Errors
    /// If the spec does not say how.
    pub fn earlier(&self) -> Result<Option<Compare>> {
        let methods: Vec<Method> = self.method.iter().filter(|method| self.has_earlier(method)).copied().collect();
        if methods.is_empty() {
            return Ok(None);
        }
        let stages = self.stages.as_ref().ok_or_else(|| missing(&methods))?;
        Ok(Some(self.comparison(stages, &methods)))
    }

    fn comparison(&self, stages: &Stages, methods: &[Method]) -> Compare {
        let file = |split: &str, path: &Path| (format!("{}.{split}", self.task), path.to_path_buf());
        let train = file("train", &self.train);
        let files = std::iter::once(train).chain(self.dev.iter().map(|dev| file("validation", dev)));
        let Stages { prompt, lora, choose, prompt_stage, lora_stage } = stages.clone();
        Compare {
            model: self.model.clone(),
            adapter: None,
            target: vec![self.task.clone()],
            methods: methods.to_vec(),
            out: self.out.join(EARLIER),
            seed: self.seed,
            seeds: 1,
            threads: self.threads,
            eval: Vec::new(),
            trade_off: false,
            files: files.collect::<BTreeMap<_, _>>(),
            limit: choose.limit,
            sample: self.sample,
            prompt_sentinel: false,
            bleu_tokenizer: choose.bleu_tokenizer,
            attach_prompt: AttachPrompt::Target,
            target_shots: 0,
            report: Report::Validation,
            decoding: choose.decoding,
            mix: Mix::Equal,
            prompt,
            lora,
            model_stage: StageTraining {
                steps: self.steps.max(1),
                probe_every: self.probe_every,
                training: self.training.clone(),
            },
            prompt_stage,
            lora_stage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::method::Trained;

    #[test]
    fn what_is_trained_before_the_last_stage_is_all_that_an_adapter_holds() {
        for name in all() {
            let method = Method::named(&name).unwrap();
            let (last, before) = method.stages().split_last().unwrap();
            assert!(before.iter().all(|stage| stage.trained == Trained::Attached), "{name}");
            // What the adapter is frozen in is the model's own training.
            assert!(before.is_empty() || (last.trained, last.budget) == (Trained::Model, Budget::Model), "{name}");
        }
        assert_eq!(all().count(), 16);
    }

    #[test]
    fn methods_of_no_or_several_tasks_are_refused_by_their_names() {
        let error = |name: &str| named(&[name.to_string()]).unwrap_err().to_string();
        assert!(error("pretrained").starts_with("--method: `pretrained` trains nothing"), "{}", error("pretrained"));
        assert!(
            error("multitask-promot+1shot").starts_with("--method: `multitask-promot+1shot` trains on several targets")
        );
        let unknown = error("promt");
        assert!(
            unknown.starts_with("--method: there is no method `promt`; did you mean `promot`? There are standard, ")
        );
        assert!(!unknown.contains("pretrained") && !unknown.contains("multitask"), "{unknown}");
        assert_eq!(named(&["standard".to_string()]).unwrap(), []);
        assert_eq!(named(&["joint", " promot", "joint"].map(String::from)).unwrap().len(), 2);
    }
}
