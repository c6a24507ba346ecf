//! Calls into crates that panic on damaged files. A damaged file is the user's business and not a bug of ours, so the caller
//! turns such a panic into an error. Nothing else may catch panics.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What `call` returns, or `None` if it panics on this thread. Whatever it was changing must not be looked at after that.
///
/// The panic is not printed: it becomes a one-line error, and the default hook would put a report of a bug in front of it. The
/// hook that was set before still sees every other panic.
pub(crate) fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                before(panic);
            }
        }));
    });
    QUIET.set(true);
    let result = catch_unwind(AssertUnwindSafe(call)).ok();
    QUIET.set(false);
    result
}
