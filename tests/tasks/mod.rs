//! The tasks that come with fsa, by their public face.

mod parquet;
mod registry;
mod snapshots;

use std::path::PathBuf;

/// A file of the shared real data, or `None` (saying so) where this checkout has none.
fn shared(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FSA_SHARED_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data")), PathBuf::from);
    let path = root.join(relative);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {relative} is not there; put the real data beside the checkout or set FSA_SHARED_DATA");
    None
}
