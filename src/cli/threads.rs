//! How many threads the engine uses: one number for rayon's pool and for candle's matmuls.

use std::num::NonZero;
use std::thread;

use fsa::{Error, Result};

/// More than any machine has; far more would only exhaust its memory.
const MOST: usize = 4096;

/// The default: one per physical core that this process may use (a second thread on a core slows matmuls down).
/// `RAYON_NUM_THREADS` lowers it.
pub fn default() -> usize {
    let allowed = thread::available_parallelism().map_or(1, NonZero::get);
    candle_core::utils::get_num_threads().min(allowed)
}

/// Makes `threads` the size of rayon's global pool and of candle's own splitting. Call it before anything computes, and
/// before the progress bar or the Ctrl-C handler start threads of their own.
pub fn set(threads: usize) -> Result<()> {
    if threads == 0 {
        return Err(Error::input("must be at least 1, not 0").flag("--threads"));
    }
    if threads > MOST {
        return Err(Error::input(format!("must be at most {MOST}, not {threads}")).flag("--threads"));
    }
    // candle asks this variable at every matmul and offers no other way to say it.
    // SAFETY: no other thread exists yet, so nothing reads the environment while it changes: parsing and reading the config
    // start none, and this function is the first thing a subcommand calls after them.
    #[expect(clippy::disallowed_methods, reason = "the one allowed place: before any thread exists")]
    unsafe {
        std::env::set_var("RAYON_NUM_THREADS", threads.to_string());
    }
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(|source| {
        Error::input(format!("cannot start {threads} threads: {source}"))
            .flag("--threads")
            .next("ask for fewer")
            .caused_by(source)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_default_is_at_least_one() {
        assert!(super::default() >= 1);
    }
}
