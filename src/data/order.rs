//! Which examples a training step and a probe batch hold.
//!
//! Both are functions of the seed and nothing else, so that a resumed run sees what the run that was cut off would have.

use std::ops::Range;

use rand::seq::SliceRandom;

use crate::error::{Error, Result};
use crate::spec::Seeds;

/// The order of training: an endless sequence of epochs, each a permutation of the split (stream `train.order`, index epoch),
/// cut into batches that may span two epochs.
///
/// Every epoch holds each example once. Where a batch spans two epochs, the examples at the second one's start that the batch
/// already holds are swapped with later ones of that epoch, so that no batch holds an example twice. Only a split smaller
/// than a batch has to repeat examples within it.
#[derive(Debug, Clone)]
pub struct Order {
    n: usize,
    batch_size: usize,
    seeds: Seeds,
    /// The epoch used last. A cache only: it changes how long [`batch`](Self::batch) takes, never what it returns.
    last: Option<(u64, Vec<usize>)>,
}

impl Order {
    /// The order of `n` examples in batches of `batch_size`.
    pub fn new(n: usize, batch_size: usize, seeds: Seeds) -> Result<Self> {
        if n == 0 {
            return Err(Error::input("there are no examples to train on").flag("--train"));
        }
        if batch_size == 0 {
            return Err(Error::input("must be at least 1, not 0").flag("--batch-size"));
        }
        Ok(Self { n, batch_size, seeds, last: None })
    }

    /// The examples of step `step`, counted from 0: a pure function of the seed and the step.
    pub fn batch(&mut self, step: u64) -> Vec<usize> {
        let n = self.n as u128;
        // 128 bits: no step and batch size overflow them.
        let mut position = u128::from(step) * self.batch_size as u128;
        let mut batch = Vec::with_capacity(self.batch_size);
        while batch.len() < self.batch_size {
            let from = (position % n) as usize;
            let to = self.n.min(from + self.batch_size - batch.len());
            // Only a split smaller than a batch could pass 2^64 epochs, after 2^58 steps; the number would wrap.
            batch.extend_from_slice(self.epoch_part((position / n) as u64, from..to));
            position += (to - from) as u128;
        }
        batch
    }

    /// Part of epoch `epoch`, after the swaps at its start.
    fn epoch_part(&mut self, epoch: u64, range: Range<usize>) -> &[usize] {
        let order = match self.last.take() {
            Some((last, order)) if last == epoch => order,
            // The epoch before it is the one its swaps depend on.
            Some((last, order)) if last.checked_add(1) == Some(epoch) => self.after(epoch, &order),
            _ => self.epoch_order(epoch),
        };
        &self.last.insert((epoch, order)).1[range]
    }

    fn epoch_order(&self, epoch: u64) -> Vec<usize> {
        let mut at = self.independent(epoch);
        let mut order = self.permutation(at);
        while at < epoch {
            at += 1;
            order = self.after(at, &order);
        }
        order
    }

    /// An epoch at or before `epoch` whose last examples (those that the next epoch's swaps look at) follow from its own
    /// permutation alone.
    fn independent(&self, epoch: u64) -> u64 {
        if self.n < self.batch_size {
            return epoch;
        }
        if self.n / 2 >= self.batch_size {
            // Swaps reach only as far as they need to. A batch holds `batch_size` examples, so at most that many places are
            // its own or are taken by examples it holds: the partners lie within the first `batch_size` places, and the last
            // `batch_size` of the epoch stay as they are.
            return epoch.saturating_sub(1);
        }
        // Otherwise swaps may reach the end, and every epoch depends on the one before it, back to one that starts a batch.
        // Some epoch of every `batch_size` does.
        (0..=epoch).rev().find(|&epoch| self.carried(epoch) == 0).unwrap_or(0)
    }

    /// How many examples of the batch that spans the start of `epoch` belong to the epoch before it.
    fn carried(&self, epoch: u64) -> usize {
        (u128::from(epoch) * self.n as u128 % self.batch_size as u128) as usize
    }

    fn permutation(&self, epoch: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.n).collect();
        order.shuffle(&mut self.seeds.rng("train.order", &[epoch]));
        order
    }

    /// Epoch `epoch`, given the epoch before it.
    fn after(&self, epoch: u64, before: &[usize]) -> Vec<usize> {
        let mut order = self.permutation(epoch);
        let carried = self.carried(epoch);
        if self.n < self.batch_size || carried == 0 {
            return order;
        }
        let mut held = vec![false; self.n];
        for &example in &before[self.n - carried..] {
            held[example] = true;
        }
        let head = self.batch_size - carried;
        let mut partner = head;
        for place in 0..head {
            if !held[order[place]] {
                continue;
            }
            // n ≥ batch_size leaves a partner for every conflict: of the n − head later places at most `carried` less the
            // conflicts hold examples of the batch.
            while partner < self.n && held[order[partner]] {
                partner += 1;
            }
            if partner < self.n {
                order.swap(place, partner);
                partner += 1;
            }
        }
        order
    }
}

