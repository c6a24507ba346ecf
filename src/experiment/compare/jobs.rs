//! Pieces of a comparison in several processes at once. Threads would not do: how sums are split, and so their last bits, depends on
//! how many threads the one pool of a process has, and every piece shall have all that the spec says.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::work::Work;
use super::worker::{Order, Said};
use crate::error::{Error, Kind, Result};
use crate::experiment::Events;
use crate::machine;

/// How long to wait for news before looking whether the user wants to stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// How many processes may work at once, and how one is started.
pub struct Jobs<'a> {
    /// How many; 1 for this process alone.
    pub count: usize,
    /// A worker of the run in a folder: a process that reads orders from its standard input and answers on its standard output.
    pub worker: &'a dyn Fn(&Path) -> Result<Command>,
}

impl Jobs<'static> {
    /// This process alone, which starts no other.
    pub fn alone() -> Self {
        Self { count: 1, worker: &|_| Err(Error::check("internal: a process that works alone wants another")) }
    }
}

impl Jobs<'_> {
    /// As many as are wanted, have work, and fit into the memory that there is, at `memory_mib` each. Says so if that is fewer.
    pub(super) fn at_once(&self, memory_mib: u64, left: usize, events: &mut dyn Events) -> usize {
        let (fitting, line) = fitting(self.count, memory_mib, machine::available_mib());
        line.iter().for_each(|line| events.warn(line));
        fitting.min(left).max(1)
    }
}

/// How many of `count` jobs of `memory_mib` fit into what is `available`, and what to say if not all do.
fn fitting(count: usize, memory_mib: u64, available: Option<f64>) -> (usize, Option<String>) {
    let Some(available) = available.filter(|_| count > 1) else { return (count, None) };
    let fitting = ((available / memory_mib.max(1) as f64) as usize).clamp(1, count);
    let line = || {
        format!(
            "{fitting} of {count} jobs at once: each needs about {memory_mib} MiB, and {available:.0} MiB are available"
        )
    };
    (fitting, (fitting < count).then(line))
}

/// A process at work.
struct Worker {
    child: Child,
    /// None when it is to end.
    orders: Option<ChildStdin>,
    /// The piece that it does, and its units that are complete.
    piece: Option<(usize, u64)>,
}

impl Worker {
    /// Starts one; what it says goes to `news` with its number `me`, and at last nothing.
    fn start(me: usize, mut command: Command, news: Sender<(usize, Option<Said>)>) -> Result<Self> {
        let failed = |source: std::io::Error| {
            Error::input(format!("cannot start a process: {source}"))
                .flag("--jobs")
                .next("ask for fewer")
                .caused_by(source)
        };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let (orders, output) = (child.stdin.take(), child.stdout.take());
        std::thread::spawn(move || {
            for line in output.map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(|line| line.ok()) {
                let Ok(said) = serde_json::from_str(&line) else { break };
                if news.send((me, Some(said))).is_err() {
                    return;
                }
            }
            // Nobody may be left to hear it.
            let _ = news.send((me, None));
        });
        Ok(Self { child, orders, piece: None })
    }

    /// Gives an order. One that cannot hear it any more has ended, which comes up as news.
    fn tell(&mut self, order: Order) {
        if let Some(orders) = &mut self.orders {
            let _ = orders.write_all(order.line().as_bytes()).and_then(|()| orders.flush());
        }
    }
}

impl Drop for Worker {
    /// Ends it: where its orders end, a worker ends at once.
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.child.wait();
    }
}

/// Does everything that is left of `work` in `count` processes.
pub(super) fn everything(work: &Work, count: usize, jobs: &Jobs, events: &mut dyn Events) -> Result<()> {
    let (sender, news) = channel();
    let mut workers = Vec::with_capacity(count);
    for me in 0..count {
        workers.push(Worker::start(me, (jobs.worker)(work.out())?, sender.clone())?);
    }
    let state: Vec<State> =
        work.pieces.iter().map(|piece| if piece.done { State::Done } else { State::Left }).collect();
    Hands { work, workers, state, stopping: false, failed: None }.go(&news, events)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Left,
    Begun,
    Done,
}

/// Who hands out the pieces.
struct Hands<'a> {
    work: &'a Work<'a>,
    workers: Vec<Worker>,
    /// Of every piece.
    state: Vec<State>,
    stopping: bool,
    failed: Option<Error>,
}

