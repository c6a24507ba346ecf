//! Named random streams of one root seed. There is no global generator: whoever needs chance asks for a stream by name,
//! so that adding one place of chance never moves another. Zero is a seed like any other.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// The root seed of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    root: u64,
}

impl Seeds {
    /// Streams of the root seed `root`.
    pub fn new(root: u64) -> Self {
        Self { root }
    }

    /// The root seed.
    pub fn root(&self) -> u64 {
        self.root
    }

    fn digest(&self, name: &str, indices: &[u64]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.root.to_le_bytes());
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        for index in indices {
            hash.update(index.to_le_bytes());
        }
        hash.finalize().into()
    }

    /// The generator of stream `name`, at `indices` (an epoch, a shuffle, …).
    pub fn rng(&self, name: &str, indices: &[u64]) -> ChaCha8Rng {
        ChaCha8Rng::from_seed(self.digest(name, indices))
    }

    /// A 64-bit key of stream `name` for counter-based generators (dropout).
    pub fn key(&self, name: &str, indices: &[u64]) -> u64 {
        let digest = self.digest(name, indices);
        u64::from_le_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]])
    }
}
