//! What a row type must declare to be written: its columns, in order, each with its type.

use super::rows::{GradientAlignRow, LabelRatioRow, PretrainRow, Scope, ScoreRow, TargetRow};
use crate::error::{Error, Result};

/// How to read one column's value out of a row; `None` is a missing value.
pub enum Column<R> {
    /// Words.
    Text(fn(&R) -> Option<&str>),
    /// A count, a step or a seed.
    Integer(fn(&R) -> Option<u64>),
    /// A measurement; must be finite.
    Number(fn(&R) -> Option<f64>),
}

/// A row type that can be written as a table. Writers are generic over it, so a new row type only declares its columns.
pub trait Table: Sized + 'static {
    /// Every column's name and type, in the order of the file.
    const COLUMNS: &'static [(&'static str, Column<Self>)];

    /// What the row speaks of, for messages: `step 50, dataset, decoder.7/mlp`.
    fn describe(&self) -> String;
}

/// Errors on the first number that is not finite, naming its row and column. JSON would turn it into a missing value, and
/// a missing value means "could not be measured", not "went wrong".
pub fn check_finite<R: Table>(rows: &[R]) -> Result<()> {
    for (index, row) in rows.iter().enumerate() {
        for (name, column) in R::COLUMNS {
            if let Column::Number(read) = column
                && let Some(value) = read(row)
                && !value.is_finite()
            {
                return Err(Error::check(format!("row {} ({}) holds {value}", index + 1, row.describe()))
                    .column(*name)
                    .next("a result must be a finite number; look for a loss that diverged"));
            }
        }
    }
    Ok(())
}

impl Scope {
    /// The name in rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parameter => "parameter",
            Self::Group => "group",
            Self::Layer => "layer",
            Self::Model => "model",
        }
    }
}

impl Table for GradientAlignRow {
    const COLUMNS: &'static [(&'static str, Column<Self>)] = &[
        ("target", Column::Text(|row| Some(&row.target))),
        ("method", Column::Text(|row| Some(&row.method))),
        ("stage", Column::Integer(|row| Some(row.stage.into()))),
        ("seed", Column::Integer(|row| Some(row.seed))),
        ("step", Column::Integer(|row| Some(row.step))),
        ("estimator", Column::Text(|row| Some(&row.estimator))),
        ("scope", Column::Text(|row| Some(row.scope.name()))),
        ("name", Column::Text(|row| Some(&row.name))),
        ("group", Column::Text(|row| row.group.as_deref())),
        ("cosine", Column::Number(|row| row.cosine)),
        ("cosine_lo", Column::Number(|row| row.cosine_lo)),
        ("cosine_hi", Column::Number(|row| row.cosine_hi)),
        ("yardstick", Column::Number(|row| row.yardstick)),
        ("norm_full", Column::Number(|row| Some(row.norm_full))),
        ("norm_format", Column::Number(|row| Some(row.norm_format))),
        ("params", Column::Integer(|row| Some(row.params))),
        ("examples", Column::Integer(|row| Some(row.examples))),
        ("shuffles", Column::Integer(|row| Some(row.shuffles))),
    ];

    fn describe(&self) -> String {
        format!("step {}, {}, {}", self.step, self.estimator, self.name)
    }
}

impl Table for LabelRatioRow {
    const COLUMNS: &'static [(&'static str, Column<Self>)] = &[
        ("target", Column::Text(|row| Some(&row.target))),
        ("method", Column::Text(|row| Some(&row.method))),
        ("seed", Column::Integer(|row| Some(row.seed))),
        ("step", Column::Integer(|row| Some(row.step))),
        ("task", Column::Text(|row| Some(&row.task))),
        ("shots", Column::Integer(|row| Some(row.shots))),
        ("n", Column::Integer(|row| Some(row.n))),
        ("label_ratio", Column::Number(|row| row.label_ratio)),
        ("label_ratio_lo", Column::Number(|row| row.label_ratio_lo)),
        ("label_ratio_hi", Column::Number(|row| row.label_ratio_hi)),
        ("label_ratio_first_word", Column::Number(|row| row.label_ratio_first_word)),
        ("label_mass", Column::Number(|row| row.label_mass)),
        ("score", Column::Number(|row| Some(row.score))),
        ("score_lo", Column::Number(|row| row.score_lo)),
        ("score_hi", Column::Number(|row| row.score_hi)),
        ("metric", Column::Text(|row| Some(&row.metric))),
        ("out_label", Column::Number(|row| row.out_label)),
        ("out_empty", Column::Number(|row| Some(row.out_empty))),
        ("out_runaway", Column::Number(|row| Some(row.out_runaway))),
        ("out_copy", Column::Number(|row| Some(row.out_copy))),
        ("out_wrong_language", Column::Number(|row| row.out_wrong_language)),
        ("out_other", Column::Number(|row| Some(row.out_other))),
    ];

    fn describe(&self) -> String {
        format!("step {}, {} {}-shot, {}", self.step, self.task, self.shots, self.metric)
    }
}

