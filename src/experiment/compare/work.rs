//! The work of a comparison as pieces, each of which one process does alone in a folder that is its own: a stage, or the evaluation
//! of what a method has come to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::attach::attach;
use super::data::{Base, Target};
use super::evaluation::Evaluation;
use super::folders::{apart, groups};
use super::kept::Kept;
use super::means::Means;
use super::methods;
use super::part::Part;
use super::stage::Chain;
use crate::error::{Error, Result};
use crate::experiment::Events;
use crate::model::{self, T5, prompt};
use crate::spec::method::{Attached, Method};
use crate::spec::{Compare, Seeds};

/// What a piece does.
pub(super) enum Task<'a> {
    /// Trains.
    Stage(Chain<'a>),
    /// Asks.
    Evaluation(Evaluation<'a>),
}

/// A piece of the work.
pub(super) struct Piece<'a> {
    pub task: Task<'a>,
    /// Pieces that must be done before it.
    pub needs: Vec<usize>,
    /// Units of progress.
    pub units: u64,
    /// Whether nothing is left to do for it, as the folders were when the pieces were made.
    pub done: bool,
    /// For people.
    pub name: String,
}

/// All pieces, each after those that it needs.
pub(super) struct Work<'a> {
    spec: &'a Compare,
    base: &'a Base,
    pub pieces: Vec<Piece<'a>>,
    /// Which piece's folder it is.
    by_folder: BTreeMap<PathBuf, usize>,
}

impl<'a> Work<'a> {
    /// The pieces of `spec` on every target under every seed. Their numbers depend on nothing else.
    pub fn new(spec: &'a Compare, base: &'a Base, all: &'a [Vec<Target>]) -> Result<Self> {
        let mut work = Self { spec, base, pieces: Vec::new(), by_folder: BTreeMap::new() };
        for targets in all {
            for method in methods(spec)? {
                for group in groups(&method, &targets.iter().collect::<Vec<_>>()) {
                    work.add(method, &group)?;
                }
            }
        }
        Ok(work)
    }

