//! Apache Parquet, by the parquet crate's record API, one row at a time and one row group after the other. Groups that hold no
//! wanted row, and columns that nobody wants, are not read.
//!
//! That API trusts a file's metadata and panics where they do not fit the data, so calls into the crate are guarded and such
//! a panic becomes an error.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::RowGroupMetaData;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::reader::{ReaderIter, TreeBuilder};
use ::parquet::record::{Field, Row};
use ::parquet::schema::types::{SchemaDescPtr, SchemaDescriptor, Type, TypePtr};
use serde_json::Value;

use super::claims::CheckedGroup;
use super::format::spooled;
use super::pages::Pages;
use super::{Header, Record, Records, Rows, empty_file, unique_columns};
use crate::error::{Error, Result};
use crate::guard;

/// The bytes that a parquet file begins and ends with.
const MAGIC: &[u8; 4] = b"PAR1";
/// Both of them and the length of the footer between.
const SMALLEST: u64 = 12;

pub(super) fn open(path: &Path, file: File, wanted: Option<&[&str]>) -> Result<Records> {
    let groups = Groups::open(path, file, wanted)?;
    let rows = groups.sizes.iter().sum();
    let header = Header { columns: Arc::clone(&groups.header), line: None };
    Ok(Records { known_rows: Some(rows), ..Records::new(Some(header), groups) })
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

/// The rows of a file, a row group at a time; of a group the pages that are read from are in memory.
struct Groups {
    path: PathBuf,
    reader: SerializedFileReader<Pages>,
    /// The columns that are read.
    schema: SchemaDescPtr,
    columns: Arc<[String]>,
    /// All columns.
    header: Arc<[String]>,
    /// Rows of each group.
    sizes: Vec<u64>,
    /// The group to be opened next.
    next: usize,
    /// The open one, and its rows that have not been read.
    open: Option<(ReaderIter, u64)>,
    /// Rows read and left out so far.
    row: u64,
    /// Groups that have been opened.
    #[cfg(test)]
    opened: usize,
}

impl Groups {
    fn open(path: &Path, file: File, wanted: Option<&[&str]>) -> Result<Self> {
        let mut file = spooled(path, file)?;
        check_magic(path, &mut file)?;
        let reader = guarded(path, || SerializedFileReader::new(Pages(file)))?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let fields = schema.root_schema().get_fields();
        // Without columns the record API would count up to whatever number of rows the metadata claim.
        if fields.is_empty() {
            return Err(Error::input("the file has no columns").at(path).next("give a file with examples in it"));
        }
        let name = |field: &TypePtr| field.name().to_string();
        let header = unique_columns(path, fields.iter().map(name).collect(), None)?;
        let is_wanted = |field: &&TypePtr| wanted.is_none_or(|wanted| wanted.contains(&field.name()));
        let mut read: Vec<TypePtr> = fields.iter().filter(is_wanted).cloned().collect();
        if read.is_empty() {
            // Whoever wants none of them says so by the header; until then this is as good as any.
            read.push(Arc::clone(&fields[0]));
        }
        let columns: Vec<String> = read.iter().map(name).collect();
        let root = schema.root_schema().name().to_string();
        let schema = guarded(path, || {
            Type::group_type_builder(&root).with_fields(read).build().map(|part| SchemaDescriptor::new(Arc::new(part)))
        })?;
        let sizes: Option<Vec<u64>> = reader.metadata().row_groups().iter().map(size).collect();
        let sizes = sizes.filter(|sizes| sizes.iter().try_fold(0u64, |sum, size| sum.checked_add(*size)).is_some());
        Ok(Self {
            path: path.to_path_buf(),
            sizes: sizes.ok_or_else(|| damaged(path, "its row groups have impossible numbers of rows"))?,
            reader,
            schema: Arc::new(schema),
            columns: columns.into(),
            header,
            next: 0,
            open: None,
            row: 0,
            #[cfg(test)]
            opened: 0,
        })
    }

    /// Opens the next group.
    fn advance(&mut self) -> Result<()> {
        let (number, size) = (self.next, self.sizes[self.next]);
        self.next += 1;
        #[cfg(test)]
        {
            self.opened += 1;
        }
        let line = self.row as usize + 1;
        let rows = guarded(&self.path, || {
            let group = CheckedGroup(self.reader.get_row_group(number)?);
            TreeBuilder::new().as_iter(Arc::clone(&self.schema), &group)
        });
        self.open = Some((rows.map_err(|error| error.line(line))?, size));
        Ok(())
    }

    /// The next row, if there is one.
    fn row(&mut self) -> Result<Option<Row>> {
        loop {
            match &mut self.open {
                Some((rows, left)) if *left > 0 => {
                    *left -= 1;
                    self.row += 1;
                    let row = guarded(&self.path, || rows.next().transpose());
                    let error = |error: Error| error.line(self.row as usize);
                    return match row.map_err(error)? {
                        Some(row) => Ok(Some(row)),
                        None => Err(error(damaged(&self.path, "a row group has fewer rows than it says"))),
                    };
                }
                _ if self.next == self.sizes.len() => return Ok(None),
                _ => self.advance()?,
            }
        }
    }

    fn record(&mut self) -> Result<Option<Record>> {
        let Some(row) = self.row()? else { return Ok(None) };
        let line = self.row as usize;
        let fields = row.into_columns();
        if fields.len() != self.columns.len() {
            return Err(damaged(&self.path, "a row has other columns than the schema").line(line));
        }
        let values: Result<Vec<Value>> = fields
            .into_iter()
            .map(|(name, field)| value(field).map_err(|what| Error::input(what).at(&self.path).line(line).column(name)))
            .collect();
        Ok(Some(Record::new(line, Arc::clone(&self.columns), values?)))
    }
}

impl Rows for Groups {
    fn next_row(&mut self) -> Option<Result<Record>> {
        self.record().transpose()
    }

    fn skip_rows(&mut self, mut rows: u64) -> Result<()> {
        while rows > 0 {
            match &mut self.open {
                // What is left of the group is not decoded if all of it is left out.
                Some((_, left)) if *left <= rows => {
                    rows -= *left;
                    self.row += *left;
                    self.open = None;
                }
                Some(_) => {
                    for _ in 0..std::mem::take(&mut rows) {
                        self.row()?;
                    }
                }
                None if self.next == self.sizes.len() => return Ok(()),
                None if self.sizes[self.next] <= rows => {
                    rows -= self.sizes[self.next];
                    self.row += self.sizes[self.next];
                    self.next += 1;
                }
                None => self.advance()?,
            }
        }
        Ok(())
    }
}

/// The rows of a group, if its columns have as many.
fn size(group: &RowGroupMetaData) -> Option<u64> {
    let rows = group.num_rows();
    let columns = group.columns().iter();
    (columns.map(|column| column.num_values()).all(|values| values >= rows)).then(|| u64::try_from(rows).ok()).flatten()
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
        Some(Err(source)) if source.to_string().contains("Disabled feature") => {
            Err(Error::input("its pages are packed by a codec that fsa does not read")
                .at(path)
                .next("write it anew with snappy, gzip or zstd")
                .caused_by(source))
        }
        Some(Err(source)) => Err(damaged(path, &source.to_string()).caused_by(source)),
        None => Err(damaged(path, "its metadata do not fit its data")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{file, rte_parquet, rte_row};

    fn open(groups: usize, size: usize) -> (tempfile::TempDir, Groups) {
        let (folder, path) = file("a.parquet", rte_parquet(0..groups * size, size));
        let groups = Groups::open(&path, File::open(&path).unwrap(), Some(&["premise", "label", "choices"])).unwrap();
        (folder, groups)
    }

    fn row(groups: &mut Groups) -> Option<usize> {
        let record = groups.next_row()?.unwrap();
        let row = record.line - 1;
        let (premise, _, _, label) = rte_row(row);
        assert_eq!(
            (record.columns(), record.values()),
            (&["premise".into(), "label".into()][..], &[premise.into(), label.into()][..])
        );
        Some(row)
    }

    #[test]
    fn groups_without_a_wanted_row_are_not_opened() {
        let (_folder, mut groups) = open(20, 50);
        assert_eq!(groups.opened, 0);
        let wanted = [3, 4, 49, 150, 999];
        for (before, wanted) in [0].into_iter().chain(wanted.map(|row| row + 1)).zip(wanted) {
            groups.skip_rows((wanted - before) as u64).unwrap();
            assert_eq!(row(&mut groups), Some(wanted));
        }
        // Of 20: those of rows 0 to 49, 150 to 199 and 950 to 999.
        assert_eq!((groups.opened, row(&mut groups)), (3, None));
    }

    #[test]
    fn every_row_comes_once_across_groups() {
        let (_folder, mut groups) = open(3, 4);
        assert_eq!(std::iter::from_fn(|| row(&mut groups)).collect::<Vec<_>>(), (0..12).collect::<Vec<_>>());
        assert_eq!(groups.opened, 3);
        let (_folder, mut groups) = open(3, 4);
        groups.skip_rows(100).unwrap();
        assert_eq!((row(&mut groups), groups.opened), (None, 0));
    }

    #[test]
    fn the_header_has_the_columns_that_are_not_read() {
        let (_folder, groups) = open(1, 1);
        assert_eq!(groups.header[..], ["premise", "hypothesis", "idx", "label"]);
    }
}
