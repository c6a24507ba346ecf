//! The stages before the last one of methods, for a command that does the last one itself: trained as a comparison trains them, in
//! the same folders. Knows nothing of what comes after.

use std::path::{Path, PathBuf};

use super::data::{Base, Target};
use super::part::Part;
use super::work::{Piece, Task, Work};
use super::{clear, load_targets, time};
use crate::error::{Error, Result};
use crate::experiment::Events;
use crate::experiment::estimate::Time;
use crate::report::RunFolder;
use crate::report::run_info::DataInfo;
use crate::spec::Compare;
use crate::spec::method::Method;

/// What they need, read and checked.
pub(in crate::experiment) struct Earlier {
    spec: Compare,
    base: Base,
    targets: Vec<Vec<Target>>,
    pub warnings: Vec<String>,
}

impl Earlier {
    /// Reads everything but the weights for the methods of `spec`, which has one target and one seed.
    pub fn load(spec: Compare) -> Result<Self> {
        spec.validate()?;
        let base = Base::load(&spec)?;
        let mut warnings = Vec::new();
        let targets = load_targets(&spec, &base, &mut warnings)?;
        Ok(Self { spec, base, targets, warnings })
    }

    /// Every file that they read.
    pub fn info(&self) -> Vec<DataInfo> {
        super::outcome::data_info(&self.targets)
    }

    fn work(&self) -> Result<Work<'_>> {
        Work::new(&self.spec, &self.base, &self.targets)
    }

    /// Units of progress of the stages of `method`, and those of what is done.
    pub fn units(&self, method: &Method) -> Result<(u64, u64)> {
        let work = self.work()?;
        let of = |(_, piece): (usize, &Piece)| (piece.units, if piece.done { piece.units } else { 0 });
        Ok(before_last(&work, method).map(of).fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1)))
    }

    /// Trains the stages of `method` that are not done, in order, after `before` units of progress; where the adapter lies that the
    /// last of them kept.
    pub fn run(&self, method: &Method, mut before: u64, events: &mut dyn Events) -> Result<PathBuf> {
        let work = self.work()?;
        let mut kept = None;
        for (number, piece) in before_last(&work, method) {
            work.run(number, &mut Part::new(events, before, piece.name.clone()))?;
            before += piece.units;
            if let Task::Stage(chain) = &piece.task {
                kept = chain.done()?;
            }
        }
        let kept = kept.ok_or_else(|| Error::check(format!("internal: nothing is kept before `{}`", method.name())))?;
        Ok(kept.adapter())
    }

    /// How long the stages of all methods will take, measured just now.
    pub fn time(&self) -> Result<Time> {
        let work = self.work()?;
        let of = |method: &Method| before_last(&work, method).map(|(_, piece)| piece).collect::<Vec<_>>();
        let pieces: Vec<&Piece> = self.spec.methods.iter().flat_map(of).collect();
        time::of(&pieces, &self.spec, &self.base, 1)
    }

    /// Removes what an earlier run left in their folder, and nothing else.
    pub fn clear(out: &Path) -> Result<()> {
        if !out.is_dir() {
            return Ok(());
        }
        clear(&RunFolder::open(out)?)?;
        // Succeeds only on an empty folder.
        let _ = std::fs::remove_dir(out);
        Ok(())
    }
}

/// The pieces of `work` that are stages of `method` with another one after them.
fn before_last<'w, 'a>(work: &'w Work<'a>, method: &Method) -> impl Iterator<Item = (usize, &'w Piece<'a>)> {
    let method = *method;
    work.pieces.iter().enumerate().filter(move |(_, piece)| match &piece.task {
        Task::Stage(chain) => chain.method == method && chain.number + 1 < method.stages().len(),
        Task::Evaluation(_) => false,
    })
}
