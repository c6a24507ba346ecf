//! Which losses a probe compares: the true labels, and what each estimator puts in their place.

use crate::data::{Tokenized, labels, shuffle};
use crate::error::Result;
use crate::model::Whole;
use crate::spec::{Estimator, Seeds};

/// The targets of the split that probe batches are drawn from.
#[derive(Debug, Clone)]
pub enum Targets {
    /// A closed label set: the token ids of each class, and each example's class.
    Closed {
        /// By class.
        classes: Vec<Vec<u32>>,
        /// By example.
        labels: Vec<usize>,
    },
    /// Free text: each example's own target.
    Free,
}

/// The K losses of a probe: number 0 is the true labels', then those of each estimator.
#[derive(Debug, Clone)]
pub struct Losses {
    targets: Targets,
    seeds: Seeds,
    columns: Vec<(Estimator, Vec<usize>)>,
    count: usize,
}

impl Losses {
    /// The loss of the true labels.
    pub const FULL: usize = 0;

    /// Losses of `estimators` with `shuffles` shuffles each, where the estimator draws any: `expected` is exact, and with two
    /// classes there is one way to flip.
    pub fn new(targets: Targets, estimators: &[Estimator], shuffles: usize, seeds: Seeds) -> Self {
        let classes = match &targets {
            Targets::Closed { classes, .. } => classes.len(),
            Targets::Free => 0,
        };
        let mut count = 1;
        let columns = estimators
            .iter()
            .map(|&estimator| {
                let losses = match estimator {
                    Estimator::Expected => 1,
                    Estimator::Flip if classes == 2 => 1,
                    _ => shuffles,
                };
                count += losses;
                (estimator, (count - losses..count).collect())
            })
            .collect();
        Self { targets, seeds, columns, count }
    }

    /// K.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Each estimator with the numbers of its losses.
    pub fn columns(&self) -> &[(Estimator, Vec<usize>)] {
        &self.columns
    }

    /// Probe batch `number` with its K losses: `members` of the split whose examples are `split`.
    ///
    /// # Errors
    /// If `flip` or `expected` is asked of free text.
    pub fn batch<'a>(&'a self, split: &'a [Tokenized], number: u64, members: &[usize]) -> Result<Whole<'a>> {
        let sources = members.iter().map(|&i| split[i].source.as_slice()).collect();
        let keys = members.iter().map(|&i| i as u64).collect();
        let (targets, weights) = match &self.targets {
            Targets::Closed { classes, labels } => {
                let rows = (0..classes.len()).flat_map(|class| members.iter().map(move |_| class));
                let targets = rows.map(|class| classes[class].as_slice()).collect();
                (targets, self.closed(classes.len(), labels, number, members)?)
            }
            Targets::Free => {
                let taken = self.taken(split.len(), number, members);
                let targets = taken.iter().flatten().map(|&i| split[i].target.as_slice()).collect();
                let b = members.len();
                let weights = (0..taken.len())
                    .map(|k| (0..taken.len() * b).map(|row| (row / b == k) as u8 as f32).collect())
                    .collect();
                (targets, weights)
            }
        };
        Ok(Whole { sources, keys, targets, weights })
    }

    /// For a closed set: `[K][classes·B]` weights of (class, example).
    fn closed(&self, classes: usize, of: &[usize], number: u64, members: &[usize]) -> Result<Vec<Vec<f32>>> {
        let b = members.len();
        let assigned = |assignment: &[usize]| -> Vec<f32> {
            (0..classes * b).map(|row| (assignment[row % b] == row / b) as u8 as f32).collect()
        };
        let own: Vec<usize> = members.iter().map(|&i| of[i]).collect();
        let mut weights = vec![assigned(&own)];
        for (estimator, losses) in &self.columns {
            for r in 0..losses.len() as u64 {
                weights.push(match estimator {
                    Estimator::Dataset => {
                        let takes = shuffle::dataset(of.len(), &self.seeds, r);
                        assigned(&members.iter().map(|&i| of[takes[i]]).collect::<Vec<_>>())
                    }
                    Estimator::Batch => {
                        let takes = shuffle::batch(members, &self.seeds, number, r);
                        assigned(&takes.iter().map(|&i| of[i]).collect::<Vec<_>>())
                    }
                    Estimator::Flip => assigned(&shuffle::flip(&own, classes, &self.seeds, number, r)?),
                    Estimator::Expected => {
                        let shares = labels::distribution(of, classes).unwrap_or_default();
                        (0..classes * b).map(|row| shares[row / b] as f32).collect()
                    }
                });
            }
        }
        Ok(weights)
    }

    /// For free text: the example whose target each loss takes, `[K][B]`.
    fn taken(&self, n: usize, number: u64, members: &[usize]) -> Vec<Vec<usize>> {
        let mut taken = vec![members.to_vec()];
        for (estimator, losses) in &self.columns {
            for r in 0..losses.len() as u64 {
                taken.push(match estimator {
                    Estimator::Batch => shuffle::batch(members, &self.seeds, number, r),
                    _ => {
                        let takes = shuffle::dataset(n, &self.seeds, r);
                        members.iter().map(|&i| takes[i]).collect()
                    }
                });
            }
        }
        taken
    }
}