/// The fixed probe batches: `count` batches of `batch_size` different examples out of `n`, no example in two of them (stream
/// `probe`).
pub fn probe_batches(n: usize, batch_size: usize, count: usize, seeds: &Seeds) -> Result<Vec<Vec<usize>>> {
    let needed = count.checked_mul(batch_size).filter(|&needed| needed <= n);
    let Some(needed) = needed else {
        return Err(Error::input(format!(
            "{count} probe batches of {batch_size} examples do not fit into the {n} examples of the split"
        ))
        .flag("--probe-batches")
        .next("give fewer --probe-batches or a smaller --batch-size"));
    };
    if needed == 0 {
        return Err(Error::input("probing needs at least one batch of at least one example").flag("--probe-batches"));
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut seeds.rng("probe", &[]));
    Ok(order[..needed].chunks(batch_size).map(<[usize]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(n: usize, batch_size: usize, root: u64) -> Order {
        Order::new(n, batch_size, Seeds::new(root)).unwrap()
    }

    proptest! {
        #[test]
        fn epochs_are_permutations_and_batches_hold_no_example_twice(n in 1usize..60, batch_size in 1usize..40, root: u64) {
            let mut order = order(n, batch_size, root);
            let steps = (5 * n).div_ceil(batch_size) as u64 + 3;
            let batches: Vec<Vec<usize>> = (0..steps).map(|step| order.batch(step)).collect();
            for batch in &batches {
                prop_assert_eq!(batch.len(), batch_size);
                let mut seen = batch.clone();
                seen.sort_unstable();
                seen.dedup();
                if n >= batch_size {
                    prop_assert_eq!(seen.len(), batch_size);
                }
            }
            for epoch in batches.concat().chunks_exact(n) {
                let mut epoch = epoch.to_vec();
                epoch.sort_unstable();
                prop_assert_eq!(epoch, (0..n).collect::<Vec<_>>());
            }
        }

        #[test]
        fn a_resumed_run_sees_the_same(n in 1usize..60, batch_size in 1usize..40, root: u64, step in 0u64..200) {
            let mut through = order(n, batch_size, root);
            for earlier in 0..step {
                through.batch(earlier);
            }
            let expected = through.batch(step);
            prop_assert_eq!(&order(n, batch_size, root).batch(step), &expected);
            // Going back and forth does not matter either.
            through.batch(step + 17);
            prop_assert_eq!(through.batch(step), expected);
        }

        #[test]
        fn probe_batches_are_disjoint(n in 1usize..200, batch_size in 1usize..20, count in 1usize..10, root: u64) {
            let seeds = Seeds::new(root);
            match probe_batches(n, batch_size, count, &seeds) {
                Ok(batches) => {
                    prop_assert_eq!(batches.len(), count);
                    prop_assert!(batches.iter().all(|batch| batch.len() == batch_size));
                    let mut all = batches.concat();
                    all.sort_unstable();
                    all.dedup();
                    prop_assert_eq!(all.len(), count * batch_size);
                    prop_assert!(all.iter().all(|&example| example < n));
                    prop_assert_eq!(probe_batches(n, batch_size, count, &seeds).unwrap(), batches);
                }
                Err(_) => prop_assert!(count * batch_size > n),
            }
        }
    }

    #[test]
    fn late_steps_cost_no_more_and_do_not_overflow() {
        assert_eq!(order(100, 64, 0).batch(u64::MAX / 64).len(), 64);
        assert_eq!(order(3, 64, 0).batch(1_000_000).len(), 64);
        assert_eq!(order(2489, 64, 0).batch(u64::MAX).len(), 64);
    }

    /// Made by this code at its first version; a change here changes every published number and belongs in the changelog.
    #[test]
    fn the_streams_stay_as_they_are() {
        assert_eq!(order(10, 4, 0).batch(2), [9, 2, 6, 0]);
        assert_eq!(probe_batches(10, 3, 2, &Seeds::new(0)).unwrap(), [[2, 1, 3], [6, 8, 7]]);
    }

    #[test]
    fn seeds_decide_and_zero_is_one() {
        assert_ne!(order(100, 10, 0).batch(0), order(100, 10, 1).batch(0));
        assert_ne!(order(100, 10, 0).batch(0), order(100, 10, 0).batch(10));
    }

    #[test]
    fn refusals_name_the_flags() {
        assert_eq!(
            probe_batches(277, 64, 5, &Seeds::new(0)).unwrap_err().to_string(),
            "--probe-batches: 5 probe batches of 64 examples do not fit into the 277 examples of the split; \
             give fewer --probe-batches or a smaller --batch-size"
        );
        assert!(probe_batches(10, usize::MAX, 2, &Seeds::new(0)).is_err());
        assert!(probe_batches(10, 5, 0, &Seeds::new(0)).is_err());
        assert_eq!(
            Order::new(0, 4, Seeds::new(0)).unwrap_err().to_string(),
            "--train: there are no examples to train on"
        );
        assert!(Order::new(4, 0, Seeds::new(0)).unwrap_err().to_string().starts_with("--batch-size: "));
    }
}
