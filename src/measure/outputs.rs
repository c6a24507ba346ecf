//! What a model's outputs are like, right or wrong: the label ratio, and a taxonomy of how an output misses the task.
//!
//! Label matches come from outside (`fsa::data::LabelSet`, the one home of that normaliser), so that this is arithmetic.

use super::intervals::Proportion;
use super::language::Language;
use super::text::collapse;

/// One output, and what it is judged against.
#[derive(Debug, Clone, Copy, Default)]
pub struct Output<'a> {
    /// The trimmed output.
    pub text: &'a str,
    /// The class of the *target* task that the output is, by `LabelSet::exact`.
    pub label: Option<usize>,
    /// The class of the target task that the output starts with, by `LabelSet::first_word`.
    pub first_word: Option<usize>,
    /// Whether decoding stopped at the length limit and not at an end of sequence.
    pub hit_limit: bool,
    /// Texts of the example itself that to repeat is to copy: its whole prompt, and each field in it (the sentence to
    /// translate, the question).
    pub inputs: &'a [&'a str],
    /// The examples shown in the prompt.
    pub shots: &'a [Shot<'a>],
    /// The language that the task's outputs are in; none where it has none (names, letters, label words).
    pub expected: Option<Language>,
}

/// An example shown in a prompt.
#[derive(Debug, Clone, Copy)]
pub struct Shot<'a> {
    /// Its input, as in [`Output::inputs`].
    pub input: &'a str,
    /// Its answer; none where answers come from a closed set, in which a shot's answer is often the right one.
    pub answer: Option<&'a str>,
}

/// What an output is: the first that applies, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `out_label`: a label word of the target task: the format that was fine-tuned.
    Label,
    /// `out_empty`: nothing but white space.
    Empty,
    /// `out_runaway`: it did not end before the length limit.
    Runaway,
    /// `out_copy`: one of the inputs, or a shot's input or answer, but for white space; case and punctuation count.
    Copy,
    /// `out_wrong_language`: [`Language::rules_out`] the expected language.
    WrongLanguage,
    /// `out_other`: anything else, right answers among them.
    Other,
}

impl Kind {
    /// All, in the order in which they are tried.
    pub const ALL: [Self; 6] = [Self::Label, Self::Empty, Self::Runaway, Self::Copy, Self::WrongLanguage, Self::Other];

    /// The name of its column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Label => "out_label",
            Self::Empty => "out_empty",
            Self::Runaway => "out_runaway",
            Self::Copy => "out_copy",
            Self::WrongLanguage => "out_wrong_language",
            Self::Other => "out_other",
        }
    }

    /// What `output` is.
    pub fn of(output: &Output) -> Self {
        let text = collapse(output.text);
        let copies = |source: &str| collapse(source) == text;
        let copied = || {
            output.inputs.iter().copied().any(copies)
                || output.shots.iter().any(|shot| copies(shot.input) || shot.answer.is_some_and(copies))
        };
        if output.label.is_some() {
            Self::Label
        } else if text.is_empty() {
            Self::Empty
        } else if output.hit_limit {
            Self::Runaway
        } else if copied() {
            Self::Copy
        } else if output.expected.is_some_and(|language| language.rules_out(&text)) {
            Self::WrongLanguage
        } else {
            Self::Other
        }
    }
}

/// What a task's outputs are, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// The label ratio: outputs that *are* a label word of the target task.
    pub labels: Proportion,
    /// Outputs whose first word is one.
    pub first_words: Proportion,
    /// Outputs of each kind, in the order of [`Kind::ALL`]; they add up to all outputs.
    pub kinds: [u64; Kind::ALL.len()],
}

impl Tally {
    /// Of `outputs`.
    pub fn of(outputs: &[Output]) -> Self {
        let kinds: Vec<Kind> = outputs.iter().map(Kind::of).collect();
        Self {
            labels: Proportion::of(outputs.iter().map(|output| output.label.is_some())),
            first_words: Proportion::of(outputs.iter().map(|output| output.first_word.is_some())),
            kinds: Kind::ALL.map(|kind| kinds.iter().filter(|&&other| other == kind).count() as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOTS: [Shot; 1] = [Shot { input: "Où est la gare ?", answer: Some("Where is the station?") }];

    fn output(text: &str) -> Output<'_> {
        Output { text, inputs: &["Il pleut."], shots: &SHOTS, expected: Some(Language::English), ..Output::default() }
    }

    #[test]
    fn the_first_kind_that_applies_wins() {
        let label = Output { label: Some(0), hit_limit: true, ..output("True") };
        let runaway = Output { hit_limit: true, ..output("Il pleut.") };
        for (output, kind) in [
            (label, Kind::Label),
            (Output { hit_limit: true, ..output(" \n") }, Kind::Empty),
            (runaway, Kind::Runaway),
            (output(" Il  pleut. "), Kind::Copy),
            (output("Où est la gare ?"), Kind::Copy),
            (output("Where is the station?"), Kind::Copy),
            (output("where is the station?"), Kind::Other),
            (output("Nous ne sommes pas dans une gare."), Kind::WrongLanguage),
            (Output { expected: None, ..output("Nous ne sommes pas dans une gare.") }, Kind::Other),
            (output("It rains."), Kind::Other),
        ] {
            assert_eq!(Kind::of(&output), kind, "{output:?}");
        }
    }

    #[test]
    fn an_answer_out_of_a_closed_set_is_no_copy() {
        let shots = [Shot { input: "Q", answer: None }];
        assert_eq!(Kind::of(&Output { shots: &shots, ..output("A") }), Kind::Other);
    }

    #[test]
    fn a_tally_adds_up() {
        let outputs = [
            Output { label: Some(1), first_word: Some(1), ..output("False") },
            Output { first_word: Some(0), ..output("True, it rains") },
            output(""),
        ];
        let tally = Tally::of(&outputs);
        assert_eq!(tally.labels, Proportion { hits: 1, items: 3 });
        assert_eq!(tally.first_words, Proportion { hits: 2, items: 3 });
        assert_eq!(tally.kinds, [1, 1, 0, 0, 0, 1]);
    }
}
