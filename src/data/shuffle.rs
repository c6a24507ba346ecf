//! Which targets replace the true ones in a format gradient, as pure integers.
//!
//! - [`dataset`]: labels shuffled over the whole split, the paper's estimator; stream `shuffle.dataset`, index `r`.
//! - [`batch`]: shuffled within a probe batch; stream `shuffle.batch`, indices `batch, r`.
//! - [`flip`]: every label changes class; stream `shuffle.flip`, indices `batch, r`.
//! - the expected format gradient draws nothing: it weights each class by
//!   [`labels::distribution`](super::labels::distribution) of the split.
//!
//! `r` counts shuffles from 0. A draw depends on the seed, the probe batch and `r`, and never on the training step: probes at
//! different steps measure with the same labels. The first two functions name the *example* whose target is taken, so that
//! they serve label sets and free text alike.

use rand::RngExt;
use rand::seq::SliceRandom;

use crate::error::{Error, Result};
use crate::spec::Seeds;

/// Shuffle `r` over a split of `n` examples: example `i` takes the target of example `dataset(..)[i]`. A permutation of
/// `0..n`.
pub fn dataset(n: usize, seeds: &Seeds, r: u64) -> Vec<usize> {
    let mut takes: Vec<usize> = (0..n).collect();
    takes.shuffle(&mut seeds.rng("shuffle.dataset", &[r]));
    takes
}

/// Shuffle `r` within probe batch number `batch`: `members[i]` takes the target of example `batch(..)[i]`. A permutation of
/// `members`.
pub fn batch(members: &[usize], seeds: &Seeds, batch: u64, r: u64) -> Vec<usize> {
    let mut takes = members.to_vec();
    takes.shuffle(&mut seeds.rng("shuffle.batch", &[batch, r]));
    takes
}

/// Shuffle `r` of probe batch number `batch` in which every label changes class: the new class of each of `labels`, uniform
/// among the other `classes − 1`. With two classes nothing is left to chance, and every `r` is the same.
pub fn flip(labels: &[usize], classes: usize, seeds: &Seeds, batch: u64, r: u64) -> Result<Vec<usize>> {
    if classes < 2 {
        return Err(Error::input("`flip` needs a task with a label set")
            .flag("--estimators")
            .next("leave `flip` out for free-text targets"));
    }
    let mut rng = seeds.rng("shuffle.flip", &[batch, r]);
    // Drawing from the classes that are left once the label's own is taken out of the row.
    let others = labels.iter().map(|&label| {
        let other = rng.random_range(0..classes - 1);
        if other < label { other } else { other + 1 }
    });
    Ok(others.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorted(mut values: Vec<usize>) -> Vec<usize> {
        values.sort_unstable();
        values
    }

    proptest! {
        #[test]
        fn shuffles_are_permutations(n in 0usize..200, root: u64, r in 0u64..8) {
            let seeds = Seeds::new(root);
            prop_assert_eq!(sorted(dataset(n, &seeds, r)), (0..n).collect::<Vec<_>>());
            let members: Vec<usize> = (0..n).map(|i| 3 * i + 7).collect();
            prop_assert_eq!(sorted(batch(&members, &seeds, 2, r)), members);
        }

        #[test]
        fn flip_changes_every_label(labels in prop::collection::vec(0usize..4, 0..100), classes in 4usize..6, root: u64) {
            let flipped = flip(&labels, classes, &Seeds::new(root), 0, 0).unwrap();
            prop_assert_eq!(flipped.len(), labels.len());
            for (new, old) in flipped.iter().zip(&labels) {
                prop_assert!(new != old && *new < classes);
            }
        }
    }

    #[test]
    fn streams_differ_by_shuffle_and_batch_and_repeat_for_the_same() {
        let seeds = Seeds::new(0);
        let members: Vec<usize> = (0..64).collect();
        assert_eq!(dataset(64, &seeds, 1), dataset(64, &seeds, 1));
        assert_ne!(dataset(64, &seeds, 0), dataset(64, &seeds, 1));
        assert_ne!(batch(&members, &seeds, 0, 0), batch(&members, &seeds, 1, 0));
        assert_ne!(batch(&members, &seeds, 0, 0), batch(&members, &seeds, 0, 1));
        assert_ne!(dataset(64, &seeds, 0), dataset(64, &Seeds::new(1), 0));
    }

    /// Made by this code at its first version; a change here changes every published number and belongs in the changelog.
    #[test]
    fn the_streams_stay_as_they_are() {
        let seeds = Seeds::new(0);
        assert_eq!(dataset(8, &seeds, 0), [1, 2, 5, 7, 0, 6, 4, 3]);
        assert_eq!(batch(&[2, 3, 5, 7, 11], &seeds, 1, 2), [5, 3, 7, 2, 11]);
        assert_eq!(flip(&[0, 1, 2, 0, 1], 3, &seeds, 1, 2).unwrap(), [1, 0, 0, 2, 0]);
    }

    #[test]
    fn flip_of_two_classes_is_the_other_one() {
        assert_eq!(flip(&[0, 1, 1], 2, &Seeds::new(3), 0, 0).unwrap(), [1, 0, 0]);
        assert_eq!(flip(&[0, 1, 1], 2, &Seeds::new(4), 5, 6).unwrap(), [1, 0, 0]);
    }

    #[test]
    fn flip_is_uniform_among_the_other_classes() {
        let labels = vec![1; 3000];
        let counts = super::super::labels::counts(&flip(&labels, 4, &Seeds::new(0), 0, 0).unwrap(), 4);
        // 1000 each, standard deviation 26; five of them.
        for class in [0, 2, 3] {
            assert!(counts[class].abs_diff(1000) < 130, "{counts:?}");
        }
    }

    #[test]
    fn flip_needs_classes() {
        assert_eq!(
            flip(&[0], 1, &Seeds::new(0), 0, 0).unwrap_err().to_string(),
            "--estimators: `flip` needs a task with a label set; leave `flip` out for free-text targets"
        );
    }
}
