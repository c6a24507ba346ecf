//! The files that a split's path stands for: one, those of a folder, or those that a name with a `*` fits; and what their names
//! say of their order.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use super::format::Format;
use crate::error::{Error, Result};

/// What stands for any characters in a file's name.
const ANY: char = '*';
/// The splits that files are named by.
pub(in crate::data) const SPLITS: [&str; 3] = ["train", "validation", "test"];

/// The files of `split` at `path`, in order. A path of one file need not exist.
///
/// # Errors
/// If it stands for several, and one is missing, or they are not of one kind.
pub(in crate::data) fn files(path: &Path, split: &str) -> Result<Vec<PathBuf>> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let found: Vec<PathBuf> = if path.is_dir() {
        // As the hub lays out what it has converted itself: a folder for each split.
        let own = path.join(split);
        let (folder, names) =
            if own.is_dir() { (own.clone(), known(&own, false)?) } else { (path.into(), known(path, false)?) };
        let names = if own.is_dir() { names } else { of_split(path, names, split)? };
        names.into_iter().map(|name| folder.join(name)).collect()
    } else if name.contains(ANY) && !path.exists() {
        let folder = path.parent().unwrap_or(Path::new(""));
        let names = known(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }, true)?;
        names.into_iter().filter(|known| fits(name, known)).map(|known| folder.join(known)).collect()
    } else {
        return Ok(vec![path.to_path_buf()]);
    };
    check(path, &found)?;
    Ok(found)
}

/// The names of the files in `folder` that can be read, in order. What ends in plain `.json` is rarely data where nobody named it
/// (`config.json`): it counts if `all` do.
fn known(folder: &Path, all: bool) -> Result<Vec<String>> {
    let failed = |source| Error::io("read", folder, source);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_data = Format::is_known(&path) && (all || !name.ends_with(".json"));
        if !name.starts_with('.') && is_data && path.is_file() {
            names.push(name.to_string());
        }
    }
    names.sort_by(|a, b| natural(a, b));
    Ok(names)
}

/// Those of `names` that are called after `split`; all of them, if none is called after any.
fn of_split(folder: &Path, names: Vec<String>, split: &str) -> Result<Vec<String>> {
    let called =
        |name: &String, split: &str| name.strip_prefix(split).is_some_and(|rest| rest.starts_with(['-', '.', '_']));
    let there: Vec<&str> = SPLITS.into_iter().filter(|split| names.iter().any(|name| called(name, split))).collect();
    match (there.is_empty(), there.contains(&split)) {
        (true, _) => Ok(names),
        (false, true) => Ok(names.into_iter().filter(|name| called(name, split)).collect()),
        (false, false) => Err(Error::input(format!("the folder has no files of the {split} split"))
            .at(folder)
            .next(format!("it has those of {}; name the files, with a {ANY} for what differs", there.join(", ")))),
    }
}

/// That `files` are one split, of which none is missing.
fn check(path: &Path, files: &[PathBuf]) -> Result<()> {
    let Some(first) = files.first() else {
        return Err(Error::input("there is no data file").at(path).next("give a file, or a folder with some in it"));
    };
    let name = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let format = Format::of(first)?;
    for file in files {
        if Format::of(file)? != format {
            let what = format!("{} and {} are of two formats", name(first), name(file));
            return Err(Error::input(what).at(path).next(format!("name the files, with a {ANY} for what differs")));
        }
    }
    let names: Vec<String> = files.iter().map(|file| name(file)).collect();
    missing_shard(&names).map_or(Ok(()), |what| Err(Error::input(what).at(path).next("get all files of the split")))
}

