//! Progress of a part of a run, as progress of the whole.

use crate::experiment::Events;

/// The part that begins after `before` units of the whole.
pub(in crate::experiment) struct Part<'a> {
    whole: &'a mut dyn Events,
    before: u64,
    name: String,
}

impl<'a> Part<'a> {
    pub fn new(whole: &'a mut dyn Events, before: u64, name: String) -> Self {
        Self { whole, before, name }
    }
}

impl Events for Part<'_> {
    fn begin(&mut self, _: u64, done: u64) {
        self.found(done);
        self.advance(done, "begins");
    }

    fn found(&mut self, units: u64) {
        self.whole.found(units);
    }

    fn advance(&mut self, done: u64, now: &str) {
        self.whole.advance(self.before + done, &format!("{}: {now}", self.name));
    }

    fn warn(&mut self, text: &str) {
        self.whole.warn(text);
    }

    fn interrupted(&self) -> bool {
        self.whole.interrupted()
    }
}
