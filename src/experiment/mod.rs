//! One file per subcommand: wires the other rooms together; the only place that sees everything. It never prints: what a
//! person should see while it runs goes through [`Events`].

mod answers;
mod asking;
mod attachment;
pub mod bench;
mod checkpoints;
pub mod compare;
pub mod compare_summary;
pub mod dump;
pub mod estimate;
pub mod fetch;
pub mod fetch_data;
mod figures;
mod fine_tune;
pub mod generate;
pub mod gradient_align;
pub mod inspect;
mod items;
mod json_lines;
pub mod label_ratio;
pub mod mini;
pub mod paired;
pub mod paper;
pub mod pretrain;
mod probe;
pub mod redraw;
pub mod score;
mod scoring;
mod setup;
pub mod tasks;
pub mod tokenize;

/// How a long run talks to whoever started it.
pub trait Events {
    /// The work ahead, in units of [`Events::advance`] (training steps and probe batches), and how much a resumed run has done.
    fn begin(&mut self, total: u64, done: u64);
    /// So many more units turn out to be an earlier run's work: of a part of the run that was begun before, which is seen only when it
    /// is gone on with. They cost this run no time.
    fn found(&mut self, _units: u64) {}
    /// `done` units are complete; `now` says in a few words what is going on ("step 50, loss 0.41").
    fn advance(&mut self, done: u64, now: &str);
    /// Something the user should know and that does not stop the run.
    fn warn(&mut self, text: &str);
    /// Whether the user asked to stop (Ctrl-C). A run that sees it finishes what it writes and returns an error of
    /// [`crate::Kind::Interrupted`].
    fn interrupted(&self) -> bool;
}

/// What to do with a run folder that is not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse.
    Refuse,
    /// Overwrite fsa's own files in it.
    Overwrite,
    /// Go on where the run in it stopped; start afresh in an absent or empty folder.
    Resume,
}
