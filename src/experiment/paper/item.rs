//! What is said of a figure or a table of the paper; which there are is in [`items`](super::items).

use super::quantity::Claim;

/// A figure or a table.
#[derive(Debug)]
pub struct Item {
    /// Its name on the command line and in file names.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// What the paper shows.
    pub paper: &'static str,
    /// What is otherwise here, or why it cannot be made; may be empty.
    pub here: &'static str,
    /// The families of runs that it needs.
    pub needs: &'static [&'static str],
    /// How it is shown.
    pub show: Show,
    /// What holds if the run agrees; all of it must.
    pub claims: &'static [Claim],
}

/// How an item is shown.
#[derive(Debug)]
pub enum Show {
    /// A figure of each run that watches outputs: scores, or label ratios.
    Labels {
        /// Its name.
        figure: &'static str,
        /// Evaluated tasks.
        tasks: &'static [&'static str],
        /// Whether it is of label ratios.
        ratios: bool,
    },
    /// A figure of each run that watches gradients: of the first and the last probe, or of all.
    Gradients {
        /// Its name.
        figure: &'static str,
        /// Whether only the first and the last probe are in it.
        ends: bool,
    },
    /// A figure of every checkpoint of a comparison.
    TradeOff {
        /// Its name.
        figure: &'static str,
        /// The comparison.
        run: &'static str,
    },
    /// A table of scores.
    Scores(Scores),
    /// The first inputs of some tasks with the outputs of some methods.
    Outputs {
        /// The comparison, with one target of that name.
        run: &'static str,
        /// Tasks, 1-shot.
        tasks: &'static [&'static str],
    },
    /// The sizes of the tasks' splits.
    Splits,
    /// It cannot be made.
    Nothing,
}

/// What a table of scores shows.
#[derive(Debug)]
pub struct Scores {
    /// The table's name among the paper's numbers.
    pub printed: &'static str,
    /// Whether it is of the second model.
    pub second: bool,
    /// Targets, or several that are trained on together with `+` between.
    pub targets: &'static [&'static str],
    /// Methods, in order.
    pub methods: &'static [&'static str],
    /// Shots of other tasks; none for a table of targets alone.
    pub shots: &'static [u64],
}

impl Item {
    /// The table among the paper's numbers that its claims are on.
    pub fn printed(&self) -> Option<&'static str> {
        match (&self.show, self.name) {
            (Show::Scores(scores), _) => Some(scores.printed),
            // The outputs are of the runs of that table.
            (_, "a.3.8") => Some("5.3-WMT14"),
            _ => None,
        }
    }
}
