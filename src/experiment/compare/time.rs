//! How long a comparison will take in one process: every stage's steps, and everything that is asked.

use std::collections::BTreeMap;

use super::attach::attach;
use super::data::{Base, Target};
use super::evaluation::Evaluation;
use super::stage::{Chain, probes};
use super::work::{Piece, Task, Work};
use crate::error::Result;
use crate::experiment::asking::Asked;
use crate::experiment::estimate::{LIMIT_S, Time, as_long_as, ask_s, step_s};
use crate::model::{T5, prompt};
use crate::spec::method::{Attached, Trained};
use crate::spec::{Compare, Seeds};

/// Measures the pieces of the first seed; others take as long. Also pieces that a folder has already.
pub(super) fn time(spec: &Compare, base: &Base, all: &[Vec<Target>]) -> Result<Time> {
    let first = &all[..all.len().min(1)];
    let work = Work::new(spec, base, first)?;
    let asked = first.iter().flatten().map(|target| 2 + target.evaluations.len()).sum::<usize>();
    of(&work.pieces.iter().collect::<Vec<_>>(), spec, base, asked)
}

/// Measures `pieces`, which ask about `asked` tasks.
pub(super) fn of(pieces: &[&Piece], spec: &Compare, base: &Base, asked: usize) -> Result<Time> {
    let model = base.model(spec)?;
    let stages = pieces.iter().filter(|piece| matches!(piece.task, Task::Stage(_))).count();
    let mut clock = Clock {
        spec,
        base,
        model: &model,
        // Each stage is a measurement, and each task two.
        step_limit_s: 2.0 * LIMIT_S / stages.max(1) as f64,
        ask_limit_s: LIMIT_S / asked.max(1) as f64,
        known: BTreeMap::new(),
    };
    let seconds = |piece: &&Piece| match &piece.task {
        Task::Stage(chain) => clock.stage(chain),
        Task::Evaluation(evaluation) => clock.evaluation(evaluation),
    };
    let seconds = pieces.iter().map(seconds).collect::<Result<Vec<_>>>()?;
    let parts = pieces.iter().zip(seconds);
    Ok(Time::of(parts.map(|(piece, seconds)| (piece.name.clone(), spec.seeds, seconds))))
}

/// What was measured already.
struct Clock<'a> {
    spec: &'a Compare,
    base: &'a Base,
    /// As it came.
    model: &'a T5,
    step_limit_s: f64,
    ask_limit_s: f64,
    /// Seconds of a task's questions, by target, task, shots, how many there are, and whether answers have come to be short.
    known: BTreeMap<(String, String, usize, usize, bool), f64>,
}

impl Clock<'_> {
    fn stage(&mut self, chain: &Chain) -> Result<f64> {
        let stage = chain.stage();
        let training = chain.training();
        // Steps take the same with what is attached new as with what an earlier stage has trained.
        let Some((first, _)) = chain.targets.first() else { return Ok(0.0) };
        let seeds = Seeds::new(chain.seed());
        let mut model = attach(self.model, stage.attached, first.attachments(self.spec, self.base), seeds)?;
        if let (Attached::Prompt, [_, _, ..]) = (stage.attached, &chain.targets[..]) {
            // One below the other.
            let (rows, width) = (self.spec.prompt.length * chain.targets.len(), self.base.config.shape.d_model);
            model = model.with_prompt(prompt::of_rows(vec![0.0; rows * width], width)?)?;
        }
        let step = step_s(&model, &training.training, chain.targets.len(), self.step_limit_s, |training| {
            Ok(Box::new(chain.inputs(training)?))
        })?;
        let mut probe = 0.0;
        for (target, prefix) in &chain.targets {
            probe += self.ask(target, &target.choose, prefix, true)?;
            // What a prompt has taken up before the model was trained keeps it from giving the target's answers to everything.
            let is_short = chain.number == 0;
            for asked in chain.trade_off(target) {
                probe += self.ask(target, asked, &[], is_short)?;
            }
        }
        Ok(step * training.steps as f64 + probe * probes(&training).len() as f64)
    }

    fn evaluation(&mut self, evaluation: &Evaluation) -> Result<f64> {
        let stages = evaluation.method.stages();
        let specialised = match stages {
            [only] => only.trained != Trained::Attached || evaluation.method.stays_attached(),
            _ => false,
        };
        let mut sum = 0.0;
        for asking in evaluation.all() {
            let is_own = evaluation.targets.iter().any(|(target, _)| target.name == asking.asked.task.name());
            let is_short = !stages.is_empty() && (is_own || specialised);
            sum += self.ask(asking.target, asking.asked, asking.prefix, is_short)?;
        }
        Ok(sum)
    }

    /// Seconds in which a model is asked all of `asked`; `is_short` if it has come to answer as the target is answered.
    fn ask(&mut self, target: &Target, asked: &Asked, prefix: &[u32], is_short: bool) -> Result<f64> {
        let name = asked.task.name().to_string();
        let key = (target.name.clone(), name, asked.shots, asked.questions.len(), is_short);
        let seconds = match self.known.get(&key) {
            Some(&seconds) => seconds,
            None => {
                let lengths = target.train_tokens.iter().map(|example| example.target.len());
                let decoding = if is_short { as_long_as(&self.spec.decoding, lengths) } else { self.spec.decoding };
                let spec = Compare { decoding, ..self.spec.clone() };
                let examiner = target.examiner(&spec, self.base, &[]);
                let seconds = ask_s(&examiner, self.model, asked, self.ask_limit_s)?;
                self.known.insert(key, seconds);
                seconds
            }
        };
        // A soft prompt makes every source longer.
        let tokens: usize = asked.questions.iter().map(|question| question.source.len()).sum();
        let more = (prefix.len() * asked.questions.len()) as f64 / tokens.max(1) as f64;
        Ok(seconds * (1.0 + more))
    }
}
