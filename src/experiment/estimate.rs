//! How long a run will take: its own work, done for a few seconds just now, times how often it will be done.
//!
//! What is too long to be done once is done for growing parts of a batch and drawn out from the last two, since the time has a share
//! that does not depend on how many examples there are: the optimizer's, for one. Nothing is written, and no model moves.

use std::time::Instant;

use serde::Serialize;

use super::answers;
use super::asking::{Asked, Examiner, Question};
use super::fine_tune::Batches;
use crate::data::Tokenized;
use crate::error::Result;
use crate::machine;
use crate::model::loss::LossOptions;
use crate::model::{Batch, T5};
use crate::spec::{Decoding, Seeds, Training};
use crate::train::Trainer;

/// Seconds for all measurements of one kind, about.
pub(super) const LIMIT_S: f64 = 4.0;
/// Examples that are asked at once.
const ASKED: usize = 64;
/// Steps whose batches are made at once, so that what makes several together is not counted for one.
const AHEAD: u64 = 8;

/// How long a run will take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Time {
    /// All of it, in seconds.
    pub total_s: f64,
    /// Its parts, in order.
    pub parts: Vec<TimedPart>,
}

/// A part of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimedPart {
    /// What is done.
    pub what: String,
    /// How often.
    pub count: u64,
    /// How long all of that takes, in seconds.
    pub total_s: f64,
}

impl Time {
    /// Of parts that are done so often and take so many seconds each.
    pub(super) fn of(parts: impl IntoIterator<Item = (String, u64, f64)>) -> Self {
        let part =
            |(what, count, each_s): (String, u64, f64)| TimedPart { what, count, total_s: count as f64 * each_s };
        let parts: Vec<TimedPart> = parts.into_iter().map(part).collect();
        Self { total_s: parts.iter().map(|part| part.total_s).sum(), parts }
    }
}

/// What `measure` finds, if a run of `memory_mib` fits into memory; else nothing, and a line in `warnings`.
pub(super) fn if_it_fits(
    memory_mib: u64,
    warnings: &mut Vec<String>,
    measure: impl FnOnce() -> Result<Time>,
) -> Result<Option<Time>> {
    match machine::available_mib() {
        Some(available) if available < memory_mib as f64 => {
            warnings.push(format!(
                "the time was not measured: about {memory_mib} MiB are needed, and {available:.0} MiB are available"
            ));
            Ok(None)
        }
        _ => measure().map(Some),
    }
}

/// Seconds that `whole` examples take, where `run` says how many a number of them took: `least` at least, and in about `limit_s`.
pub(super) fn seconds_of(
    whole: usize,
    least: usize,
    limit_s: f64,
    mut run: impl FnMut(usize) -> Result<f64>,
) -> Result<f64> {
    const MOST: u32 = 50;
    if whole == 0 {
        return Ok(0.0);
    }
    let mut size = (whole / 16).max(least).min(whole);
    // Not counted: memory and threads are cold.
    run(size)?;
    let begun = Instant::now();
    let mut before: Option<(usize, f64)> = None;
    while size < whole {
        let last = (size, run(size)?);
        // Four times as many: from numbers that are closer, the part that does not depend on them is lost in the noise.
        size = (4 * size).min(whole);
        if let Some(before) = before
            && begun.elapsed().as_secs_f64() + drawn_out(before, last, size) > limit_s
        {
            return Ok(drawn_out(before, last, whole));
        }
        before = Some(last);
    }
    // What can be done whole is steady after a third of the time that growing parts may take.
    let (mut count, mut sum) = (0, 0.0);
    while count == 0 || count < MOST && sum < limit_s / 3.0 {
        sum += run(whole)?;
        count += 1;
    }
    Ok(sum / f64::from(count))
}

/// The line through two points, at `whole`; more examples never take less.
fn drawn_out(before: (usize, f64), last: (usize, f64), whole: usize) -> f64 {
    let slope = ((last.1 - before.1) / (last.0 - before.0).max(1) as f64).max(0.0);
    let line = last.1 + slope * whole.saturating_sub(last.0) as f64;
    // Disturbed measurements may have no slope or one that is too steep; examples cost at most what they cost in small numbers.
    line.min(last.1 * whole as f64 / last.0 as f64)
}

/// Seconds of a training step of `model`, the making of its batch included. `batches` makes the run's own, of other sizes. The
/// learning rate is 0, so that the model stays.
pub(super) fn step_s<'b>(
    model: &T5,
    training: &Training,
    least: usize,
    limit_s: f64,
    batches: impl Fn(&Training) -> Result<Box<dyn Batches + 'b>>,
) -> Result<f64> {
    let still = Training { lr: 0.0, weight_decay: 0.0, ..training.clone() };
    let mut trainer = Trainer::new(&still, AHEAD, Seeds::new(0));
    let mut first = 0;
    seconds_of(training.batch_size, least, limit_s, |size| {
        let mut batches = batches(&Training { batch_size: size, ..training.clone() })?;
        let begun = Instant::now();
        let made = (first..first + AHEAD).map(|step| batches.batch(step, model.config()));
        let made: Vec<Vec<Batch>> = made.collect::<Result<_>>()?;
        let making = begun.elapsed().as_secs_f64() / AHEAD as f64;
        first += AHEAD;
        // The batch that is most like the mean stands for all.
        let tokens = |batch: &Vec<Batch>| batch.iter().map(Batch::source_tokens).sum::<usize>() as f64;
        let mean = made.iter().map(tokens).sum::<f64>() / AHEAD as f64;
        let off = |batch: &&Vec<Batch>| (tokens(batch) - mean).abs();
        let Some(batch) = made.iter().min_by(|a, b| off(a).total_cmp(&off(b))) else { return Ok(making) };
        let begun = Instant::now();
        trainer.step(model, batch)?;
        Ok(making + begun.elapsed().as_secs_f64())
    })
}

