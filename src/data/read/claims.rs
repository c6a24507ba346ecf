//! What the pages of a parquet column claim, held against what is in them. The parquet crate makes room for as many values as a
//! dictionary or a stream of deltas says that it has, and for as many of one row as its levels say.

use std::sync::Arc;

use ::parquet::basic::{Encoding, Type};
use ::parquet::bloom_filter::Sbbf;
use ::parquet::column::page::{Page, PageMetadata, PageReader};
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::metadata::RowGroupMetaData;
use ::parquet::file::reader::RowGroupReader;
use ::parquet::record::reader::RowIter;
use ::parquet::schema::types::{ColumnDescriptor, Type as SchemaType};

use super::pages::LARGEST;

/// The most values of a page that are made room for at once: the length of each takes four bytes.
const MOST_AT_ONCE: u64 = LARGEST / 4;
/// The most values of one row in a column of lists, as in a line of JSON.
const MOST_OF_A_ROW: u64 = super::jsonl::MOST_VALUES as u64;

/// A row group whose pages are checked before they are decoded.
pub(super) struct CheckedGroup<'a>(pub Box<dyn RowGroupReader + 'a>);

impl RowGroupReader for CheckedGroup<'_> {
    fn metadata(&self) -> &RowGroupMetaData {
        self.0.metadata()
    }

    fn num_columns(&self) -> usize {
        self.0.num_columns()
    }

    fn get_column_page_reader(&self, column: usize) -> Result<Box<dyn PageReader>> {
        let pages = self.0.get_column_page_reader(column)?;
        let column = self.metadata().column(column).column_descr_ptr();
        Ok(Box::new(CheckedPages { pages, column, longest: 1, of_a_row: 0 }))
    }

    fn get_column_bloom_filter(&self, column: usize) -> Option<&Sbbf> {
        self.0.get_column_bloom_filter(column)
    }

    fn get_row_iter(&self, projection: Option<SchemaType>) -> Result<RowIter<'_>> {
        self.0.get_row_iter(projection)
    }
}

struct CheckedPages {
    pages: Box<dyn PageReader>,
    column: Arc<ColumnDescriptor>,
    /// Bytes of the longest value in the dictionary.
    longest: u64,
    /// Values of the row that the pages so far end in.
    of_a_row: u64,
}

impl CheckedPages {
    fn check(&mut self, page: &Page) -> Result<()> {
        match page {
            Page::DictionaryPage { buf, num_values, .. } => self.check_dictionary(buf, u64::from(*num_values)),
            Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, .. } => {
                let mut rest = &buf[..];
                if self.column.max_rep_level() > 0 {
                    let levels = levels(&mut rest, *rep_level_encoding)?;
                    self.check_lists(levels, u64::from(*num_values))?;
                }
                if self.column.max_def_level() > 0 && is_deltas(*encoding) {
                    levels(&mut rest, *def_level_encoding)?;
                }
                check_deltas(rest, *encoding)
            }
            Page::DataPageV2 { buf, num_values, encoding, def_levels_byte_len, rep_levels_byte_len, .. } => {
                let (repeats, defined) = (*rep_levels_byte_len as usize, *def_levels_byte_len as usize);
                let (Some(levels), Some(rest)) =
                    (buf.get(..repeats), repeats.checked_add(defined).and_then(|start| buf.get(start..)))
                else {
                    return Err(cut_off("the levels of a page"));
                };
                if self.column.max_rep_level() > 0 {
                    self.check_lists(levels, u64::from(*num_values))?;
                }
                check_deltas(rest, *encoding)
            }
        }
    }

    fn check_dictionary(&mut self, values: &[u8], count: u64) -> Result<()> {
        let of_one = match self.column.physical_type() {
            Type::FIXED_LEN_BYTE_ARRAY => self.column.type_length().max(1) as u64,
            // A number, or the length in front of some bytes.
            _ => 4,
        };
        if count > MOST_AT_ONCE || count * of_one > values.len() as u64 {
            return Err(wrong(format!("a dictionary of {} bytes says that it has {count} values", values.len())));
        }
        // A list may have the longest one in every place.
        self.longest = self.longest.max(match self.column.physical_type() {
            Type::BYTE_ARRAY => longest(values),
            _ => of_one,
        });
        Ok(())
    }

    /// Counts the values of each row by the levels that say where one begins: zeros, in runs of Parquet's hybrid of run lengths and
    /// packed bits (<https://parquet.apache.org/docs/file-format/data-pages/encodings/>).
    fn check_lists(&mut self, mut levels: &[u8], mut count: u64) -> Result<()> {
        let bits = 16 - self.column.max_rep_level().leading_zeros() as usize;
        let most = MOST_OF_A_ROW.min(LARGEST / self.longest);
        let mut add = |zero: bool, values: u64| {
            self.of_a_row = if zero { 1 } else { self.of_a_row.saturating_add(values) };
            let message =
                || wrong(format!("a row has more than {most} values in column {}", self.column.path().string()));
            if self.of_a_row > most { Err(message()) } else { Ok(()) }
        };
        while count > 0 {
            let Some(head) = varint(&mut levels) else { return Err(cut_off("the levels of a page")) };
            let mut values = head >> 1;
            if head & 1 == 0 {
                let value;
                (value, levels) =
                    levels.split_at_checked(bits.div_ceil(8)).ok_or_else(|| cut_off("the levels of a page"))?;
                values = values.min(count);
                add(value.iter().all(|&byte| byte == 0), values)?;
            } else {
                // Groups of eight values; the last may be cut off where the values end.
                let packed;
                let bytes = usize::try_from(values).unwrap_or(usize::MAX).saturating_mul(bits).min(levels.len());
                (packed, levels) = levels.split_at(bytes);
                values = values.saturating_mul(8).min(count).min((packed.len() * 8 / bits) as u64);
                for value in 0..values as usize {
                    let zero = (value * bits..(value + 1) * bits).all(|bit| packed[bit / 8] >> (bit % 8) & 1 == 0);
                    add(zero, 1)?;
                }
            }
            if values == 0 {
                return Err(cut_off("the levels of a page"));
            }
            count -= values;
        }
        Ok(())
    }
}

