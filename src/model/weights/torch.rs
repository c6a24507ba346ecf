//! PyTorch's files: a zip archive, uncompressed, with a pickle that describes the tensors and a file for each storage. It says
//! which tensors are where; `pickle.rs` reads the pickle, without running it. It must not know their names' meaning.

use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;
use std::ops::Range;
use std::path::Path;

use zip::{CompressionMethod, ZipArchive};

use super::bytes::Place;
use super::pickle::{self, View};
use super::{REMEDY, shown};
use crate::error::{Error, Result};

/// How an archive begins, and a pickle.
const ARCHIVE: &[u8] = b"PK";
const PICKLE: u8 = 0x80;
/// The archive's description of its tensors, in its one folder.
const DESCRIPTION: &str = "data.pkl";
/// Tensors may share storages, as tied weights do, and each is read into memory of its own: how many times the file's size they
/// may have together.
const SHARING: usize = 8;

/// The tensors of the file that is `bytes`; `path` is named in advice.
///
/// # Errors
/// If it is damaged, in the layout before PyTorch 1.6, or holds anything but tensors.
pub(super) fn places(bytes: &[u8], path: &Path) -> Result<BTreeMap<String, Place>> {
    if !bytes.starts_with(ARCHIVE) {
        return Err(no_archive(bytes, path));
    }
    let entries = entries(bytes)?;
    let mut pickles =
        entries.keys().filter_map(|name| name.strip_suffix(DESCRIPTION)).filter(|name| name.ends_with('/'));
    let (Some(folder), None) = (pickles.next(), pickles.next()) else {
        return Err(damaged(format!("it is an archive without one {DESCRIPTION}")));
    };
    let entry = |name: &str| entries.get(&format!("{folder}{name}")).cloned();
    let content = |range: Range<usize>| bytes.get(range).unwrap_or_default();
    if entry("byteorder").is_some_and(|range| content(range) == b"big") {
        return Err(Error::input("its numbers are big-endian").next("save it on a little-endian machine"));
    }
    let mut total = 0usize;
    let mut places = BTreeMap::new();
    for (name, view) in pickle::state_dict(content(entry(DESCRIPTION).unwrap_or_default()))? {
        let storage = entry(&format!("data/{}", view.storage));
        let place = place(&view, storage).map_err(|error| error.parameter(pickle::shown(name)))?;
        total = total.saturating_add(place.count().saturating_mul(view.dtype.bitsize() / 8));
        places.insert(name.to_string(), place);
    }
    match total > bytes.len().saturating_mul(SHARING) {
        true => Err(damaged(format!("its tensors would have {total} bytes and the file has {}", bytes.len()))),
        false => Ok(places),
    }
}

fn damaged(what: String) -> Error {
    Error::input(what).next(REMEDY)
}

fn no_archive(bytes: &[u8], path: &Path) -> Error {
    if bytes.first() != Some(&PICKLE) {
        return damaged("it is no file of PyTorch's".into());
    }
    let convert = |file: &Path| {
        let file = quoted(file);
        format!(
            "python -c 'import sys, torch; f = sys.argv[1]; torch.save(torch.load(f, weights_only=True), f)' {file}"
        )
    };
    // What a link leads to is not ours to change: a snapshot in the hub's cache has links to files that it knows by their hash.
    let next = match (path.is_symlink(), path.parent(), path.file_name()) {
        (true, Some(folder), Some(name)) => {
            let command = convert(&Path::new("converted").join(name));
            format!("it is a link: convert a copy and use that: cp -rL {} converted && {command}", quoted(folder))
        }
        _ => format!("convert it once: {}", convert(path)),
    };
    Error::input("it is in the layout before PyTorch 1.6").next(next)
}

