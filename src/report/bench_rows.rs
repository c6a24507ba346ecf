//! Rows of `fsa bench --grow`: what a step costs as one thing grows.

use serde::{Deserialize, Serialize};

use super::table::{Column, Table};

/// What one work cost with one factor at one value, all else as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GrowthRow {
    /// The model's folder, or the shape's name.
    pub model: String,
    /// `alignment` or `training`.
    pub work: String,
    /// What was varied: `batch-size`, `source-len`, `shuffles`, `depth` or `width`.
    pub factor: String,
    /// Its value: examples, tokens, shuffles, blocks of the encoder, or numbers in a hidden state.
    pub value: u64,
    /// Times measured.
    pub repeats: u64,
    /// Threads.
    pub threads: u64,
    /// Median, in seconds.
    pub median_s: f64,
    /// The fastest.
    pub min_s: f64,
    /// The slowest.
    pub max_s: f64,
    /// The most memory that the process had, in MiB; none where the system does not say.
    pub peak_rss_mib: Option<f64>,
    /// 10⁹ operations, that products of matrices cannot do without, in a second.
    pub gflops: Option<f64>,
}

impl Table for GrowthRow {
    const COLUMNS: &'static [(&'static str, Column<Self>)] = &[
        ("model", Column::Text(|row| Some(&row.model))),
        ("work", Column::Text(|row| Some(&row.work))),
        ("factor", Column::Text(|row| Some(&row.factor))),
        ("value", Column::Integer(|row| Some(row.value))),
        ("repeats", Column::Integer(|row| Some(row.repeats))),
        ("threads", Column::Integer(|row| Some(row.threads))),
        ("median_s", Column::Number(|row| Some(row.median_s))),
        ("min_s", Column::Number(|row| Some(row.min_s))),
        ("max_s", Column::Number(|row| Some(row.max_s))),
        ("peak_rss_mib", Column::Number(|row| row.peak_rss_mib)),
        ("gflops", Column::Number(|row| row.gflops)),
    ];

    fn describe(&self) -> String {
        format!("{} with {} {}", self.work, self.factor, self.value)
    }
}
