//! A process that does pieces of a comparison, one after the other, for the process that hands them out: `fsa compare` started
//! again. The two talk in lines: orders down, what happens up.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use serde::{Deserialize, Serialize};

use super::data::Base;
use super::load_targets;
use super::work::Work;
use crate::error::{Kind, Result};
use crate::experiment::Events;
use crate::report::RunFolder;
use crate::spec::Compare;

/// What a worker is told, a line each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// To do the piece of this number.
    Piece(usize),
    /// To stop after this step: what Ctrl-C asks.
    Stop,
}

impl Order {
    const STOP: &str = "stop";

    /// Reads a line.
    pub fn parse(line: &str) -> Option<Self> {
        match line.trim() {
            Self::STOP => Some(Self::Stop),
            number => number.parse().ok().map(Self::Piece),
        }
    }

    /// Its line.
    pub fn line(self) -> String {
        match self {
            Self::Piece(number) => format!("{number}\n"),
            Self::Stop => format!("{}\n", Self::STOP),
        }
    }
}

/// What a worker says, a JSON object a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// So many units of its piece are complete.
    Advance {
        /// Units.
        done: u64,
        /// What is going on.
        now: String,
    },
    /// So many units of its piece are an earlier run's work.
    Found {
        /// Units.
        units: u64,
    },
    /// Something that the user should know.
    Warn(String),
    /// The piece is done.
    Done,
    /// It failed; the worker ends.
    Failed {
        /// What the error means for the run.
        kind: Kind,
        /// Its one line.
        text: String,
    },
}

/// The spec of the run in the folder `out`.
///
/// # Errors
/// If there is none.
pub fn spec_in(out: &Path) -> Result<Compare> {
    let spec: Compare = RunFolder::open(out)?.read_spec()?;
    // The folder may have been moved.
    Ok(Compare { out: out.to_path_buf(), ..spec })
}

/// Does the pieces of `spec` whose numbers come from `pieces`, until no more can come or one fails. `stop` becomes true when the
/// user asks to stop.
pub fn work_on(spec: &Compare, pieces: &Receiver<usize>, stop: &AtomicBool, say: &mut dyn FnMut(Said)) {
    let mut relay = Relay { stop, say };
    if let Err(error) = work(spec, pieces, &mut relay) {
        (relay.say)(Said::Failed { kind: error.kind(), text: error.to_string() });
    }
}

fn work(spec: &Compare, pieces: &Receiver<usize>, relay: &mut Relay) -> Result<()> {
    let base = Base::load(spec)?;
    // Whoever started this one has given the warnings.
    let targets = load_targets(spec, &base, &mut Vec::new())?;
    let work = Work::new(spec, &base, &targets)?;
    while let Ok(number) = pieces.recv() {
        work.run(number, relay)?;
        (relay.say)(Said::Done);
    }
    Ok(())
}

/// Passes on what happens.
struct Relay<'a> {
    stop: &'a AtomicBool,
    say: &'a mut dyn FnMut(Said),
}

impl Events for Relay<'_> {
    fn begin(&mut self, _: u64, done: u64) {
        self.found(done);
        self.advance(done, "begins");
    }

    fn found(&mut self, units: u64) {
        if units > 0 {
            (self.say)(Said::Found { units });
        }
    }

    fn advance(&mut self, done: u64, now: &str) {
        (self.say)(Said::Advance { done, now: now.to_string() });
    }

    fn warn(&mut self, text: &str) {
        (self.say)(Said::Warn(text.to_string()));
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_answers_are_lines_that_read_back() {
        for order in [Order::Piece(0), Order::Piece(17), Order::Stop] {
            assert_eq!(Order::parse(&order.line()), Some(order));
        }
        assert_eq!(Order::parse("go"), None);
        for said in [
            Said::Advance { done: 3, now: "a\nb".into() },
            Said::Found { units: 7 },
            Said::Done,
            Said::Failed { kind: Kind::Check, text: "t".into() },
        ] {
            let line = serde_json::to_string(&said).unwrap();
            assert!(!line.contains('\n'));
            assert_eq!(serde_json::from_str::<Said>(&line).unwrap(), said);
        }
    }
}
