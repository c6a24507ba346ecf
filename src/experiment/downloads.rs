//! Files that arrive from a hub, shown as a run's progress is.

use super::Events;
use crate::hub::Progress;

/// Bytes of a unit of progress.
const UNIT: u64 = 1 << 20;

/// Shows downloads by the events of a run that needs them.
pub(super) struct Downloads<'a> {
    events: &'a mut dyn Events,
    now: String,
}

impl<'a> Downloads<'a> {
    pub fn new(events: &'a mut dyn Events) -> Self {
        Self { events, now: String::new() }
    }
}

impl Progress for Downloads<'_> {
    fn begin(&mut self, name: &str, size: Option<u64>, done: u64) {
        self.now = format!("MiB of {name}");
        // Of a size that is not known, what is there is all that can be said.
        self.events.begin(size.unwrap_or(done).div_ceil(UNIT), done / UNIT);
    }

    fn advance(&mut self, done: u64) {
        self.events.advance(done / UNIT, &self.now);
    }

    fn end(&mut self) {}

    fn warn(&mut self, text: &str) {
        self.events.warn(text);
    }

    fn interrupted(&self) -> bool {
        self.events.interrupted()
    }
}
