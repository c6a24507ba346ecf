//! A model's answers to one evaluation, and what they amount to.

use serde::Serialize;

use super::{Asked, Labels, Question};
use crate::error::Result;
use crate::experiment::answers::{self, Answered};
use crate::experiment::estimate::most_at_once;
use crate::experiment::scoring::{self, Scored};
use crate::measure::outputs::{Kind, Output, Shot, Tally};
use crate::model::{T5, Whole};
use crate::report::LabelRatioRow;
use crate::spec::{Decoding, Seeds};
use crate::tokenizer::Tokenizer;

/// Prompts that are decoded at once.
const BATCH: usize = 64;

/// One example's answer, a line of `outputs/step-N/TASK-Kshot.jsonl`.
#[derive(Debug, Serialize)]
pub(in crate::experiment) struct Answer<'a> {
    /// Row in its file, from 0.
    row: usize,
    prompt: &'a str,
    /// As decoded, sentinels and all.
    raw: String,
    /// What was scored.
    output: String,
    references: &'a [String],
    /// Whether it ended by itself, before the length limit.
    ended: bool,
    /// One of the taxonomy's classes.
    class: &'static str,
}

/// What identifies the rows of a checkpoint.
#[derive(Debug, Clone)]
pub(in crate::experiment) struct Place {
    pub target: String,
    pub method: String,
    pub seed: u64,
    pub step: u64,
}

/// Number of [`evaluate`]'s ticks.
pub(in crate::experiment) fn ticks(asked: &Asked) -> u64 {
    asked.questions.len().div_ceil(BATCH) as u64
}

/// As [`most_at_once`], of several tasks, with `prefix` tokens before each source.
pub(in crate::experiment) fn most_asked<'q>(asked: impl Iterator<Item = &'q Asked>, prefix: usize) -> (usize, usize) {
    let sources = |asked: &'q Asked| asked.questions.iter().map(|question| question.source.as_slice());
    let most = asked.map(|asked| most_at_once(sources(asked), BATCH)).max_by_key(|&(_, tokens)| tokens);
    let (outputs, tokens) = most.unwrap_or((0, 0));
    (outputs, tokens + prefix * outputs)
}

/// Who asks.
#[derive(Clone, Copy)]
pub(in crate::experiment) struct Examiner<'a> {
    pub tokenizer: &'a Tokenizer,
    /// The label words of the fine-tuned task.
    pub labels: &'a Labels,
    pub decoding: &'a Decoding,
    /// Of bootstraps.
    pub seed: u64,
    /// Ids before every source: a soft prompt's.
    pub prefix: &'a [u32],
}

