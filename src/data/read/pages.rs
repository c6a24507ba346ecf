//! A parquet file as the parquet crate asks for it, with what it claims held against what there is: the crate makes room for as much
//! as a page's header says that the page unpacks to.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};

use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::reader::{ChunkReader, Length};
use bytes::Bytes;

/// The most bytes of a page, unpacked; of each column that is read a page is in memory. Writers make pages of about one MiB; where
/// values are long, of as many as they look at together, or of one.
pub(super) const LARGEST: u64 = 64 << 20;
/// The bytes after the metadata: their length, and the magic.
const FOOTER: u64 = 8;

/// The file.
pub(super) struct Pages(pub File);

/// What is read of it. To read on behind the end is an error: the crate skips numbers of a list without a look at how many came, and a
/// header may say that it has two thousand million.
pub(super) struct UntilTheEnd {
    file: BufReader<File>,
    /// Whether the header of a page begins here that nobody has looked at.
    at_header: bool,
}

impl Read for UntilTheEnd {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // Only now: of a page whose header it has read before, the crate opens what follows and reads nothing.
        if std::mem::take(&mut self.at_header) {
            let wrong = |what| std::io::Error::new(ErrorKind::InvalidData, what);
            match unpacked(self.file.fill_buf()?) {
                Some(size) if size <= LARGEST => {}
                Some(size) => return Err(wrong(format!("a page says that it has {size} bytes"))),
                None => return Err(wrong("a page has no header".into())),
            }
        }
        match self.file.read(buffer)? {
            0 if !buffer.is_empty() => Err(ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}

impl Length for Pages {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for Pages {
    type T = UntilTheEnd;

    /// The crate reads the headers of pages this way, and the footer.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let at_header = start.checked_add(FOOTER) != Some(self.len());
        Ok(UntilTheEnd { file: self.0.get_read(start)?, at_header })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.len()) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} are not in the file")));
        }
        self.0.get_bytes(start, length)
    }
}

/// The bytes of a page once it is unpacked, by its header: the second field of a struct in Thrift's compact protocol, behind a small
/// number. Both are 32-bit integers, and every writer has them first.
fn unpacked(header: &[u8]) -> Option<u64> {
    /// The next field, a 32-bit integer.
    const NEXT: u8 = 0x15;
    let [NEXT, _, NEXT, rest @ ..] = header else { return None };
    let mut value = 0;
    for (place, &byte) in rest.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            // Zigzag: the sign stands last.
            return (value & 1 == 0).then_some(value >> 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::rte_parquet;

    #[test]
    fn a_page_says_what_it_unpacks_to() {
        // The first page of a file begins behind its magic.
        let bytes = rte_parquet(0..3, 3);
        assert!(unpacked(&bytes[4..]).is_some_and(|size| size > 20 && size < 100), "{:?}", unpacked(&bytes[4..]));
        let of = |tail: &[u8]| unpacked(&[&[0x15, 0, 0x15], tail].concat());
        assert_eq!(of(&[0x02]), Some(1));
        assert_eq!(of(&[0xfe, 0xff, 0xff, 0xff, 0x0f]), Some(i32::MAX as u64));
        // Negative, cut off, without end, and no header.
        assert_eq!((of(&[0x01]), of(&[0x80]), of(&[0x80; 9]), unpacked(b"text")), (None, None, None, None));
    }
}
