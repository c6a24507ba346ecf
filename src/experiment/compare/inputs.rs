//! What a stage is trained on: batches of one target, or of several together, each input behind its soft prompt and its shot.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::data::{Order, Split, Tokenized};
use crate::error::{Error, Result};
use crate::experiment::fine_tune::Batches;
use crate::model::{Batch, T5Config, Whole};
use crate::spec::compare::Mix;
use crate::spec::{Seeds, Training};
use crate::tokenizer::Tokenizer;

/// What a target is trained on.
#[derive(Clone)]
pub(in crate::experiment) struct Examples<'a> {
    /// The target's name, which its random streams have.
    pub name: &'a str,
    /// Its training split, and the same as ids.
    pub split: &'a Split,
    pub tokens: &'a [Tokenized],
    /// Ids before every source: a soft prompt's.
    pub prefix: Vec<u32>,
}

/// One target's share of every batch.
struct Part<'a> {
    of: Examples<'a>,
    order: Order,
}

/// Batches of a stage.
pub(in crate::experiment) struct Inputs<'a> {
    tokenizer: &'a Tokenizer,
    parts: Vec<Part<'a>>,
    shots: usize,
    seeds: Seeds,
    micro_batch_tokens: usize,
}

impl<'a> Inputs<'a> {
    /// Of `targets`; in every batch each has the share that `mix` gives it.
    ///
    /// # Errors
    /// If a target has no example, or batches are smaller than there are targets.
    pub fn new(
        tokenizer: &'a Tokenizer,
        targets: Vec<Examples<'a>>,
        shots: usize,
        mix: Mix,
        training: &Training,
        seeds: Seeds,
    ) -> Result<Self> {
        if training.batch_size < targets.len() {
            return Err(Error::input(format!("{} targets do not fit into a batch", targets.len()))
                .flag("--batch-size")
                .next(format!("give at least {}", targets.len())));
        }
        let sizes: Vec<usize> = targets.iter().map(|of| of.split.len()).collect();
        let shares = mix.shares(&sizes, training.batch_size);
        let part = |(of, share): (Examples<'a>, usize)| {
            let order = Order::new(of.split.len(), share, seeds)?;
            Ok(Part { of, order })
        };
        let parts = targets.into_iter().zip(shares).map(part).collect::<Result<_>>()?;
        Ok(Self { tokenizer, parts, shots, seeds, micro_batch_tokens: training.micro_batch_tokens })
    }
}

impl Part<'_> {
    /// The source of example `i`, behind the soft prompt and, if there is to be one, a shot. Each time an example comes up it has
    /// another one.
    fn source(&self, tokenizer: &Tokenizer, seeds: Seeds, shots: usize, step: u64, i: usize) -> Result<Vec<u32>> {
        let Examples { name, split, tokens, prefix } = &self.of;
        if shots == 0 {
            return Ok([prefix.as_slice(), &tokens[i].source].concat());
        }
        let mut rng = seeds.rng(&format!("train.shots.{name}"), &[step, i as u64]);
        let text = behind_shot(split, &split.examples[i].source, &mut rng)?;
        Ok([prefix.as_slice(), &tokenizer.encode(&text)?].concat())
    }
}

/// `source` behind an example of `train` with its answer: never the example itself, nor one of the same text.
pub(in crate::experiment) fn behind_shot(train: &Split, source: &str, rng: &mut ChaCha8Rng) -> Result<String> {
    let examples = &train.examples;
    let mut others = (0..64 * examples.len()).map(|_| rng.random_range(0..examples.len()));
    let shot = others.find(|&j| examples[j].source != source).ok_or_else(|| {
        Error::input("every training example has the same source, so none can be another's shot")
            .at(&train.path)
            .next("leave the +1shot methods out")
    })?;
    Ok(format!("{} {} {source}", examples[shot].source, examples[shot].target))
}

impl Batches for Inputs<'_> {
    fn batch(&mut self, step: u64, config: &T5Config) -> Result<Vec<Batch>> {
        let (mut sources, mut keys, mut targets): (Vec<Vec<u32>>, Vec<u64>, Vec<&[u32]>) = Default::default();
        for (number, part) in self.parts.iter_mut().enumerate() {
            for i in part.order.batch(step) {
                sources.push(part.source(self.tokenizer, self.seeds, self.shots, step, i)?);
                keys.push(i as u64 + ((number as u64) << 40));
                targets.push(part.of.tokens[i].target.as_slice());
            }
        }
        Whole::training(sources.iter().map(Vec::as_slice).collect(), keys, targets).cut(self.micro_batch_tokens, config)
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::{Base, Target};
    use super::*;
    use crate::model::prompt;
    use crate::spec::Compare;

    #[test]
    fn a_source_is_its_soft_prompt_then_another_examples_shot_then_itself() {
        let spec: Compare = toml::from_str(include_str!("../../../reports/mini-compare/rte/spec.toml")).unwrap();
        let base = Base::load(&spec).unwrap();
        let target = Target::load(&spec, &base, "rte", 0, &mut Vec::new()).unwrap();
        let prefix: Vec<u32> = prompt::virtual_tokens(0, 3).collect();
        let training = &spec.model_stage.training;
        let (seeds, of) = (Seeds::new(0), vec![target.training(&prefix)]);
        let inputs = Inputs::new(&base.tokenizer, of, 1, Mix::Equal, training, seeds).unwrap();
        let (part, examples) = (&inputs.parts[0], &target.train.examples);
        let source = |shots, step, i| part.source(&base.tokenizer, seeds, shots, step, i).unwrap();
        let mut shots = std::collections::BTreeSet::new();
        for (step, i) in (0..40).flat_map(|step| [(step, 5), (step, 70)]) {
            let ids = source(1, step, i);
            assert_eq!(ids[..3], prefix);
            let text = base.tokenizer.decode(&ids[3..], true).unwrap();
            let shot = text.strip_suffix(&examples[i].source).expect("the example itself comes last").trim_end();
            let is_shot = |other: &&crate::data::Example| shot == format!("{} {}", other.source, other.target);
            let other = examples.iter().find(is_shot).expect("a source with its true answer comes before");
            assert_ne!(other.source, examples[i].source);
            shots.insert((i, other.row));
        }
        // Nearly every visit has a shot of its own, and the same visit the same one.
        assert!(shots.len() > 70, "{}", shots.len());
        assert_eq!(source(1, 9, 5), source(1, 9, 5));
        assert_eq!(source(0, 9, 5), [&prefix, &target.train_tokens[5].source].map(Vec::as_slice).concat());
    }
}
