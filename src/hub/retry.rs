//! What is tried again, how often, and after which pause.

use std::time::{Duration, Instant};

use super::Progress;
use crate::error::{Error, Result};

/// Attempts at what a server or a network in trouble did not give.
pub const ATTEMPTS: u32 = 6;
/// Attempts at a server that is not there: more of them are only a longer wait for whoever has no network.
pub const ATTEMPTS_TO_CONNECT: u32 = 3;
/// The longest pause between attempts, unless the server asks for more.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest pause that a server may ask for.
const PATIENCE: Duration = Duration::from_secs(300);
/// A pause that is worth a word.
const NOTABLE: Duration = Duration::from_secs(3);
/// How often a pause looks whether the user wants to stop.
const BLINK: Duration = Duration::from_millis(50);

/// Why an attempt came to nothing, where another one may not.
pub struct Trouble {
    /// In words that can follow a host's name.
    pub what: String,
    /// Attempts that it is worth in all.
    pub attempts: u32,
    /// The pause that the server asks for.
    pub pause: Option<Duration>,
    /// Whether no server answered, as against one that could not.
    pub is_unreachable: bool,
}

/// Attempts at one thing.
pub struct Attempts {
    made: u32,
    /// Before the second one.
    first_pause: Duration,
}

impl Attempts {
    pub fn new(first_pause: Duration) -> Self {
        Self { made: 0, first_pause }
    }

    /// Something came of the last one: what follows is not its fault.
    pub fn renew(&mut self) {
        self.made = 0;
    }

    /// Waits before the next attempt, after one that ended in `trouble` with the server at `host`. False if there is none.
    ///
    /// # Errors
    /// If the user asks to stop.
    pub fn wait(&mut self, host: &str, trouble: &Trouble, progress: &mut dyn Progress) -> Result<bool> {
        self.made += 1;
        let pause = self.first_pause.saturating_mul(1 << (self.made - 1).min(16)).min(LONGEST);
        let pause = pause.max(trouble.pause.unwrap_or_default());
        if self.made >= trouble.attempts || pause > PATIENCE {
            return Ok(false);
        }
        if pause >= NOTABLE {
            progress.warn(&format!("{host} {}; trying again in {}s", trouble.what, pause.as_secs()));
        }
        sleep(pause, progress).map(|()| true)
    }
}

/// Waits so long, or until the user asks to stop.
pub fn sleep(pause: Duration, progress: &dyn Progress) -> Result<()> {
    let until = Instant::now() + pause;
    loop {
        if progress.interrupted() {
            return Err(stopped());
        }
        match until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => return Ok(()),
            left => std::thread::sleep(left.min(BLINK)),
        }
    }
}

/// The user asked to stop.
pub fn stopped() -> Error {
    Error::interrupted("stopped; what has arrived is kept").next("the same command goes on from there")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Silent;

    fn trouble(pause: Option<u64>) -> Trouble {
        Trouble {
            what: "answered 503".into(),
            attempts: ATTEMPTS,
            pause: pause.map(Duration::from_millis),
            is_unreachable: false,
        }
    }

    #[test]
    fn attempts_end() {
        let mut attempts = Attempts::new(Duration::ZERO);
        let wait = |attempts: &mut Attempts| attempts.wait("hub", &trouble(None), &mut Silent).unwrap();
        assert_eq!((1..ATTEMPTS).filter(|_| wait(&mut attempts)).count() as u32, ATTEMPTS - 1);
        assert!(!wait(&mut attempts));
        attempts.renew();
        assert!(wait(&mut attempts));
    }

    #[test]
    fn a_pause_that_the_server_asks_for_is_kept_within_reason() {
        let begun = Instant::now();
        assert!(Attempts::new(Duration::ZERO).wait("hub", &trouble(Some(60)), &mut Silent).unwrap());
        assert!(begun.elapsed() >= Duration::from_millis(60));
        assert!(!Attempts::new(Duration::ZERO).wait("hub", &trouble(Some(3_600_000)), &mut Silent).unwrap());
    }

    #[test]
    fn who_asks_to_stop_does_not_wait() {
        struct Stop;
        impl Progress for Stop {
            fn begin(&mut self, _: &str, _: Option<u64>, _: u64) {}
            fn advance(&mut self, _: u64) {}
            fn end(&mut self) {}
            fn warn(&mut self, _: &str) {}
            fn interrupted(&self) -> bool {
                true
            }
        }
        let error = sleep(Duration::from_secs(60), &Stop).unwrap_err();
        assert_eq!(error.kind(), crate::Kind::Interrupted);
    }
}