impl Table for TargetRow {
    const COLUMNS: &'static [(&'static str, Column<Self>)] = &[
        ("target", Column::Text(|row| Some(&row.target))),
        ("method", Column::Text(|row| Some(&row.method))),
        ("seed", Column::Integer(|row| Some(row.seed))),
        ("step", Column::Integer(|row| Some(row.step))),
        ("n", Column::Integer(|row| Some(row.n))),
        ("score", Column::Number(|row| Some(row.score))),
        ("score_lo", Column::Number(|row| row.score_lo)),
        ("score_hi", Column::Number(|row| row.score_hi)),
        ("metric", Column::Text(|row| Some(&row.metric))),
        ("loss", Column::Number(|row| Some(row.loss))),
    ];

    fn describe(&self) -> String {
        format!("step {}, target {}, {}", self.step, self.target, self.metric)
    }
}

impl Table for PretrainRow {
    const COLUMNS: &'static [(&'static str, Column<Self>)] = &[
        ("seed", Column::Integer(|row| Some(row.seed))),
        ("step", Column::Integer(|row| Some(row.step))),
        ("family", Column::Text(|row| Some(&row.family))),
        ("training_loss", Column::Number(|row| row.training_loss)),
        ("held_out_loss", Column::Number(|row| Some(row.held_out_loss))),
        ("documents", Column::Integer(|row| Some(row.documents))),
        ("target_tokens", Column::Integer(|row| Some(row.target_tokens))),
    ];

    fn describe(&self) -> String {
        format!("step {}, {} documents", self.step, self.family)
    }
}

impl Table for ScoreRow {
    const COLUMNS: &'static [(&'static str, Column<Self>)] = &[
        ("seed", Column::Integer(|row| Some(row.seed))),
        ("step", Column::Integer(|row| Some(row.step))),
        ("task", Column::Text(|row| Some(&row.task))),
        ("shots", Column::Integer(|row| Some(row.shots))),
        ("n", Column::Integer(|row| Some(row.n))),
        ("score", Column::Number(|row| Some(row.score))),
        ("score_lo", Column::Number(|row| row.score_lo)),
        ("score_hi", Column::Number(|row| row.score_hi)),
        ("metric", Column::Text(|row| Some(&row.metric))),
        ("ended", Column::Number(|row| Some(row.ended))),
    ];

    fn describe(&self) -> String {
        format!("step {}, {} {}-shot, {}", self.step, self.task, self.shots, self.metric)
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::report::label_view::tests::{label_row, target_row};
    use crate::report::paper_rows::{ExampleRow, PaperRow, PointRow, SplitRow};
    use crate::report::rows_file::tests::row;

    fn assert_columns_are_fields<R: Table + Serialize>(row: &R) {
        // serde_json's map sorts its keys, so names are looked up in the text, where the struct's order is kept.
        let text = serde_json::to_string(row).unwrap();
        let places: Vec<usize> =
            R::COLUMNS.iter().map(|(name, _)| text.find(&format!("\"{name}\":")).unwrap()).collect();
        assert!(places.is_sorted());
        assert_eq!(text.matches("\":").count(), R::COLUMNS.len());
    }

    fn pretrain_row(step: u64) -> PretrainRow {
        PretrainRow {
            seed: 0,
            step,
            family: "all".into(),
            training_loss: Some(2.0),
            held_out_loss: 1.5,
            documents: 4,
            target_tokens: 9,
        }
    }

    fn score_row(step: u64) -> ScoreRow {
        ScoreRow {
            seed: 0,
            step,
            task: "web_questions".into(),
            shots: 1,
            n: 3,
            score: 25.0,
            score_lo: Some(20.0),
            score_hi: None,
            metric: "em-squad".into(),
            ended: 1.0,
        }
    }

    #[test]
    fn columns_of_the_papers_rows_are_the_fields_in_order() {
        let text = String::new;
        assert_columns_are_fields(&PointRow {
            target: text(),
            seed: 0,
            step: 0,
            task: text(),
            shots: 1,
            quantity: text(),
            n: 2,
            value: 0.5,
            lo: None,
            hi: None,
        });
        assert_columns_are_fields(&PaperRow {
            model: text(),
            target: text(),
            method: text(),
            shots: None,
            measure: text(),
            seeds: 3,
            mean: 0.5,
            lo: None,
            hi: None,
            paper: None,
        });
        assert_columns_are_fields(&ExampleRow {
            target: text(),
            seed: 0,
            task: text(),
            shots: 1,
            input: 1,
            prompt: text(),
            method: text(),
            output: text(),
        });
        assert_columns_are_fields(&SplitRow { task: text(), split: text(), examples: 1 });
    }

    #[test]
    fn columns_are_the_fields_in_order() {
        assert_columns_are_fields(&row(0, "decoder.7"));
        assert_columns_are_fields(&label_row(0, "trivia_qa"));
        assert_columns_are_fields(&target_row(0));
        assert_columns_are_fields(&pretrain_row(0));
        assert_columns_are_fields(&score_row(0));
    }

    #[test]
    fn scope_names_are_serdes() {
        for scope in [Scope::Parameter, Scope::Group, Scope::Layer, Scope::Model] {
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.name());
        }
    }

    #[test]
    fn not_a_number_names_row_and_column() {
        let bad = GradientAlignRow { cosine: Some(f64::NAN), ..row(50, "decoder.7/mlp") };
        let error = check_finite(&[row(0, "model"), bad]).unwrap_err().to_string();
        assert!(error.contains("row 2 (step 50, dataset, decoder.7/mlp) holds NaN"), "{error}");
        assert!(error.contains("column cosine"), "{error}");
        let bad = GradientAlignRow { norm_full: f64::INFINITY, ..row(50, "model") };
        assert!(check_finite(&[bad]).unwrap_err().to_string().contains("column norm_full"));
    }
}