impl Examiner<'_> {
    /// The answers of `model` to one batch of the questions of `asked`, and the probability that each begins with a label word.
    pub fn answer(&self, model: &T5, asked: &Asked, batch: &[&Question]) -> Result<(Vec<Answered>, Vec<f64>)> {
        let sources: Vec<Vec<u32>> = batch.iter().map(|question| [self.prefix, &question.source].concat()).collect();
        let sources: Vec<&[u32]> = sources.iter().map(Vec::as_slice).collect();
        let answered = answers::answers(model, self.tokenizer, &sources, &asked.task.prefixes(), self.decoding)?;
        Ok((answered, label_mass(model, &sources, &self.labels.ids)?))
    }

    /// Asks `model` and counts. `tick` is called before each batch.
    pub fn ask<'q>(
        &self,
        model: &T5,
        asked: &'q Asked,
        place: &Place,
        tick: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<(Vec<LabelRatioRow>, Vec<Answer<'q>>)> {
        let name = asked.task.name();
        let labels = &self.labels.set;
        let mut answered: Vec<Answered> = Vec::with_capacity(asked.questions.len());
        let mut mass = Vec::with_capacity(asked.questions.len());
        for batch in asked.questions.chunks(BATCH) {
            tick(&format!("{name} {}-shot, {} of {}", asked.shots, answered.len(), asked.questions.len()))?;
            let (more, masses) = self.answer(model, asked, &batch.iter().collect::<Vec<_>>())?;
            answered.extend(more);
            mass.extend(masses);
        }
        let outputs: Vec<String> = answered.iter().map(|answered| answered.output.clone()).collect();
        let references: Vec<Vec<String>> = asked.questions.iter().map(|question| question.references.clone()).collect();
        let inputs: Vec<Vec<&str>> = asked
            .questions
            .iter()
            .map(|question| std::iter::once(&question.prompt).chain(&question.inputs).map(String::as_str).collect())
            .collect();
        let closed = asked.task.labels().is_some();
        let shots: Vec<Vec<Shot>> = asked
            .questions
            .iter()
            .map(|question| {
                let shots = question.shots.iter();
                shots.map(|(input, answer)| Shot { input, answer: (!closed).then_some(answer) }).collect()
            })
            .collect();
        let judged: Vec<Output> = outputs
            .iter()
            .enumerate()
            .map(|(i, text)| Output {
                text,
                label: labels.as_ref().and_then(|labels| labels.exact(text)),
                first_word: labels.as_ref().and_then(|labels| labels.first_word(text)),
                hit_limit: !answered[i].ended,
                inputs: &inputs[i],
                shots: &shots[i],
                expected: asked.language,
            })
            .collect();
        let tally = Tally::of(&judged);
        let kinds: Vec<Kind> = judged.iter().map(Kind::of).collect();
        let n = outputs.len() as u64;
        let share = |kind: Kind| kinds.iter().filter(|&&other| other == kind).count() as f64 / n.max(1) as f64;
        let has_labels = labels.is_some();
        let interval = tally.labels.wilson().filter(|_| has_labels);
        let rows = asked
            .metrics
            .iter()
            .map(|metric| {
                let scored = scoring::score(metric, &outputs, &references, Seeds::new(self.seed))?;
                Ok(LabelRatioRow {
                    target: place.target.clone(),
                    method: place.method.clone(),
                    seed: place.seed,
                    step: place.step,
                    task: name.to_string(),
                    shots: asked.shots as u64,
                    n,
                    label_ratio: tally.labels.rate().filter(|_| has_labels),
                    label_ratio_lo: interval.map(|ends| ends.0),
                    label_ratio_hi: interval.map(|ends| ends.1),
                    label_ratio_first_word: tally.first_words.rate().filter(|_| has_labels),
                    label_mass: has_labels.then(|| mass.iter().sum::<f64>() / n.max(1) as f64),
                    score: scored.score,
                    score_lo: scored.low,
                    score_hi: scored.high,
                    metric: metric.name().to_string(),
                    out_label: has_labels.then(|| share(Kind::Label)),
                    out_empty: share(Kind::Empty),
                    out_runaway: share(Kind::Runaway),
                    out_copy: share(Kind::Copy),
                    out_wrong_language: asked.language.map(|_| share(Kind::WrongLanguage)),
                    out_other: share(Kind::Other),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let answers = asked
            .questions
            .iter()
            .zip(answered.into_iter().zip(kinds))
            .map(|(question, (answered, kind))| Answer {
                row: question.row,
                prompt: &question.prompt,
                raw: answered.raw,
                output: answered.output,
                references: &question.references,
                ended: answered.ended,
                class: kind.name(),
            })
            .collect();
        Ok((rows, answers))
    }
}

/// For each source, the probability that the output begins with one of `beginnings`.
fn label_mass(model: &T5, sources: &[&[u32]], beginnings: &[Vec<u32>]) -> Result<Vec<f64>> {
    if beginnings.is_empty() {
        return Ok(vec![0.0; sources.len()]);
    }
    let rows = sources.len() * beginnings.len();
    let whole = Whole {
        sources: sources.to_vec(),
        keys: vec![0; sources.len()],
        targets: beginnings.iter().flat_map(|ids| sources.iter().map(move |_| ids.as_slice())).collect(),
        weights: vec![vec![1.0; rows]],
    };
    let mut mass = Vec::with_capacity(sources.len());
    for batch in whole.cut(crate::spec::Training::default().micro_batch_tokens, model.config())? {
        let examples = batch.examples();
        let log_p = model.log_probabilities(&batch)?;
        mass.extend(
            (0..examples).map(|i| log_p.iter().skip(i).step_by(examples).map(|log_p| log_p.exp()).sum::<f64>()),
        );
    }
    Ok(mass)
}

/// Signatures of every score of an evaluation.
pub(in crate::experiment) fn signatures(asked: &Asked) -> Result<Vec<String>> {
    let nothing = [String::new()];
    let references: Vec<Vec<String>> =
        asked.questions.first().map(|question| vec![question.references.clone()]).unwrap_or_default();
    asked
        .metrics
        .iter()
        .map(|metric| {
            scoring::score(metric, &nothing, &references, Seeds::new(0)).map(|Scored { signature, .. }| signature)
        })
        .collect()
}
