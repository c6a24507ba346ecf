//! How a task's outputs are scored, by name. The arithmetic is in [`measure`](crate::measure): a task only says which.

/// A task's metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// The share of outputs whose first word is the label word. Needs a label set.
    Accuracy,
    /// Exact match with any reference after TriviaQA's own normaliser (punctuation becomes a space).
    EmTrivia,
    /// Exact match with any reference after SQuAD's normaliser (punctuation goes away).
    EmSquad,
    /// BLEU over the whole split, sacreBLEU's.
    Bleu,
    /// ROUGE-2, the mean F1 over outputs.
    Rouge2,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Accuracy, Self::EmTrivia, Self::EmSquad, Self::Bleu, Self::Rouge2];

    /// The name in descriptions and in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::EmTrivia => "em-trivia",
            Self::EmSquad => "em-squad",
            Self::Bleu => "bleu",
            Self::Rouge2 => "rouge2",
        }
    }

    /// The metric of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}