impl Hands<'_> {
    fn go(mut self, news: &Receiver<(usize, Option<Said>)>, events: &mut dyn Events) -> Result<()> {
        loop {
            self.hand_out();
            if self.workers.iter().all(|worker| worker.piece.is_none()) {
                break;
            }
            match news.recv_timeout(PATIENCE) {
                Ok((who, Some(said))) => self.heard(who, said, events),
                Ok((who, None)) => self.ended(who),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if events.interrupted() || self.failed.is_some() {
                self.stop();
            }
        }
        match self.failed.take() {
            Some(error) => Err(error),
            None if self.state.iter().all(|&state| state == State::Done) => Ok(()),
            None => Err(Error::interrupted("stopped; what is done is complete").next("go on with --resume")),
        }
    }

    /// Gives every idle worker the first piece for which all is there.
    fn hand_out(&mut self) {
        if self.stopping {
            return;
        }
        for worker in self.workers.iter_mut().filter(|worker| worker.piece.is_none() && worker.orders.is_some()) {
            let state = &mut self.state;
            let is_ready = |number: &usize| {
                state[*number] == State::Left
                    && self.work.pieces[*number].needs.iter().all(|&needed| state[needed] == State::Done)
            };
            let Some(next) = (0..state.len()).find(is_ready) else { break };
            state[next] = State::Begun;
            worker.piece = Some((next, 0));
            worker.tell(Order::Piece(next));
        }
    }

    fn heard(&mut self, who: usize, said: Said, events: &mut dyn Events) {
        let worker = &mut self.workers[who];
        match (said, worker.piece) {
            (Said::Advance { done, now }, Some((piece, _))) => {
                worker.piece = Some((piece, done));
                events.advance(self.units(), &format!("{}: {now}", self.work.pieces[piece].name));
            }
            (Said::Found { units }, _) => events.found(units),
            (Said::Warn(text), _) => events.warn(&text),
            (Said::Done, Some((piece, _))) => {
                worker.piece = None;
                self.state[piece] = State::Done;
                events.advance(self.units(), &format!("{}: done", self.work.pieces[piece].name));
            }
            (Said::Failed { kind, text }, _) => {
                worker.piece = None;
                worker.orders = None;
                let error = match kind {
                    Kind::Input => Error::input(text),
                    Kind::Check => Error::check(text),
                    Kind::Interrupted => Error::interrupted(text),
                };
                // That the others then were stopped says nothing.
                self.failed.get_or_insert(error);
            }
            (Said::Advance { .. } | Said::Done, None) => {}
        }
    }

    /// A worker that ends with a piece in its hands was killed.
    fn ended(&mut self, who: usize) {
        let worker = &mut self.workers[who];
        worker.orders = None;
        let Some((piece, _)) = worker.piece.take() else { return };
        let how = worker.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        let what = format!("the process that worked on {} ended with {how}", self.work.pieces[piece].name);
        self.failed.get_or_insert(
            Error::check(what)
                .flag("--jobs")
                .next("look whether the machine ran out of memory; go on with --resume, with fewer jobs if it did"),
        );
    }

    /// Tells every worker to stop after its step, once.
    fn stop(&mut self) {
        if !self.stopping {
            self.stopping = true;
            self.workers.iter_mut().for_each(|worker| worker.tell(Order::Stop));
        }
    }

    /// Units that are complete.
    fn units(&self) -> u64 {
        let whole = self.work.pieces.iter().zip(&self.state).filter(|(_, state)| **state == State::Done);
        let begun = self.workers.iter().filter_map(|worker| worker.piece);
        whole.map(|(piece, _)| piece.units).sum::<u64>() + begun.map(|(_, done)| done).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_jobs_run_at_once_as_fit() {
        assert_eq!(fitting(4, 100, Some(450.0)), (4, None));
        let (fitting_one, line) = fitting(4, 1000, Some(10.0));
        assert_eq!(fitting_one, 1);
        assert_eq!(line.as_deref(), Some("1 of 4 jobs at once: each needs about 1000 MiB, and 10 MiB are available"));
        assert_eq!(fitting(3, 100, Some(250.0)).0, 2);
        assert_eq!(fitting(3, 100, None), (3, None));
        assert_eq!(fitting(1, 1 << 40, Some(1.0)), (1, None));
    }
}
