//! Helpers of this module's tests: files in a temporary folder, and the real data where it is present.

use std::path::PathBuf;

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