/// A part of a split by its file's name, `train-00000-of-00005.parquet`: what is before the numbers, and these. Data sets of some years
/// have a hash behind them, `train-00000-of-00005-a09b74b3ef9c3b56.parquet`.
pub(in crate::data) fn shard(name: &str) -> Option<(&str, u64, u64)> {
    let (stem, _) = name.split_once('.')?;
    let (rest, all) = stem.rsplit_once("-of-")?;
    let all = match all.split_once('-') {
        Some((all, hash)) => (hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(all)?,
        None => all,
    };
    let (split, number) = rest.rsplit_once('-')?;
    let digits = |text: &str| (text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse());
    Some((split, digits(number)?.ok()?, digits(all)?.ok()?))
}

/// What is missing of a split whose files are `names`, in order, where their names say how many there are.
pub(in crate::data) fn missing_shard(names: &[String]) -> Option<String> {
    let all = names.iter().filter_map(|name| Some(shard(name)?.2)).max()?;
    let absent = (0..all).find(|number| !names.iter().any(|name| shard(name).is_some_and(|shard| shard.1 == *number)));
    absent
        .map(|number| format!("file {number:05} of {all:05} is not there"))
        .or_else(|| (names.len() as u64 != all).then(|| format!("there are {} files, and they say {all}", names.len())))
}

/// Whether `name` is `pattern` with anything in the places of its stars.
pub(in crate::data) fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split(ANY);
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// The order of two names in which 2 comes before 10.
pub(in crate::data) fn natural(a: &str, b: &str) -> Ordering {
    fn parts(text: &str) -> Vec<(usize, &str)> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let is_number = |c: char| c.is_ascii_digit();
            let begins = rest.starts_with(is_number);
            let end = rest.find(|c| is_number(c) != begins).unwrap_or(rest.len());
            let part = if begins { rest[..end].trim_start_matches('0') } else { &rest[..end] };
            // Numbers of more digits are larger ones; the length of other text says nothing.
            parts.push((if begins { part.len() } else { usize::MAX }, part));
            rest = &rest[end..];
        }
        parts
    }
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        folder
    }

    fn found(names: &[&str], path: &str, split: &str) -> Result<Vec<String>, String> {
        let folder = folder(names);
        let at = format!("{}/", folder.path().display());
        let plain = |text: String| text.replace(&at, "").replace(at.trim_end_matches('/'), "FOLDER");
        let place = if path.is_empty() { folder.path().to_path_buf() } else { folder.path().join(path) };
        let files = files(&place, split).map_err(|error| plain(error.to_string()))?;
        Ok(files.into_iter().map(|file| plain(file.display().to_string())).collect())
    }

    #[test]
    fn a_folder_is_its_files_in_the_order_of_their_numbers() {
        let names = ["part-10.parquet", "part-9.parquet", "README.md", ".part-1.parquet", "dataset_info.json"];
        assert_eq!(found(&names, "", "train").unwrap(), ["part-9.parquet", "part-10.parquet"]);
        let names = ["train-00001-of-00002.parquet", "train-00000-of-00002.parquet", "test.parquet"];
        assert_eq!(found(&names, "", "train").unwrap(), [names[1], names[0]]);
        assert_eq!(found(&names, "", "test").unwrap(), ["test.parquet"]);
        let names = ["rte/train/0000.parquet", "rte/train/0001.parquet", "rte/validation/0000.parquet"];
        assert_eq!(found(&names, "rte", "train").unwrap(), names[..2]);
    }

    #[test]
    fn a_star_stands_for_what_differs() {
        let names = ["wmt/a-2.jsonl.gz", "wmt/a-1.jsonl.gz", "wmt/b-1.jsonl.gz"];
        assert_eq!(found(&names, "wmt/a-*.jsonl.gz", "train").unwrap(), [names[1], names[0]]);
        for (pattern, name, does) in [
            ("a*", "abc", true),
            ("*b*", "abc", true),
            ("a*d", "abc", false),
            ("a*bc*c", "abc", false),
            ("abc", "abcd", false),
        ] {
            assert_eq!(fits(pattern, name), does, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_no_whole_split_is_refused() {
        assert_eq!(
            found(&["a.md"], "", "train").unwrap_err(),
            "FOLDER: there is no data file; give a file, or a folder with some in it"
        );
        assert_eq!(
            found(&["train-00000-of-00003.parquet", "train-00002-of-00003.parquet"], "", "train").unwrap_err(),
            "FOLDER: file 00001 of 00003 is not there; get all files of the split"
        );
        assert_eq!(
            found(&["test.parquet"], "", "train").unwrap_err(),
            "FOLDER: the folder has no files of the train split; it has those of test; name the files, with a * for what differs"
        );
        assert!(
            found(&["a.tsv", "a.csv"], "", "train")
                .unwrap_err()
                .starts_with("FOLDER: a.csv and a.tsv are of two formats")
        );
        assert_eq!(found(&[], "none.tsv", "train").unwrap(), ["none.tsv"]);
    }
}
