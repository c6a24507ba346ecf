//! Rows of `fsa paper`, in `data/`: what its figures and tables show. A missing value is `None`, never zero.

use serde::{Deserialize, Serialize};

use super::table::{Column, Table};

/// A point of figures 1 and 2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PointRow {
    /// The fine-tuned task.
    pub target: String,
    /// Root seed.
    pub seed: u64,
    /// Optimizer steps taken.
    pub step: u64,
    /// The evaluated task; the target is one.
    pub task: String,
    /// Examples in the prompt.
    pub shots: u64,
    /// `accuracy`, `em-trivia` and other scores, 0–100; `label_ratio` and `label_mass`, 0–1.
    pub quantity: String,
    /// Evaluated examples.
    pub n: u64,
    /// Its value.
    pub value: f64,
    /// Lower end of its 95 % interval over examples; none of a mass.
    pub lo: Option<f64>,
    /// Upper end.
    pub hi: Option<f64>,
}

/// A cell of a table of scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaperRow {
    /// `embedded`, or `second` for the model that the run itself has made.
    pub model: String,
    /// The fine-tuned task, or several with `+` between.
    pub target: String,
    /// The method.
    pub method: String,
    /// Examples in the prompts; none for the target.
    pub shots: Option<u64>,
    /// `target`, `norm_avg`, `matched`, `mismatched`, `label_ratio`, or a task's name, as in `summary.csv` of `fsa compare`.
    pub measure: String,
    /// Root seeds.
    pub seeds: u64,
    /// Mean over seeds.
    pub mean: f64,
    /// Lower end of the 95 % t interval over seeds; none with one seed.
    pub lo: Option<f64>,
    /// Upper end.
    pub hi: Option<f64>,
    /// What the paper prints there, of its own model and data; of means, the mean of what it prints. None where it prints nothing.
    pub paper: Option<f64>,
}

/// One model's output to one input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExampleRow {
    /// The fine-tuned task.
    pub target: String,
    /// Root seed.
    pub seed: u64,
    /// The evaluated task.
    pub task: String,
    /// Examples in the prompt.
    pub shots: u64,
    /// Which input, from 1.
    pub input: u64,
    /// The prompt.
    pub prompt: String,
    /// The method; `ground-truth` for the reference.
    pub method: String,
    /// The output, as it is scored.
    pub output: String,
}

/// The size of one split of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitRow {
    /// The task.
    pub task: String,
    /// `train`, `validation` or `test`.
    pub split: String,
    /// Its examples.
    pub examples: u64,
}

impl Table for PointRow {
    const COLUMNS: &'static [(&'static str, Column<Self>)] = &[
        ("target", Column::Text(|row| Some(&row.target))),
        ("seed", Column::Integer(|row| Some(row.seed))),
        ("step", Column::Integer(|row| Some(row.step))),
        ("task", Column::Text(|row| Some(&row.task))),
        ("shots", Column::Integer(|row| Some(row.shots))),
        ("quantity", Column::Text(|row| Some(&row.quantity))),
        ("n", Column::Integer(|row| Some(row.n))),
        ("value", Column::Number(|row| Some(row.value))),
        ("lo", Column::Number(|row| row.lo)),
        ("hi", Column::Number(|row| row.hi)),
    ];

    fn describe(&self) -> String {
        format!("seed {}, step {}, {} {}-shot, {}", self.seed, self.step, self.task, self.shots, self.quantity)
    }
}

impl Table for PaperRow {
    const COLUMNS: &'static [(&'static str, Column<Self>)] = &[
        ("model", Column::Text(|row| Some(&row.model))),
        ("target", Column::Text(|row| Some(&row.target))),
        ("method", Column::Text(|row| Some(&row.method))),
        ("shots", Column::Integer(|row| row.shots)),
        ("measure", Column::Text(|row| Some(&row.measure))),
        ("seeds", Column::Integer(|row| Some(row.seeds))),
        ("mean", Column::Number(|row| Some(row.mean))),
        ("lo", Column::Number(|row| row.lo)),
        ("hi", Column::Number(|row| row.hi)),
        ("paper", Column::Number(|row| row.paper)),
    ];

    fn describe(&self) -> String {
        format!("{} on {}, {}", self.method, self.target, self.measure)
    }
}

impl Table for ExampleRow {
    const COLUMNS: &'static [(&'static str, Column<Self>)] = &[
        ("target", Column::Text(|row| Some(&row.target))),
        ("seed", Column::Integer(|row| Some(row.seed))),
        ("task", Column::Text(|row| Some(&row.task))),
        ("shots", Column::Integer(|row| Some(row.shots))),
        ("input", Column::Integer(|row| Some(row.input))),
        ("prompt", Column::Text(|row| Some(&row.prompt))),
        ("method", Column::Text(|row| Some(&row.method))),
        ("output", Column::Text(|row| Some(&row.output))),
    ];

    fn describe(&self) -> String {
        format!("{}, input {}, {}", self.task, self.input, self.method)
    }
}

impl Table for SplitRow {
    const COLUMNS: &'static [(&'static str, Column<Self>)] = &[
        ("task", Column::Text(|row| Some(&row.task))),
        ("split", Column::Text(|row| Some(&row.split))),
        ("examples", Column::Integer(|row| Some(row.examples))),
    ];

    fn describe(&self) -> String {
        format!("{}, {}", self.task, self.split)
    }
}
