//! What the paper's claims are about, in words, and when a claim holds; [`find`](super::find) looks into the rows.

use crate::report::names;

/// Something that a run measures, a number a seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    /// By how much a measure of `summary.csv` is higher with `method` than with `over`.
    Gain {
        /// Whether of the second model.
        second: bool,
        /// The fine-tuned task.
        target: &'static str,
        /// Examples in the prompts; none for the target itself.
        shots: Option<u64>,
        /// The measure.
        measure: &'static str,
        /// One method.
        method: &'static str,
        /// The other.
        over: &'static str,
    },
    /// The share of outputs on a 1-shot task that are the target's label words.
    Labels {
        /// The fine-tuned task.
        target: &'static str,
        /// The method.
        method: &'static str,
        /// The other task.
        task: &'static str,
    },
    /// By how much the target's score rises from the first probe to the last.
    Learned,
    /// The last probe's score on a task as a share of the first one's.
    Kept {
        /// The task.
        task: &'static str,
    },
    /// The last probe's label ratio on a task.
    LabelsAtEnd {
        /// The task.
        task: &'static str,
    },
    /// Steps from the onset of the label ratio on a task until the target is above chance.
    LearnedAfterLabels {
        /// The task.
        task: &'static str,
    },
    /// The cosine of the last decoder layer's parts at the first or the last probe.
    Cosine {
        /// Whether at the last.
        last: bool,
    },
    /// Steps from the onset of the label ratio on a task until that cosine is low.
    CosineFallsAfterLabels {
        /// The task.
        task: &'static str,
    },
    /// By how much the mean over ProMoT's checkpoints is higher than standard fine-tuning's.
    TradeOff {
        /// The fine-tuned task.
        target: &'static str,
        /// The mean of each checkpoint.
        mean: Mean,
    },
}

/// Which tasks a checkpoint's mean is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mean {
    /// Classification.
    Classification,
    /// Translation.
    Translation,
}

/// Where a number must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// Above this.
    Above(f64),
    /// Below this.
    Below(f64),
}

/// That a quantity is within a bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    /// The quantity.
    pub quantity: Quantity,
    /// The bound.
    pub bound: Bound,
}

/// Whether the paper and the run agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The interval over seeds is within the bound.
    Agrees,
    /// It is beyond the bound.
    Disagrees,
    /// It holds the bound, or there is none.
    CannotTell,
}

/// What a run has measured of a quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// A number of each seed that has it.
    pub values: Vec<f64>,
    /// Their mean.
    pub mean: Option<f64>,
    /// Its 95 % t interval.
    pub interval: Option<(f64, f64)>,
}

impl Claim {
    /// What the run says of it.
    pub fn judge(&self, found: &Found) -> Verdict {
        let Some((low, high)) = found.interval else { return Verdict::CannotTell };
        match self.bound {
            Bound::Above(at) if low > at => Verdict::Agrees,
            Bound::Above(at) if high < at => Verdict::Disagrees,
            Bound::Below(at) if high < at => Verdict::Agrees,
            Bound::Below(at) if low > at => Verdict::Disagrees,
            _ => Verdict::CannotTell,
        }
    }
}

impl Verdict {
    /// Of several claims together.
    pub fn of_all(verdicts: &[Self]) -> Option<Self> {
        [Self::Disagrees, Self::CannotTell, Self::Agrees].into_iter().find(|verdict| verdicts.contains(verdict))
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Disagrees => "disagrees",
            Self::CannotTell => "cannot tell",
        }
    }
}

impl Quantity {
    /// What it is, in words.
    pub fn words(&self) -> String {
        match *self {
            Self::Gain { target, shots, measure, method, over, .. } => format!(
                "{}{}: {} less {}",
                names::measure(target, measure, shots),
                if measure == "target" { String::new() } else { format!(", fine-tuned on {}", names::targets(target)) },
                names::method(method),
                names::method(over),
            ),
            Self::Labels { target, method, task } => {
                format!("label ratio on {}, {} on {}", names::task(task), names::method(method), names::targets(target))
            }
            Self::Learned => "accuracy on RTE, last probe less first".into(),
            Self::Kept { task } => format!("score on {}, last probe as a share of the first", names::task(task)),
            Self::LabelsAtEnd { task } => format!("label ratio on {} at the last probe", names::task(task)),
            Self::LearnedAfterLabels { task } => {
                format!(
                    "steps until RTE is above chance, less steps until the label ratio on {} is above 0.5",
                    names::task(task)
                )
            }
            Self::Cosine { last } => format!("cosine at the {} probe", if last { "last" } else { "first" }),
            Self::CosineFallsAfterLabels { task } => {
                format!(
                    "steps until the cosine is below 0.5, less steps until the label ratio on {} is above 0.5",
                    names::task(task)
                )
            }
            Self::TradeOff { mean, .. } => {
                let mean = match mean {
                    Mean::Classification => "accuracy on classification tasks",
                    Mean::Translation => "BLEU on other languages",
                };
                format!("mean {mean} over checkpoints, ProMoT less Standard")
            }
        }
    }

    /// Decimals that its numbers are printed with.
    pub fn places(&self) -> usize {
        match self {
            Self::Gain { measure: "label_ratio", .. } | Self::Labels { .. } | Self::Kept { .. } => 2,
            Self::LabelsAtEnd { .. } | Self::Cosine { .. } => 2,
            Self::LearnedAfterLabels { .. } | Self::CosineFallsAfterLabels { .. } => 0,
            Self::Gain { .. } | Self::Learned | Self::TradeOff { .. } => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_decides_and_without_one_nothing_does() {
        let judge = |bound, interval| {
            let quantity = Quantity::Learned;
            Claim { quantity, bound }.judge(&Found { values: vec![1.0], mean: Some(1.0), interval })
        };
        for (bound, interval, expected) in [
            (Bound::Above(0.0), Some((0.1, 2.0)), Verdict::Agrees),
            (Bound::Above(0.0), Some((-0.1, 2.0)), Verdict::CannotTell),
            (Bound::Above(0.0), Some((-2.0, -0.1)), Verdict::Disagrees),
            (Bound::Above(-2.0), Some((-1.0, 1.0)), Verdict::Agrees),
            (Bound::Below(0.5), Some((0.0, 0.4)), Verdict::Agrees),
            (Bound::Below(0.5), Some((0.6, 0.7)), Verdict::Disagrees),
            (Bound::Below(0.5), None, Verdict::CannotTell),
        ] {
            assert_eq!(judge(bound, interval), expected, "{bound:?} {interval:?}");
        }
        use Verdict::{Agrees, CannotTell, Disagrees};
        assert_eq!(Verdict::of_all(&[Agrees, CannotTell, Disagrees]), Some(Disagrees));
        assert_eq!(Verdict::of_all(&[Agrees, CannotTell]), Some(CannotTell));
        assert_eq!((Verdict::of_all(&[Agrees]), Verdict::of_all(&[])), (Some(Agrees), None));
    }
}
