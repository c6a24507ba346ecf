//! Downloads on the terminal: a bar with sizes and the time that is left, or now and then a line in a log.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use fsa::hub::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use super::{INTERRUPTED, above, clock, complain};

/// The least time between two lines of a log.
const PAUSE: Duration = Duration::from_secs(10);

enum Shown {
    Silent,
    Bar(ProgressBar),
    Lines(Option<Line>),
}

/// A file on its way.
struct Line {
    name: String,
    size: Option<u64>,
    before: u64,
    begun: Instant,
    last: Instant,
}

/// What a download says to the person at the terminal.
pub struct Downloads {
    shown: Shown,
}

impl Downloads {
    /// On stderr: a bar if that is a terminal, lines if not, nothing but warnings if `quiet`.
    pub fn new(quiet: bool) -> Self {
        let shown = match (quiet, stderr().is_terminal()) {
            (true, _) => Shown::Silent,
            (false, true) => Shown::Bar(ProgressBar::hidden()),
            (false, false) => Shown::Lines(None),
        };
        Self { shown }
    }

    /// From here on Ctrl-C says that nothing is lost before it ends the process: what has arrived is on disk at any moment.
    pub fn catch_interrupt(&self) {
        let line = if self.is_bar() { "\n" } else { "" };
        let caught = ctrlc::set_handler(move || {
            super::say(&format!(
                "{line}fsa: error: stopped; what has arrived is kept: the same command goes on from there"
            ));
            std::process::exit(INTERRUPTED.into());
        });
        if let Err(source) = caught {
            complain("warning", &format!("Ctrl-C will say nothing: {source}"));
        }
    }

    fn is_bar(&self) -> bool {
        matches!(self.shown, Shown::Bar(_))
    }
}

impl Progress for Downloads {
    fn begin(&mut self, name: &str, size: Option<u64>, done: u64) {
        match &mut self.shown {
            Shown::Silent => {}
            Shown::Bar(bar) => {
                bar.finish_and_clear();
                let (new, template) = match size {
                    Some(size) => (ProgressBar::new(size), SIZED),
                    None => (ProgressBar::no_length(), UNSIZED),
                };
                let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
                *bar = new.with_style(style).with_message(name.to_owned()).with_position(done);
                bar.reset_eta();
                bar.enable_steady_tick(Duration::from_millis(500));
            }
            Shown::Lines(line) => {
                let now = Instant::now();
                let new = Line { name: name.to_owned(), size, before: done, begun: now, last: now };
                super::say(&new.begin());
                *line = Some(new);
            }
        }
    }

    fn advance(&mut self, done: u64) {
        match &mut self.shown {
            Shown::Silent | Shown::Lines(None) => {}
            Shown::Bar(bar) => bar.set_position(done),
            Shown::Lines(Some(line)) => {
                if let Some(text) = line.advance(done, Instant::now()) {
                    super::say(&text);
                }
            }
        }
    }

    fn end(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }

    fn warn(&mut self, text: &str) {
        let bar = match &self.shown {
            Shown::Bar(bar) => Some(bar),
            Shown::Silent | Shown::Lines(_) => None,
        };
        above(bar, &format!("fsa: warning: {text}"));
    }

    fn interrupted(&self) -> bool {
        false
    }
}

impl Drop for Downloads {
    fn drop(&mut self) {
        self.end();
    }
}

const SIZED: &str = "{msg}  {bar:24} {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  eta {eta}";
const UNSIZED: &str = "{msg}  {decimal_bytes}  {decimal_bytes_per_sec}";

impl Line {
    fn begin(&self) -> String {
        let size = self.size.map_or_else(|| "size unknown".to_owned(), size);
        match self.before {
            0 => format!("{}  {size}", self.name),
            before => format!("{}  {size}, of which {} are here already", self.name, self::size(before)),
        }
    }

    /// The line that is due, if one is.
    fn advance(&mut self, done: u64, now: Instant) -> Option<String> {
        if now.saturating_duration_since(self.last) < PAUSE {
            return None;
        }
        self.last = now;
        let spent = now.saturating_duration_since(self.begun);
        let here = done.saturating_sub(self.before).max(1);
        let end = self.size.map(|all| {
            let left = spent.mul_f64(all.saturating_sub(done) as f64 / here as f64);
            format!(" of {}  eta {}", size(all), clock(left))
        });
        Some(format!("{}  {}{}", self.name, size(done), end.unwrap_or_default()))
    }
}

/// `812 B`, `1.2 MB`, `3.0 GB`.
pub fn size(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in units {
        // What would be shown as 1000.0 has the next unit.
        if value < 999.95 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        let said = [0, 999, 1000, 1_234_567, 999_960, 3_000_000_000].map(size);
        assert_eq!(said, ["0 B", "999 B", "1.0 kB", "1.2 MB", "1.0 MB", "3.0 GB"]);
    }

    #[test]
    fn a_log_gets_a_line_in_ten_seconds_with_the_time_that_is_left() {
        let begun = Instant::now();
        let mut line =
            Line { name: "a/b/model.safetensors".into(), size: Some(9_000_000), before: 3_000_000, begun, last: begun };
        assert_eq!(line.begin(), "a/b/model.safetensors  9.0 MB, of which 3.0 MB are here already");
        assert_eq!(line.advance(4_000_000, begun + Duration::from_secs(9)), None);
        let said = line.advance(5_000_000, begun + Duration::from_secs(10));
        assert_eq!(said.as_deref(), Some("a/b/model.safetensors  5.0 MB of 9.0 MB  eta 20s"));
        assert_eq!(line.advance(6_000_000, begun + Duration::from_secs(11)), None);
    }
}
