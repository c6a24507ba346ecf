//! Results on disk: row structs (the public schema), CSV, run folders. Must not know candle or how anything was computed.
//!
//! [`rows`], [`compare_rows`], [`paper_rows`] and [`bench_rows`] are the schema; [`table`] says which columns a row type has; [`csv`], [`rows_file`] and [`summary`] write them;
//! [`files`], [`folder`] and [`run_info`] are the run folder and what is known about the run; [`view`], [`label_view`]
//! and [`compare_view`] answer what readers of rows ask, [`onset`](mod@onset) when a label ratio takes off; [`names`] are what readers call tasks
//! and metrics.

pub mod bench_rows;
mod clear;
pub mod compare_rows;
pub mod compare_view;
pub mod csv;
pub mod files;
pub mod folder;
pub mod label_view;
pub mod names;
pub mod onset;
pub mod paper;
pub mod paper_rows;
pub mod rows;
pub mod rows_file;
pub mod run_info;
pub mod summary;
pub mod table;
pub mod view;

pub use bench_rows::GrowthRow;
pub use compare_rows::{CheckpointRow, CompareRow, CompareSummaryRow, PairedRow};
pub use compare_view::CompareView;
pub use folder::RunFolder;
pub use label_view::LabelView;
pub use onset::{Onset, onset};
pub use paper_rows::{ExampleRow, PaperRow, PointRow, SplitRow};
pub use rows::{GradientAlignRow, LabelRatioRow, PretrainRow, Scope, ScoreRow, TargetRow};
pub use rows_file::RowsFile;
pub use run_info::RunInfo;
pub use table::{Column, Table};
