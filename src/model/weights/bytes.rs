//! The bytes of a file of weights, and the f32 values of a tensor among them. It must not know how a file says where its
//! tensors are: `header.rs` and `torch.rs` do, and have checked every range before it comes here.

use std::fs::File;
use std::ops::{Deref, Range};
use std::path::Path;

use memmap2::Mmap;
use safetensors::Dtype;

/// A whole file.
pub(super) enum Bytes {
    /// Part of the program.
    Embedded(&'static [u8]),
    Mapped(Mmap),
    /// Read into memory, where the file system maps no files.
    Read(Vec<u8>),
}

impl Bytes {
    /// Those of the file at `path`.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        // SAFETY: the map is only read. Another process that shortens the file meanwhile ends this one with a signal, as it does
        // every program that maps it; what it overwrites becomes other weights, as it would through a reader.
        match unsafe { Mmap::map(&file) } {
            Ok(map) => Ok(Self::Mapped(map)),
            Err(_) => std::fs::read(path).map(Self::Read),
        }
    }

    /// Says that the bytes of `range` will not be read again soon: the system need not keep a mapped file's pages beside what was made
    /// of them, or a model would take twice its room while it is loaded.
    pub fn let_go(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let Self::Mapped(map) = self {
            // SAFETY: the map is read-only and of a file, so that pages that are wanted after all are read from it again.
            let _ = unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.len()) };
        }
        #[cfg(not(unix))]
        let _ = range;
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Embedded(bytes) => bytes,
            Self::Mapped(map) => map,
            Self::Read(bytes) => bytes,
        }
    }
}

/// Elements that are read before their bytes are let go.
const PIECE: usize = 1 << 22;

/// Where a tensor lies in its file. All its elements are in the file: whoever makes one has checked that.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    /// In elements, where they are not those of the shape in row-major order.
    pub strides: Option<Vec<usize>>,
    /// The byte at which its first element starts.
    pub start: usize,
}

impl Place {
    /// Number of elements.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether its dtype is one that is read.
    pub fn is_read(&self) -> bool {
        matches!(self.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16)
    }

    /// The tensor's values, row-major; `None` for a dtype that is not read. `seen` is told which bytes have been read for good.
    pub fn values(&self, bytes: &[u8], seen: impl Fn(Range<usize>)) -> Option<Vec<f32>> {
        match self.dtype {
            Dtype::F32 => Some(self.collect(bytes, seen, f32::from_le_bytes)),
            Dtype::F16 => Some(self.collect(bytes, seen, |bytes| half::f16::from_le_bytes(bytes).to_f32())),
            Dtype::BF16 => Some(self.collect(bytes, seen, |bytes| half::bf16::from_le_bytes(bytes).to_f32())),
            _ => None,
        }
    }

    fn collect<const N: usize>(
        &self,
        bytes: &[u8],
        seen: impl Fn(Range<usize>),
        convert: impl Fn([u8; N]) -> f32,
    ) -> Vec<f32> {
        let (elements, _) = bytes.get(self.start..).unwrap_or_default().as_chunks::<N>();
        let mut values = Vec::with_capacity(self.count());
        let Some(strides) = &self.strides else {
            for piece in elements[..self.count().min(elements.len())].chunks(PIECE) {
                let start = self.start + values.len() * N;
                values.extend(piece.iter().map(|element| convert(*element)));
                seen(start..start + size_of_val(piece));
            }
            return values;
        };
        let (mut index, mut at) = (vec![0; self.shape.len()], 0);
        for _ in 0..self.count() {
            values.push(convert(elements[at]));
            for (axis, index) in index.iter_mut().enumerate().rev() {
                *index += 1;
                at += strides[axis];
                if *index < self.shape[axis] {
                    break;
                }
                at -= strides[axis] * self.shape[axis];
                *index = 0;
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_mapped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        std::fs::write(&path, "numbers").unwrap();
        let bytes = Bytes::of(&path).unwrap();
        assert!(matches!(bytes, Bytes::Mapped(_)));
        assert_eq!(&*bytes, b"numbers");
    }

    #[test]
    fn views_are_read_in_the_order_of_their_shape() {
        let bytes: Vec<u8> = (0..12u16).flat_map(|value| half::bf16::from_f32(value as f32).to_le_bytes()).collect();
        let place = |shape: &[usize], strides: Option<&[usize]>, start| Place {
            dtype: Dtype::BF16,
            shape: shape.to_vec(),
            strides: strides.map(<[usize]>::to_vec),
            start,
        };
        let values = |place: Place| place.values(&bytes, |_| ()).unwrap();
        assert_eq!(values(place(&[2, 3], None, 4)), [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        let seen = std::cell::RefCell::new(Vec::new());
        place(&[2, 3], None, 4).values(&bytes, |range| seen.borrow_mut().push(range)).unwrap();
        assert!(seen.take().into_iter().eq(std::iter::once(4..16)));
        assert_eq!(values(place(&[3, 4], Some(&[1, 3]), 0))[..5], [0.0, 3.0, 6.0, 9.0, 1.0]);
        assert_eq!(values(place(&[2, 2, 2], Some(&[6, 1, 2]), 2)), [1.0, 3.0, 2.0, 4.0, 7.0, 9.0, 8.0, 10.0]);
        assert_eq!(values(place(&[], Some(&[]), 22)), [11.0]);
        assert!(values(place(&[0, 4], Some(&[4, 1]), 24)).is_empty());
        assert_eq!(Place { dtype: Dtype::I64, ..place(&[1], None, 0) }.values(&bytes, |_| ()), None);
    }
}
