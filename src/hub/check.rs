//! Whether a file is what the hub announces: by the hash that names it (SHA-256 of large files, git's hash of others), else by its
//! size.

use std::fs::File;
use std::io::{ErrorKind, Read, Result};
use std::path::Path;

use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::id::is_hexadecimal;

/// Bytes read at once.
const PIECE: usize = 1 << 20;

/// What is wrong with the file at `path`, which should have the hash `hash` and so many bytes.
pub fn fault(path: &Path, hash: &str, size: Option<u64>) -> Result<Option<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    if let Some(size) = size.filter(|size| *size != length) {
        return Ok(Some(format!("{length} bytes, not {size}")));
    }
    let (name, is) = match hash.len() {
        64 if is_hexadecimal(hash) => ("SHA-256", digest(&mut file, Sha256::new())?),
        40 if is_hexadecimal(hash) => {
            ("git hash", digest(&mut file, Sha1::new().chain_update(format!("blob {length}\0")))?)
        }
        _ => return Ok(None),
    };
    let short = |hash: &str| hash[..12].to_string();
    Ok((is != hash).then(|| format!("its {name} is {}…, not {}…", short(&is), short(hash))))
}

/// The hash of what is left of the file, after what went into it.
fn digest(file: &mut File, mut hash: impl Digest) -> Result<String> {
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            Ok(length) => hash.update(&piece[..length]),
            Err(source) if source.kind() == ErrorKind::Interrupted => {}
            Err(source) => return Err(source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_sha256sum_and_git() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hello");
        std::fs::write(&path, "hello\n").unwrap();
        // Reference: `sha256sum`, `git hash-object`.
        let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        let git = "ce013625030ba8dba906f756967f9e9ca394464a";
        for hash in [sha256, git, "an-etag-of-another-kind"] {
            assert_eq!(fault(&path, hash, Some(6)).unwrap(), None, "{hash}");
            assert_eq!(fault(&path, hash, Some(7)).unwrap().as_deref(), Some("6 bytes, not 7"));
        }
        std::fs::write(&path, "hellO\n").unwrap();
        for (hash, want) in [(sha256, "its SHA-256 is "), (git, "its git hash is ")] {
            assert!(fault(&path, hash, None).unwrap().unwrap().starts_with(want));
        }
    }
}
