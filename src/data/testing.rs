//! Helpers of this module's tests: files in a temporary folder, and the real data where it is present.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use ::parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use tempfile::TempDir;

/// A file named `name` with `content`, in a folder that is removed with the returned guard.
pub(crate) fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

/// The message of `error` with the folder cut off, so that tests can state the whole line.
pub(crate) fn message(error: &crate::Error, folder: &TempDir) -> String {
    error.to_string().replace(&format!("{}/", folder.path().display()), "")
}

/// A file of the shared real data, or `None` (saying so) where this checkout has none.
pub(crate) fn shared(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FSA_SHARED_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data")), PathBuf::from);
    let path = root.join(relative);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {relative} is not there; put the real data beside the checkout or set FSA_SHARED_DATA");
    None
}

/// Row `row` of a made-up RTE, in the order of SuperGLUE's columns: premise, hypothesis, idx, label.
pub(crate) fn rte_row(row: usize) -> (String, String, i64, i64) {
    (format!("Premise {row}."), format!("Hypothesis {row}?"), row as i64, (row % 2) as i64)
}

/// These rows as parquet, in groups of `size`.
pub(crate) fn rte_parquet(rows: Range<usize>, size: usize) -> Vec<u8> {
    let schema = "message schema {
        REQUIRED BYTE_ARRAY premise (UTF8);
        REQUIRED BYTE_ARRAY hypothesis (UTF8);
        REQUIRED INT64 idx;
        OPTIONAL INT64 label;
    }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(WriterProperties::default())).unwrap();
    let all: Vec<_> = rows.map(rte_row).collect();
    for rows in all.chunks(size) {
        let mut group = writer.next_row_group().unwrap();
        let bytes = |text: &String| ByteArray::from(text.as_bytes().to_vec());
        let premises: Vec<ByteArray> = rows.iter().map(|row| bytes(&row.0)).collect();
        let hypotheses = rows.iter().map(|row| bytes(&row.1)).collect();
        for texts in [premises, hypotheses] {
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<ByteArrayType>().write_batch(&texts, None, None).unwrap();
            column.close().unwrap();
        }
        let numbers = [rows.iter().map(|row| row.2).collect::<Vec<_>>(), rows.iter().map(|row| row.3).collect()];
        for (numbers, levels) in numbers.iter().zip([None, Some(vec![1; rows.len()])]) {
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<Int64Type>().write_batch(numbers, levels.as_deref(), None).unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    bytes
}