/// Seconds in which `examiner` asks all of `asked`.
pub(super) fn ask_s(examiner: &Examiner, model: &T5, asked: &Asked, limit_s: f64) -> Result<f64> {
    let all = asked.questions.len();
    let whole = all.min(ASKED);
    let once = seconds_of(whole, 1, limit_s, |size| {
        let questions: Vec<&Question> = spread(all, size).map(|i| &asked.questions[i]).collect();
        let begun = Instant::now();
        examiner.answer(model, asked, &questions)?;
        Ok(begun.elapsed().as_secs_f64())
    })?;
    Ok(once * all as f64 / whole.max(1) as f64)
}

/// Seconds of the losses of all of `examples`, with `tokens` going through the model at once.
pub(super) fn losses_s(model: &T5, examples: &[Tokenized], tokens: usize, limit_s: f64) -> Result<f64> {
    let whole = examples.len().min(ASKED);
    let once = seconds_of(whole, 1, limit_s, |size| {
        let some: Vec<Tokenized> = spread(examples.len(), size).map(|i| examples[i].clone()).collect();
        let begun = Instant::now();
        answers::losses(model, &some, LossOptions::PLAIN, tokens)?;
        Ok(begun.elapsed().as_secs_f64())
    })?;
    Ok(once * examples.len() as f64 / whole.max(1) as f64)
}

/// Source tokens of a batch of `batch_size` examples, in the mean of sources of such `lengths`.
pub(super) fn mean_tokens(lengths: impl ExactSizeIterator<Item = usize>, batch_size: usize) -> usize {
    let count = lengths.len().max(1);
    (lengths.sum::<usize>() * batch_size).div_ceil(count)
}

/// Outputs that are asked for at once, and their source tokens: the most of any batch of `size`.
pub(super) fn most_at_once<'q>(sources: impl Iterator<Item = &'q [u32]>, size: usize) -> (usize, usize) {
    let lengths: Vec<usize> = sources.map(<[u32]>::len).collect();
    let batches = lengths.chunks(size.max(1)).map(|batch| (batch.len(), batch.iter().sum()));
    batches.max_by_key(|&(_, tokens): &(usize, usize)| tokens).unwrap_or((0, 0))
}

/// `size` numbers below `all`, evenly spread.
pub(super) fn spread(all: usize, size: usize) -> impl Iterator<Item = usize> {
    (0..size).map(move |i| i * all / size.max(1))
}

/// `decoding` of outputs that have come to be as long as the answers `lengths` (in tokens) are in the mean.
pub(super) fn as_long_as(decoding: &Decoding, lengths: impl Iterator<Item = usize>) -> Decoding {
    let (mut count, mut sum) = (0, 0);
    for length in lengths {
        (count, sum) = (count + 1, sum + length);
    }
    let mean = usize::div_ceil(sum, count.max(1)).clamp(1, decoding.max_new_tokens);
    Decoding { max_new_tokens: mean, min_new_tokens: decoding.min_new_tokens.min(mean), ..*decoding }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quick_is_measured_whole_and_what_is_not_is_drawn_out() {
        let mut sizes = Vec::new();
        let quick = seconds_of(64, 1, 0.0, |size| {
            sizes.push(size);
            Ok(0.0)
        });
        assert_eq!((quick.unwrap(), sizes.as_slice()), (0.0, &[4, 4, 16][..]));
        // 5 seconds and half a second for each example.
        let slow = seconds_of(64, 1, 10.0, |size| Ok(5.0 + 0.5 * size as f64)).unwrap();
        assert!((slow - 37.0).abs() < 1e-9, "{slow}");
        assert_eq!(seconds_of(1, 1, 0.0, |_| Ok(2.0)).unwrap(), 2.0);
        assert_eq!(seconds_of(0, 1, 0.0, |_| Ok(2.0)).unwrap(), 0.0);
        // Disturbances end in no time that cannot be.
        assert_eq!(drawn_out((4, 2.0), (8, 1.0), 64), 1.0);
        assert_eq!(drawn_out((4, 0.1), (8, 2.0), 64), 16.0);
    }

    #[test]
    fn examples_are_taken_from_everywhere() {
        assert_eq!(spread(100, 4).collect::<Vec<_>>(), [0, 25, 50, 75]);
        assert_eq!(spread(3, 3).collect::<Vec<_>>(), [0, 1, 2]);
        let decoding = as_long_as(&Decoding { max_new_tokens: 9, ..Decoding::default() }, [2, 2, 3].into_iter());
        assert_eq!(decoding.max_new_tokens, 3);
    }

    #[test]
    fn parts_add_up() {
        let time = Time::of([("a".to_string(), 3, 0.5), ("b".to_string(), 1, 2.0)]);
        assert_eq!((time.total_s, time.parts[0].total_s), (3.5, 1.5));
    }
}