impl Iterator for CheckedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        page.iter().try_for_each(|page| self.check(page))?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

fn wrong(what: String) -> ParquetError {
    ParquetError::General(what)
}

fn cut_off(what: &str) -> ParquetError {
    wrong(format!("{what} are cut off"))
}

/// The levels that a page of the first version begins with, behind their length; `page` is what comes after them.
fn levels<'a>(page: &mut &'a [u8], encoding: Encoding) -> Result<&'a [u8]> {
    if encoding != Encoding::RLE {
        // Out of use since 2013, and nothing in such a page says where its levels end.
        return Err(wrong(format!("the levels of a page are in {encoding}; write the file anew")));
    }
    let parts = page
        .split_first_chunk::<4>()
        .and_then(|(length, rest)| rest.split_at_checked(u32::from_le_bytes(*length) as usize));
    let (levels, rest) = parts.ok_or_else(|| cut_off("the levels of a page"))?;
    *page = rest;
    Ok(levels)
}

/// Bytes of the longest of `values`, each behind its length.
fn longest(mut values: &[u8]) -> u64 {
    let mut longest = 1;
    while let Some((length, rest)) = values.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        longest = longest.max(length as u64);
        values = rest.get(length..).unwrap_or_default();
    }
    longest
}

/// Whether the lengths of all values of a page are read at once.
fn is_deltas(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::DELTA_LENGTH_BYTE_ARRAY | Encoding::DELTA_BYTE_ARRAY)
}

fn check_deltas(mut values: &[u8], encoding: Encoding) -> Result<()> {
    let streams = match encoding {
        Encoding::DELTA_LENGTH_BYTE_ARRAY => 1,
        // Lengths of what is taken from the value before, and then of what follows it.
        Encoding::DELTA_BYTE_ARRAY => 2,
        _ => 0,
    };
    for _ in 0..streams {
        let count = deltas(&mut values).ok_or_else(|| cut_off("the lengths of a page's values"))?;
        if count > MOST_AT_ONCE {
            return Err(wrong(format!("a page says that it has {count} values")));
        }
    }
    Ok(())
}

/// How many numbers a DELTA_BINARY_PACKED stream says that it has; `bytes` is what follows it.
fn deltas(bytes: &mut &[u8]) -> Option<u64> {
    let (block, parts, count, _first) = (varint(bytes)?, varint(bytes)?, varint(bytes)?, varint(bytes)?);
    let of_a_part = block.checked_div(parts)?;
    let mut left = count.saturating_sub(1);
    while left > 0 {
        let _smallest = varint(bytes)?;
        let widths;
        (widths, *bytes) = bytes.split_at_checked(usize::try_from(parts).ok()?)?;
        for &width in widths {
            // What a part behind the last number says of its width does not count.
            if left == 0 {
                break;
            }
            left = left.saturating_sub(of_a_part);
            let size = u64::from(width).checked_mul(of_a_part)? / 8;
            *bytes = bytes.get(usize::try_from(size).ok()?..).unwrap_or_default();
        }
    }
    Some(count)
}