/// `path` as a word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// Where the archive's files lie, by name.
fn entries(bytes: &[u8]) -> Result<HashMap<String, Range<usize>>> {
    let broken =
        |error: zip::result::ZipError| damaged(format!("its archive cannot be read: {error}")).caused_by(error);
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let mut entries = HashMap::new();
    for number in 0..archive.len() {
        let file = archive.by_index_raw(number).map_err(broken)?;
        let name = file.name().map_err(broken)?.into_owned();
        let range = file.data_start().and_then(|start| Some(start..start.checked_add(file.size())?));
        let range = range.and_then(|range| Some(range.start.try_into().ok()?..range.end.try_into().ok()?));
        let range = range.filter(|range: &Range<usize>| range.end <= bytes.len());
        let range = range.ok_or_else(|| damaged(format!("`{}` in it ends after the file", name.escape_debug())))?;
        if file.compression() != CompressionMethod::Stored {
            return Err(Error::input(format!("`{}` in it is compressed", name.escape_debug()))
                .next("PyTorch compresses nothing: save the model again"));
        }
        entries.insert(name, range);
    }
    Ok(entries)
}

/// The place of `view` in the file, where its storage lies at `storage`.
fn place(view: &View<'_>, storage: Option<Range<usize>>) -> Result<Place> {
    let storage = storage.ok_or_else(|| damaged("the archive lacks its storage".into()))?;
    let size = view.dtype.bitsize() / 8;
    let there = storage.len() / size;
    if view.elements > there {
        let promised = view.elements;
        return Err(damaged(format!("its storage should have {promised} numbers and has {there}")));
    }
    let impossible = || damaged(format!("its shape {} does not lie in its storage of {there}", shown(&view.shape)));
    let count = view.shape.iter().try_fold(1usize, |count, size| count.checked_mul(*size)).ok_or_else(impossible)?;
    if view.shape.len() != view.strides.len() {
        return Err(impossible());
    }
    // The last element's offset; an empty tensor has none.
    let mut steps =
        view.shape.iter().zip(&view.strides).map(|(size, stride)| size.saturating_sub(1).checked_mul(*stride));
    let span = steps.try_fold(view.offset, |sum, step| sum.checked_add(step?));
    // More elements than the storage has would be one number read many times: a small file could fill the memory so.
    if count > there || (count > 0 && span.is_none_or(|last| last >= there)) {
        return Err(impossible());
    }
    let start = if count > 0 { storage.start + view.offset * size } else { storage.start };
    let strides = (!is_row_major(view)).then(|| view.strides.clone());
    Ok(Place { dtype: view.dtype, shape: view.shape.clone(), strides, start })
}

/// Whether the elements lie one after the other. The stride of an axis of one element means nothing.
fn is_row_major(view: &View<'_>) -> bool {
    let mut expected = 1;
    view.shape.iter().zip(&view.strides).rev().all(|(&size, &stride)| {
        let fits = size <= 1 || stride == expected;
        expected = usize::saturating_mul(expected, size.max(1));
        fits
    })
}

#[cfg(test)]
mod tests {
    use safetensors::Dtype;

    use super::*;

    #[test]
    fn the_advice_is_for_a_shell_and_writes_through_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("it's $HOME");
        let advice = |path: &Path| no_archive(&[PICKLE], path).to_string();
        assert!(
            advice(&file).ends_with(&format!(" '{}/it'\\''s $HOME'", folder.path().display())),
            "{}",
            advice(&file)
        );
        let link = folder.path().join("pytorch_model.bin");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let said = advice(&link);
        assert!(said.contains(&format!("cp -rL '{}' converted && python", folder.path().display())), "{said}");
        assert!(said.ends_with(" 'converted/pytorch_model.bin'"), "{said}");
    }

    #[test]
    fn a_long_shape_is_shown_by_its_beginning() {
        let view =
            View { storage: "0", dtype: Dtype::F32, elements: 1, offset: 0, shape: vec![2; 20], strides: vec![1; 20] };
        let said = place(&view, Some(0..4)).unwrap_err().to_string();
        assert!(said.starts_with("its shape [2, 2, 2, 2, 2, 2, 2, 2, …] does not lie in its storage of 1; "), "{said}");
    }
}
