//! The terminal: results on stdout, progress, warnings and errors on stderr, and Ctrl-C.
//!
//! A write that fails never panics: a reader that went away (`fsa … | head`) is no error of ours.

mod downloads;
mod lines;

pub use downloads::{Downloads, size};
pub use lines::clock;

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fsa::experiment::Events;
use fsa::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use lines::Lines;
use serde::Serialize;

/// The exit code of a run that the user stopped: what a shell reports for SIGINT.
pub const INTERRUPTED: u8 = 130;

/// Writes `bytes` to stdout.
pub fn print(bytes: &[u8]) -> Result<()> {
    let mut stdout = stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => Err(Error::io("write", "standard output", source)),
        _ => Ok(()),
    }
}

/// Writes `value` to stdout as one JSON object on one line.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value)
        .map_err(|source| Error::check(format!("cannot write this result as JSON: {source}")).caused_by(source))?;
    print(format!("{text}\n").as_bytes())
}

/// `paths`, one a line.
pub fn paths(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("{}\n", path.display())).collect()
}

/// Writes `fsa: LABEL: TEXT` to stderr.
pub fn complain(label: &str, text: &impl Display) {
    say(&format!("fsa: {label}: {text}"));
}

fn say(line: &str) {
    // Where stderr is closed there is nobody left to tell.
    let _ = writeln!(stderr(), "{line}");
}

/// How progress is shown.
enum Progress {
    /// Not at all (`--quiet`).
    Silent,
    /// A bar that redraws itself, on a terminal.
    Bar(ProgressBar),
    /// Now and then a line, in a log.
    Lines(Lines),
}

/// A run's line to the person at the terminal.
pub struct Term {
    progress: Progress,
    stop: Arc<AtomicBool>,
}

impl Term {
    /// Progress on stderr: a bar if that is a terminal, lines if not, nothing if `quiet`.
    pub fn new(quiet: bool) -> Self {
        let progress = match (quiet, stderr().is_terminal()) {
            (true, _) => Progress::Silent,
            (false, true) => Progress::Bar(ProgressBar::no_length()),
            (false, false) => Progress::Lines(Lines::new(Instant::now())),
        };
        Self { progress, stop: Arc::default() }
    }

    /// From here on the first Ctrl-C asks the run to stop and the second ends the process.
    pub fn catch_interrupt(&self) {
        let stop = Arc::clone(&self.stop);
        let bar = self.bar().cloned();
        let caught = ctrlc::set_handler(move || {
            if stop.swap(true, Ordering::SeqCst) {
                std::process::exit(INTERRUPTED.into());
            }
            above(bar.as_ref(), "fsa: stopping after this step; go on with --resume (Ctrl-C again: stop at once)");
        });
        if let Err(source) = caught {
            complain("warning", &format!("Ctrl-C will stop the run at once: {source}"));
        }
    }

    fn bar(&self) -> Option<&ProgressBar> {
        match &self.progress {
            Progress::Bar(bar) => Some(bar),
            Progress::Silent | Progress::Lines(_) => None,
        }
    }
}

/// Writes a line to stderr, above the bar if one is up.
fn above(bar: Option<&ProgressBar>, line: &str) {
    match bar {
        Some(bar) => bar.suspend(|| say(line)),
        None => say(line),
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:24} {pos}/{len}  {msg}  eta {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Events for Term {
    fn begin(&mut self, total: u64, done: u64) {
        match &mut self.progress {
            Progress::Silent => {}
            Progress::Bar(bar) => {
                bar.set_style(style());
                bar.set_length(total);
                bar.set_position(done);
                // What an earlier run did took none of this run's time.
                bar.reset_eta();
                bar.enable_steady_tick(Duration::from_millis(500));
            }
            Progress::Lines(lines) => say(&lines.begin(total, done, Instant::now())),
        }
    }

    fn found(&mut self, units: u64) {
        match &mut self.progress {
            Progress::Silent => {}
            Progress::Bar(bar) => {
                bar.inc(units);
                bar.reset_eta();
            }
            Progress::Lines(lines) => lines.found(units),
        }
    }

    fn advance(&mut self, done: u64, now: &str) {
        match &mut self.progress {
            Progress::Silent => {}
            Progress::Bar(bar) => {
                bar.set_position(done);
                bar.set_message(now.to_owned());
            }
            Progress::Lines(lines) => {
                if let Some(line) = lines.advance(done, now, Instant::now()) {
                    say(&line);
                }
            }
        }
    }

    fn warn(&mut self, text: &str) {
        above(self.bar(), &format!("fsa: warning: {text}"));
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

impl Drop for Term {
    /// Takes the bar away, so that the result or the error starts on a line of its own.
    fn drop(&mut self) {
        if let Some(bar) = self.bar() {
            bar.finish_and_clear();
        }
    }
}
