//! Which rows a sample holds: a pure function of the number of rows, the size and a random stream. It knows nothing of files, so
//! that the same rows in another format, or cut into other shards, give the same sample.

use std::collections::BTreeSet;

use rand::{Rng, RngExt};

/// `size` of the rows `0..rows`, in order; every set of that size is equally likely. None if there are no more than that: all of
/// them are meant then.
///
/// By Floyd's algorithm (J. Bentley, "Programming pearls: a sample of brilliance", 1987): for each j from `rows - size` up to
/// `rows - 1` a row is drawn from `0..=j`, and j itself taken where that one is in the sample already. It takes as many draws as
/// the sample has rows, and memory for these alone.
pub(in crate::data) fn sample(rows: u64, size: u64, rng: &mut impl Rng) -> Option<Vec<u64>> {
    if size >= rows {
        return None;
    }
    let mut chosen = BTreeSet::new();
    for last in rows - size..rows {
        let drawn = rng.random_range(0..=last);
        if !chosen.insert(drawn) {
            chosen.insert(last);
        }
    }
    Some(chosen.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Seeds;

    fn of(rows: u64, size: u64, seed: u64) -> Option<Vec<u64>> {
        sample(rows, size, &mut Seeds::new(seed).rng("sample", &[]))
    }

    #[test]
    fn has_as_many_different_rows_as_asked_for_in_order() {
        for (rows, size) in [(10, 9), (1000, 100), (40_000_000, 1000), (u64::MAX, 3), (5, 0)] {
            let chosen = of(rows, size, 0).unwrap();
            assert_eq!(chosen.len() as u64, size);
            assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]) && chosen.iter().all(|&row| row < rows));
        }
        assert_eq!((of(10, 10, 0), of(10, 11, 0), of(0, 0, 0)), (None, None, None));
        assert_ne!(of(1000, 100, 0), of(1000, 100, 1));
        assert_eq!(of(1000, 100, 7), of(1000, 100, 7));
    }

    #[test]
    fn every_row_is_as_likely() {
        let mut counts = [0u32; 20];
        for seed in 0..2000 {
            of(20, 5, seed).unwrap().into_iter().for_each(|row| counts[row as usize] += 1);
        }
        // Binomial with n = 2000 and p = 1/4: mean 500, standard deviation 19.4; 5 of them leave a chance below 1e-5.
        assert!(counts.iter().all(|&count| (403..=597).contains(&count)), "{counts:?}");
    }
}
