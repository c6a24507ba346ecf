//! Progress for a log: a line at the start, at the end, and at most one in ten seconds between.

use std::time::{Duration, Instant};

/// The least time between two lines.
const PAUSE: Duration = Duration::from_secs(10);

/// Decides when a line is due, and words it. It is told the time, so that tests can tell it any.
pub struct Lines {
    total: u64,
    done_before: u64,
    begun: Instant,
    last: Option<Instant>,
}

impl Lines {
    /// No work yet.
    pub fn new(now: Instant) -> Self {
        Self { total: 0, done_before: 0, begun: now, last: None }
    }

    /// The first line: work of `total` units begins, of which an earlier run did `done`.
    pub fn begin(&mut self, total: u64, done: u64, now: Instant) -> String {
        *self = Self { total, done_before: done, begun: now, last: Some(now) };
        format!("{done}/{total}  {}", if done > 0 { "going on" } else { "started" })
    }

    /// So many more units were an earlier run's.
    pub fn found(&mut self, units: u64) {
        self.done_before += units;
    }

    /// The line that is due when `done` units are complete, if one is.
    pub fn advance(&mut self, done: u64, what: &str, now: Instant) -> Option<String> {
        let finished = done >= self.total;
        let due = self.last.is_none_or(|last| now.saturating_duration_since(last) >= PAUSE);
        if !due && !finished {
            return None;
        }
        self.last = Some(now);
        let spent = now.saturating_duration_since(self.begun);
        let end = match (finished, done.saturating_sub(self.done_before)) {
            (true, _) => format!("in {}", clock(spent)),
            (false, 0) => "eta unknown".to_owned(),
            (false, here) => format!("eta {}", clock(spent.mul_f64((self.total - done) as f64 / here as f64))),
        };
        Some(format!("{done}/{}  {what}  {end}", self.total))
    }
}

/// `45s`, `3m20s`, `2h05m`.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_gets_the_start_the_end_and_a_line_in_ten_seconds() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let mut lines = Lines::new(begun);
        assert_eq!(lines.begin(400, 0, begun), "0/400  started");
        let said: Vec<u64> = (1..=400).filter(|step| lines.advance(*step, "", after(*step / 2)).is_some()).collect();
        assert_eq!(said, (20..=400).step_by(20).collect::<Vec<u64>>());
    }

    #[test]
    fn the_eta_counts_only_this_runs_work() {
        let begun = Instant::now();
        let mut lines = Lines::new(begun);
        assert_eq!(lines.begin(400, 200, begun), "200/400  going on");
        let line = lines.advance(250, "step 250, loss 0.412", begun + Duration::from_secs(50));
        assert_eq!(line.as_deref(), Some("250/400  step 250, loss 0.412  eta 2m30s"));
        let line = lines.advance(400, "done", begun + Duration::from_secs(51));
        assert_eq!(line.as_deref(), Some("400/400  done  in 51s"));
    }

    #[test]
    fn what_a_part_finds_done_does_not_count_either() {
        let begun = Instant::now();
        let mut lines = Lines::new(begun);
        lines.begin(1000, 400, begun);
        // A stage that an earlier run had half done, and ten units of this run's own in ten seconds.
        lines.found(90);
        let line = lines.advance(500, "step 100", begun + Duration::from_secs(10));
        assert_eq!(line.as_deref(), Some("500/1000  step 100  eta 8m20s"));
    }

    #[test]
    fn times_read_well() {
        assert_eq!([5, 200, 7500].map(|seconds| clock(Duration::from_secs(seconds))), ["5s", "3m20s", "2h05m"]);
    }

    #[test]
    fn before_anything_is_done_there_is_no_eta() {
        let now = Instant::now();
        let mut lines = Lines::new(now);
        lines.begin(10, 4, now);
        let line = lines.advance(4, "loading", now + PAUSE);
        assert_eq!(line.as_deref(), Some("4/10  loading  eta unknown"));
    }
}