    /// The pieces of `method` on the targets of `group`, but for those that are there: methods share stages.
    fn add(&mut self, method: Method, group: &[&'a Target]) -> Result<()> {
        let targets = self.prefixed(method.attached(), group);
        let evaluation = Evaluation { spec: self.spec, base: self.base, method, targets };
        let is_done = evaluation.rows()?.is_some();
        let about = |group: &[&Target], what: &str| {
            let names: Vec<&str> = group.iter().map(|target| target.name.as_str()).collect();
            format!("{} seed {}, {}, {what}", names.join("+"), group[0].seed, method.name())
        };
        let mut before = Vec::new();
        for (number, stage) in method.stages().iter().enumerate() {
            let mut these = Vec::new();
            for chain in self.chains(method, number, group) {
                if let Some(&there) = self.by_folder.get(&chain.dir()) {
                    // A stage is wanted if one of those that share it is not done.
                    let piece = &mut self.pieces[there];
                    piece.done &= is_done || chain.done()?.is_some();
                    these.push(there);
                    continue;
                }
                let mut needs = before.clone();
                needs.extend(self.untouched(&chain)?);
                let of: Vec<&Target> = chain.targets.iter().map(|(target, _)| *target).collect();
                let name = about(&of, &format!("stage {} ({})", number + 1, stage.name));
                let done = is_done || chain.done()?.is_some();
                let (dir, units) = (chain.dir(), chain.units());
                these.push(self.push(dir, Piece { task: Task::Stage(chain), needs, units, done, name }));
            }
            before = these;
        }
        let (dir, units, name) = (evaluation.dir(), evaluation.units(), about(group, "evaluation"));
        let task = Task::Evaluation(evaluation);
        self.push(dir, Piece { task, needs: before, units, done: is_done, name });
        Ok(())
    }

    fn push(&mut self, dir: PathBuf, piece: Piece<'a>) -> usize {
        self.pieces.push(piece);
        self.by_folder.insert(dir, self.pieces.len() - 1);
        self.pieces.len() - 1
    }

    /// The evaluations of the model as it came whose scores the checkpoints of `chain` have, since it leaves other tasks alone.
    fn untouched(&self, chain: &Chain<'a>) -> Result<Vec<usize>> {
        if !chain.leaves_others_alone() || self.spec.trade_off_shots().is_none() {
            return Ok(Vec::new());
        }
        let of = |(target, _): &(&'a Target, Vec<u32>)| self.pretrained(target).map(|evaluation| evaluation.dir());
        let dirs = chain.targets.iter().map(of).collect::<Result<Vec<_>>>()?;
        Ok(dirs.iter().filter_map(|dir| self.by_folder.get(dir).copied()).collect())
    }

    /// The evaluation of the model as it came.
    fn pretrained(&self, target: &'a Target) -> Result<Evaluation<'a>> {
        let method = Method::named("pretrained")?;
        Ok(Evaluation {
            spec: self.spec,
            base: self.base,
            method,
            targets: self.prefixed(Attached::Nothing, &[target]),
        })
    }

    /// The chains that stage `number` is made of: several where each target has a soft prompt of its own to be trained.
    fn chains(&self, method: Method, number: usize, group: &[&'a Target]) -> Vec<Chain<'a>> {
        let stage = &method.stages()[number];
        let chain = |group: Vec<&'a Target>| {
            let targets = self.prefixed(stage.attached, &group);
            Chain { spec: self.spec, base: self.base, targets, method, number }
        };
        apart(stage, group).into_iter().map(chain).collect()
    }

    /// `targets`, each with the ids of its soft prompt, where there is one.
    fn prefixed(&self, attached: Attached, targets: &[&'a Target]) -> Vec<(&'a Target, Vec<u32>)> {
        let length = self.spec.prompt.length;
        let is_prompt = matches!(attached, Attached::Prompt | Attached::RandomPrompt);
        let ids = |number: usize| match is_prompt {
            true => prompt::virtual_tokens(number * length, length).collect(),
            false => Vec::new(),
        };
        targets.iter().enumerate().map(|(number, target)| (*target, ids(number))).collect()
    }

    /// The folder of the run.
    pub fn out(&self) -> &Path {
        &self.spec.out
    }

    /// Units of progress of everything.
    pub fn units(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.units).sum()
    }

    /// Those of what is done.
    pub fn units_done(&self) -> u64 {
        self.pieces.iter().filter(|piece| piece.done).map(|piece| piece.units).sum()
    }

    /// How many pieces are not done.
    pub fn left(&self) -> usize {
        self.pieces.iter().filter(|piece| !piece.done).count()
    }

    /// Does all that is not done, one piece after the other.
    pub fn everything(&self, events: &mut dyn Events) -> Result<()> {
        let mut done = self.units_done();
        for (number, piece) in self.pieces.iter().enumerate().filter(|(_, piece)| !piece.done) {
            self.run(number, &mut Part::new(events, done, piece.name.clone()))?;
            done += piece.units;
        }
        Ok(())
    }

    /// Does piece `number`; what it needs is done.
    pub fn run(&self, number: usize, events: &mut dyn Events) -> Result<()> {
        match &self.pieces[number].task {
            Task::Stage(chain) => self.stage(chain, events),
            Task::Evaluation(evaluation) => self.evaluate(evaluation, events),
        }
    }

    fn stage(&self, chain: &Chain<'a>, events: &mut dyn Events) -> Result<()> {
        if chain.done()?.is_some() {
            return Ok(());
        }
        let mut untouched = Vec::new();
        if chain.leaves_others_alone() && self.spec.trade_off_shots().is_some() {
            for (target, _) in &chain.targets {
                let rows = self.pretrained(target)?.rows()?.unwrap_or_default();
                untouched.push(Means::of_rows(&rows, target, self.spec));
            }
        }
        chain.run(&self.begun(chain)?, &untouched, events)
    }

    /// The model that `chain` begins with.
    pub fn begun(&self, chain: &Chain<'a>) -> Result<T5> {
        let group: Vec<&Target> = chain.targets.iter().map(|(target, _)| *target).collect();
        match (chain.number.checked_sub(1), group.first()) {
            (Some(before), _) => self.load(&self.kept(chain.method, before, &group)?),
            (None, Some(target)) => {
                let (attached, seeds) = (chain.stage().attached, Seeds::new(chain.seed()));
                attach(&self.load(&[])?, attached, target.attachments(self.spec, self.base), seeds)
            }
            (None, None) => Err(Error::check("internal: a stage without a target")),
        }
    }

    /// The checkpoints that stage `number` of `method` kept.
    fn kept(&self, method: Method, number: usize, group: &[&'a Target]) -> Result<Vec<Kept>> {
        let kept = |chain: &Chain| {
            chain.done()?.ok_or_else(|| Error::check("internal: a stage before its first").at(chain.dir()))
        };
        self.chains(method, number, group).iter().map(kept).collect()
    }

    fn evaluate(&self, evaluation: &Evaluation<'a>, events: &mut dyn Events) -> Result<()> {
        let group: Vec<&Target> = evaluation.targets.iter().map(|(target, _)| *target).collect();
        let kept = match evaluation.method.stages().len().checked_sub(1) {
            Some(last) => self.kept(evaluation.method, last, &group)?,
            None => Vec::new(),
        };
        let model = self.load(&kept)?;
        let step = kept.first().map(|kept| kept.step);
        let mut ticks = 0;
        evaluation.run(&model, step, &mut |what| {
            events.advance(ticks, what);
            ticks += 1;
            match events.interrupted() {
                true => Err(Error::interrupted("stopped in an evaluation; all stages so far are complete")
                    .at(&self.spec.out)
                    .next("go on with --resume")),
                false => Ok(()),
            }
        })
    }

    /// The model of the kept checkpoints `kept`, a soft prompt below the other where each target has one; as it came if there are
    /// none.
    fn load(&self, kept: &[Kept]) -> Result<T5> {
        let Some((first, others)) = kept.split_first() else { return self.base.model(self.spec) };
        let model = first.load(&self.spec.model)?;
        if others.is_empty() {
            return Ok(model);
        }
        let mut rows = Vec::new();
        for kept in kept {
            let model = kept.load(&self.spec.model)?;
            let prompt = model.prompt().ok_or_else(|| Error::check("internal: no soft prompt").at(&kept.path))?;
            rows.extend_from_slice(&model::read(prompt.value())?);
        }
        model.with_prompt(prompt::of_rows(rows, self.base.config.shape.d_model)?)
    }
}
