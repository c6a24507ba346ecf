//! Apache Parquet, by the parquet crate's record API, one row at a time.
//!
//! That API trusts a file's metadata and panics where they do not fit the data, so calls into the crate are guarded and such
//! a panic becomes an error.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::reader::RowIter;
use ::parquet::record::{Field, Row};
use serde_json::Value;

use super::{Header, Record, Records, empty_file, unique_columns};
use crate::error::{Error, Result};
use crate::guard;

/// The bytes that a parquet file begins and ends with.
const MAGIC: &[u8; 4] = b"PAR1";
/// Both of them and the length of the footer between.
const SMALLEST: u64 = 12;

pub(super) fn open(path: &Path, mut file: File) -> Result<Records> {
    check_magic(path, &mut file)?;
    let reader = guarded(path, || SerializedFileReader::new(file))?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let names: Vec<String> = schema.root_schema().get_fields().iter().map(|field| field.name().to_string()).collect();
    // Without columns the record API would count up to whatever number of rows the metadata claim.
    if names.is_empty() {
        return Err(Error::input("the file has no columns").at(path).next("give a file with examples in it"));
    }
    let columns = unique_columns(path, names, None)?;
    let header = Header { columns: Arc::clone(&columns), line: None };
    let rows = guarded(path, || Ok(RowIter::from_file_into(Box::new(reader))))?;
    Ok(Records::new(Some(header), Rows { path: path.to_path_buf(), rows, columns, row: 0 }))
}

fn check_magic(path: &Path, file: &mut File) -> Result<()> {
    let read = |source| Error::io("read", path, source);
    let length = file.seek(SeekFrom::End(0)).map_err(read)?;
    if length == 0 {
        return Err(empty_file(path.to_path_buf()));
    }
    let mut four = [0; 4];
    if length >= SMALLEST {
        file.rewind().map_err(read)?;
        file.read_exact(&mut four).map_err(read)?;
    }
    if &four != MAGIC {
        return Err(Error::input("this is not a parquet file: it does not begin with PAR1")
            .at(path)
            .next("check that it was downloaded whole, and that its extension is right"));
    }
    file.seek(SeekFrom::End(-4)).map_err(read)?;
    file.read_exact(&mut four).map_err(read)?;
    if &four != MAGIC {
        return Err(damaged(path, "it does not end with PAR1"));
    }
    file.rewind().map_err(read)
}

struct Rows {
    path: PathBuf,
    rows: RowIter<'static>,
    columns: Arc<[String]>,
    row: usize,
}

impl Rows {
    fn record(&mut self) -> Result<Option<Record>> {
        self.row += 1;
        let row = guarded(&self.path, || self.rows.next().transpose()).map_err(|error| error.line(self.row))?;
        let Some(row) = row else { return Ok(None) };
        let fields = row.into_columns();
        if fields.len() != self.columns.len() {
            return Err(damaged(&self.path, "a row has other columns than the schema").line(self.row));
        }
        let values: Result<Vec<Value>> = fields
            .into_iter()
            .map(|(name, field)| {
                value(field).map_err(|what| Error::input(what).at(&self.path).line(self.row).column(name))
            })
            .collect();
        Ok(Some(Record::new(self.row, Arc::clone(&self.columns), values?)))
    }
}

impl Iterator for Rows {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.record().transpose()
    }
}

/// The generic value of a field. The error says what is wrong with it.
fn value(field: Field) -> Result<Value, String> {
    Ok(match field {
        Field::Null => Value::Null,
        Field::Bool(value) => value.into(),
        Field::Byte(value) => value.into(),
        Field::Short(value) => value.into(),
        Field::Int(value) => value.into(),
        Field::Long(value) => value.into(),
        Field::UByte(value) => value.into(),
        Field::UShort(value) => value.into(),
        Field::UInt(value) => value.into(),
        Field::ULong(value) => value.into(),
        Field::Float16(value) => f32::from(value).into(),
        Field::Float(value) => value.into(),
        Field::Double(value) => value.into(),
        Field::Str(value) => value.into(),
        // Some writers leave out the annotation that says "text".
        Field::Bytes(bytes) => std::str::from_utf8(bytes.data())
            .map_err(|_| "the bytes are not UTF-8 text; save the column as strings")?
            .into(),
        Field::Group(row) => object(row)?,
        Field::ListInternal(list) => list.elements().iter().cloned().map(value).collect::<Result<Vec<_>, _>>()?.into(),
        Field::MapInternal(map) => {
            let entry = |(key, field): &(Field, Field)| {
                let key = match value(key.clone())? {
                    Value::String(key) => key,
                    other => other.to_string(),
                };
                Ok((key, value(field.clone())?))
            };
            Value::Object(map.entries().iter().map(entry).collect::<Result<_, String>>()?)
        }
        // Dates, times and decimals are never a prompt or a label; their text form serves to print them.
        other => other.to_string().into(),
    })
}

fn object(row: Row) -> Result<Value, String> {
    let fields = row.into_columns().into_iter().map(|(name, field)| Ok((name, value(field)?)));
    Ok(Value::Object(fields.collect::<Result<_, String>>()?))
}

fn damaged(path: &Path, why: &str) -> Error {
    Error::input(format!("cannot read it as parquet: {why}"))
        .at(path)
        .next("the file may be cut off or damaged: get it again")
}

/// Calls into the parquet crate, with its errors and its panics as errors of ours. After a panic the records end, so nothing
/// looks at what the call left behind.
fn guarded<T>(path: &Path, call: impl FnOnce() -> Result<T, ParquetError>) -> Result<T> {
    match guard::guarded(call) {
        Some(Ok(value)) => Ok(value),
        Some(Err(source)) => Err(damaged(path, &source.to_string()).caused_by(source)),
        None => Err(damaged(path, "its metadata do not fit its data")),
    }
}
