//! What a stage is trained on: batches of one target, or of several together, each input behind its soft prompt and its shot.

use rand::RngExt;

use super::data::{Base, Target};
use crate::data::Order;
use crate::error::{Error, Result};
use crate::experiment::fine_tune::Batches;
use crate::model::{Batch, T5Config, Whole};
use crate::spec::compare::Mix;
use crate::spec::{Seeds, Training};

/// One target's share of every batch.
struct Part<'a> {
    target: &'a Target,
    order: Order,
    /// Ids of its soft prompt.
    prefix: Vec<u32>,
}

/// Batches of a stage.
pub(super) struct Inputs<'a> {
    base: &'a Base,
    parts: Vec<Part<'a>>,
    shots: usize,
    seeds: Seeds,
    micro_batch_tokens: usize,
}

impl<'a> Inputs<'a> {
    /// Of `targets`, each with the ids of its soft prompt; in every batch each has the share that `mix` gives it.
    ///
    /// # Errors
    /// If a target has no example, or batches are smaller than there are targets.
    pub fn new(
        base: &'a Base,
        targets: &[(&'a Target, Vec<u32>)],
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
        let sizes: Vec<usize> = targets.iter().map(|(target, _)| target.train.len()).collect();
        let shares = mix.shares(&sizes, training.batch_size);
        let parts = targets
            .iter()
            .zip(shares)
            .map(|((target, prefix), share)| {
                let order = Order::new(target.train.len(), share, seeds)?;
                Ok(Part { target, order, prefix: prefix.clone() })
            })
            .collect::<Result<_>>()?;
        Ok(Self { base, parts, shots, seeds, micro_batch_tokens: training.micro_batch_tokens })
    }
}

impl Part<'_> {
    /// The source of example `i`, behind the soft prompt and, if there is to be one, a shot. Each time an example comes up it has
    /// another one.
    fn source(&self, base: &Base, seeds: Seeds, shots: usize, step: u64, i: usize) -> Result<Vec<u32>> {
        let tokens = &self.target.train_tokens[i].source;
        if shots == 0 {
            return Ok([self.prefix.as_slice(), tokens].concat());
        }
        let examples = &self.target.train.examples;
        let mut rng = seeds.rng(&format!("train.shots.{}", self.target.name), &[step, i as u64]);
        // Never the example itself, nor one of the same text.
        let others = (0..64 * examples.len()).map(|_| rng.random_range(0..examples.len()));
        let shot = others.into_iter().find(|&j| examples[j].source != examples[i].source).ok_or_else(|| {
            Error::input("every training example has the same source, so none can be another's shot")
                .at(&self.target.train.path)
                .next("leave the +1shot methods out")
        })?;
        let text = format!("{} {} {}", examples[shot].source, examples[shot].target, examples[i].source);
        Ok([self.prefix.as_slice(), &base.tokenizer.encode(&text)?].concat())
    }
}

impl Batches for Inputs<'_> {
    fn batch(&mut self, step: u64, config: &T5Config) -> Result<Vec<Batch>> {
        let (mut sources, mut keys, mut targets): (Vec<Vec<u32>>, Vec<u64>, Vec<&[u32]>) = Default::default();
        for (number, part) in self.parts.iter_mut().enumerate() {
            for i in part.order.batch(step) {
                sources.push(part.source(self.base, self.seeds, self.shots, step, i)?);
                keys.push(i as u64 + ((number as u64) << 40));
                targets.push(part.target.train_tokens[i].target.as_slice());
            }
        }
        Whole::training(sources.iter().map(Vec::as_slice).collect(), keys, targets).cut(self.micro_batch_tokens, config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::prompt;
    use crate::spec::Compare;

    #[test]
    fn a_source_is_its_soft_prompt_then_another_examples_shot_then_itself() {
        let spec: Compare = toml::from_str(include_str!("../../../reports/mini-compare/rte/spec.toml")).unwrap();
        let base = Base::load(&spec.model).unwrap();
        let target = Target::load(&spec, &base, "rte", 0, &mut Vec::new()).unwrap();
        let prefix: Vec<u32> = prompt::virtual_tokens(0, 3).collect();
        let training = &spec.model_stage.training;
        let (seeds, of) = (Seeds::new(0), [(&target, prefix.clone())]);
        let inputs = Inputs::new(&base, &of, 1, Mix::Equal, training, seeds).unwrap();
        let (part, examples) = (&inputs.parts[0], &target.train.examples);
        let source = |shots, step, i| part.source(&base, seeds, shots, step, i).unwrap();
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