/// A number in groups of seven bits, the lowest first.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..10 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(7 * place)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use ::parquet::schema::parser::parse_message_type;
    use ::parquet::schema::types::SchemaDescriptor;

    use super::*;

    /// No pages.
    struct Nothing;

    impl Iterator for Nothing {
        type Item = Result<Page>;

        fn next(&mut self) -> Option<Self::Item> {
            None
        }
    }

    impl PageReader for Nothing {
        fn get_next_page(&mut self) -> Result<Option<Page>> {
            Ok(None)
        }

        fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
            Ok(None)
        }

        fn skip_next_page(&mut self) -> Result<()> {
            Ok(())
        }
    }

    fn pages(column: &str) -> CheckedPages {
        let schema = parse_message_type(&format!("message m {{ {column}; }}")).unwrap();
        let column = SchemaDescriptor::new(Arc::new(schema)).column(0);
        CheckedPages { pages: Box::new(Nothing), column, longest: 1, of_a_row: 0 }
    }

    #[test]
    fn a_dictionary_has_no_more_values_than_bytes_for_them() {
        let two = [2, 0, 0, 0, b'a', b'b', 0, 0, 0, 0];
        let mut text = pages("required binary a (UTF8)");
        text.check_dictionary(&two, 2).unwrap();
        assert_eq!(text.longest, 2);
        assert!(text.check_dictionary(&two, 3).is_err());
        let mut numbers = pages("required int64 a");
        numbers.check_dictionary(&[0; 16], 2).unwrap();
        assert!(numbers.check_dictionary(&[0; 16], 5).is_err());
        // One byte for each value is enough where that is their size.
        pages("required fixed_len_byte_array(1) a").check_dictionary(&[0; 16], 16).unwrap();
    }

    #[test]
    fn values_of_a_row_are_counted_across_runs_and_pages() {
        // Bits are one: a run is twice its length, and packed bits are groups of eight.
        let run = |length: u8, level: u8| [length << 1, level];
        let mut lists = pages("repeated binary a (UTF8)");
        lists.check_lists(&[run(1, 0), run(5, 1)].concat(), 6).unwrap();
        assert_eq!(lists.of_a_row, 6);
        // The next page goes on with the row; then there are rows of two values, of one, and of two so far. The count ends the bits.
        lists.check_lists(&[3, 0b1100_1011], 7).unwrap();
        assert_eq!(lists.of_a_row, 2);
        lists.check_lists(&[3, 0b0110_1111], 4).unwrap();
        assert_eq!(lists.of_a_row, 6);
        lists.check_lists(&run(3, 0), 3).unwrap();
        assert_eq!(lists.of_a_row, 1);
        // Cut off, without a value, and without end.
        for wrong in [&[][..], &[2], &[0, 1], &[1], &[3], &[0x80; 12]] {
            assert!(pages("repeated binary a (UTF8)").check_lists(wrong, 9).is_err(), "{wrong:?}");
        }
        let long = [0xfe, 0xff, 0xff, 0xff, 0x0f, 1];
        let error = lists.check_lists(&long, 1 << 31).unwrap_err();
        assert_eq!(error.to_string(), "Parquet error: a row has more than 200000 values in column a");
    }

    #[test]
    fn a_row_does_not_repeat_a_long_value_beyond_what_a_page_may_have() {
        let mut lists = pages("repeated binary a (UTF8)");
        lists.check_dictionary(&[&[0, 0, 16, 0][..], &[b'a'; 16 << 16]].concat(), 1).unwrap();
        let run = |values: u8| [values << 1, 1];
        lists.check_lists(&run(63), 63).unwrap();
        lists.check_lists(&run(1), 1).unwrap();
        assert!(lists.check_lists(&run(1), 1).is_err());
    }

    #[test]
    fn streams_of_deltas_are_counted_one_after_the_other() {
        let deltas = |count: &[u8], tail: &[u8]| [&[0x80, 0x01, 4][..], count, &[0], tail].concat();
        // Two numbers: a block with four bits for each of its first 32, and widths that do not count.
        let two = deltas(&[2], &[&[0, 4, 9, 9, 9][..], &[0; 16]].concat());
        let mut rest = &[&two[..], b"rest"].concat()[..];
        assert_eq!((super::deltas(&mut rest), rest), (Some(2), &b"rest"[..]));
        let many = deltas(&[0xff, 0xff, 0xff, 0xff, 1], &[0; 100]);
        let check = |parts: &[&[u8]], encoding| check_deltas(&parts.concat(), encoding);
        check(&[&two], Encoding::DELTA_LENGTH_BYTE_ARRAY).unwrap();
        check(&[&two, &two], Encoding::DELTA_BYTE_ARRAY).unwrap();
        for wrong in [&[&two[..]][..], &[&two, &many], &[&many, &two], &[]] {
            assert!(check(wrong, Encoding::DELTA_BYTE_ARRAY).is_err(), "{wrong:?}");
        }
        // These are read as they are asked for.
        check(&[&many], Encoding::DELTA_BINARY_PACKED).unwrap();
    }
}
