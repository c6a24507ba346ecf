//! The paper's table as data: one block for each target and number of shots, its lines, and what is said below. Knows nothing
//! of Markdown or LaTeX.

use crate::report::compare_view::CompareView;
use crate::report::{CompareSummaryRow, names};

/// The columns and lines of one table.
pub struct Block {
    /// What it shows: `Fine-tuned on RTE, evaluated 1-shot`.
    pub title: String,
    /// The columns' names.
    pub methods: Vec<String>,
    /// From top to bottom.
    pub lines: Vec<Line>,
    /// Sentences to stand below.
    pub notes: Vec<String>,
}

/// One line.
pub struct Line {
    /// Its name.
    pub name: String,
    /// Whether a rule stands above it.
    pub rule: bool,
    /// A cell for each method.
    pub cells: Vec<Cell>,
}

/// What one method has of one measure.
#[derive(Default)]
pub struct Cell {
    /// The mean over seeds, as printed; none if missing.
    pub mean: Option<String>,
    /// Half of the interval over seeds.
    pub half: Option<String>,
    /// The difference to the pretrained model, with its sign.
    pub delta: Option<String>,
    /// Whether no other method has more (of label ratios: less), as printed, and some have less.
    pub best: bool,
    /// Whether it was asked with the prompt attached.
    pub attached: bool,
}

/// The numbers of shots that have a block; none of them where only the target itself was asked.
pub fn shots(view: &CompareView, target: &str) -> Vec<Option<u64>> {
    let shots = view.shots(target);
    if shots.is_empty() { vec![None] } else { shots.into_iter().map(Some).collect() }
}

/// The row of a measure. The target's is the same for all shots.
pub fn find<'a>(
    rows: &'a [CompareSummaryRow],
    target: &str,
    method: &str,
    shots: Option<u64>,
    measure: &str,
) -> Option<&'a CompareSummaryRow> {
    let shots = shots.filter(|_| measure != "target");
    let mut of = rows.iter().filter(|row| row.target == target && row.method == method);
    of.find(|row| row.measure == measure && row.shots == shots)
}

/// Every block, target by target.
pub fn blocks(view: &CompareView, summaries: &[CompareSummaryRow]) -> Vec<Block> {
    let targets = view.targets().iter();
    let places = targets.flat_map(|target| shots(view, target).into_iter().map(move |shots| (*target, shots)));
    places.map(|(target, shots)| Making { view, summaries, target, shots }.block()).collect()
}

/// One block in the making.
struct Making<'a> {
    view: &'a CompareView<'a>,
    summaries: &'a [CompareSummaryRow],
    target: &'a str,
    shots: Option<u64>,
}

impl<'a> Making<'a> {
    fn block(&self) -> Block {
        let target = names::task(self.target);
        let methods = self.view.methods(self.target);
        let own = methods.iter().flat_map(|method| self.view.seeds().iter().map(move |seed| (method, *seed)));
        let own = own.filter_map(|(method, seed)| self.view.target(self.target, method, seed)).next();
        let name = own.map_or_else(|| target.to_string(), |row| format!("{target}, {}-shot", row.shots));
        let mut lines = vec![self.line(name, "target", 2, false)];
        for (name, measure, places, rule) in [
            ("Norm. Avg.", "norm_avg", 2, true),
            ("Matched mean", "matched", 2, false),
            ("Mismatched mean", "mismatched", 2, false),
        ] {
            lines.push(self.line(name.into(), measure, places, rule));
        }
        let other = if self.view.attaches() { "detached" } else { "attached" };
        for (index, task) in self.tasks().into_iter().enumerate() {
            let name = names::task(task);
            lines.push(self.line(name.to_string(), task, 2, index == 0));
            lines.push(self.line(format!("{name}, prompt {other}"), &format!("{task}:{other}"), 2, false));
        }
        lines.push(self.line("Label ratio (mismatched)".into(), "label_ratio", 2, true));
        lines.retain(|line| line.cells.iter().any(|cell| cell.mean.is_some()));
        let notes = self.notes(&lines);
        Block {
            title: match self.shots {
                Some(shots) => format!("Fine-tuned on {target}, evaluated {shots}-shot"),
                None => format!("Fine-tuned on {target}"),
            },
            methods: methods.into_iter().map(names::method).collect(),
            lines,
            notes,
        }
    }

    fn tasks(&self) -> Vec<&'a str> {
        self.shots.map_or_else(Vec::new, |shots| self.view.tasks(self.target, shots))
    }

    fn line(&self, name: String, measure: &str, places: usize, rule: bool) -> Line {
        let methods = self.view.methods(self.target);
        let rows: Vec<Option<&CompareSummaryRow>> =
            methods.iter().map(|method| find(self.summaries, self.target, method, self.shots, measure)).collect();
        let pretrained = methods.iter().position(|method| *method == names::PRETRAINED).and_then(|index| rows[index]);
        // As they are printed: two that look the same are equally good.
        let unit = 10f64.powi(places as i32);
        let printed: Vec<Option<f64>> = rows.iter().map(|row| row.map(|row| (row.mean * unit).round())).collect();
        let known = || printed.iter().flatten().copied();
        let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
        let best = if measure == "label_ratio" { low } else { high };
        let cells = methods.iter().zip(rows).zip(&printed).map(|((method, row), printed)| {
            let Some(row) = row else { return Cell::default() };
            let delta = pretrained.filter(|_| measure == "norm_avg" && *method != names::PRETRAINED);
            Cell {
                mean: Some(format!("{:.places$}", row.mean)),
                half: row.hi.zip(row.lo).map(|(hi, lo)| format!("{:.places$}", (hi - lo) / 2.0)),
                delta: delta.map(|pretrained| format!("{:+.places$}", row.mean - pretrained.mean).replace('-', "−")),
                best: low < high && *printed == Some(best),
                attached: self.attached(method, measure),
            }
        });
        Line { name, rule, cells: cells.collect() }
    }

    fn attached(&self, method: &str, measure: &str) -> bool {
        let (task, other) = match measure.rsplit_once(':') {
            Some((task, "attached" | "detached")) => (task, true),
            _ => (measure, false),
        };
        let row = |seed: &u64| match (measure, self.shots, other) {
            ("target", ..) => self.view.target(self.target, method, *seed),
            (_, Some(shots), true) => self.view.other_row(self.target, method, *seed, task, shots),
            (_, Some(shots), false) => self.view.row(self.target, method, *seed, task, shots),
            (_, None, _) => None,
        };
        self.view.seeds().iter().filter_map(row).any(|row| row.prompt_attached == 1)
    }

    fn notes(&self, lines: &[Line]) -> Vec<String> {
        let target = names::task(self.target);
        let any = |has: fn(&Cell) -> bool| lines.iter().flat_map(|line| &line.cells).any(has);
        let tasks = self.tasks();
        let mut notes = Vec::new();
        if any(|cell| cell.best) {
            notes.push("Bold is the best of a line: the highest score, the lowest label ratio.".to_string());
        }
        if any(|cell| cell.delta.is_some()) {
            notes.push("In brackets: the difference to the pretrained model.".to_string());
        }
        if any(|cell| cell.half.is_some()) {
            notes.push(format!(
                "± is half of the 95 % t interval over {} seeds; that the examples are a sample is not in it.",
                self.view.seeds().len()
            ));
        }
        let here = || self.summaries.iter().filter(|row| row.target == self.target);
        if here().any(|row| row.seeds < self.view.seeds().len() as u64) {
            notes.push("Some means are over fewer seeds: summary.csv has how many.".to_string());
        }
        if any(|cell| cell.attached) {
            notes.push("† was asked with what the method attaches (soft prompt, LoRA).".to_string());
        }
        if !tasks.is_empty() {
            let matched: Vec<&str> =
                tasks.iter().copied().filter(|task| self.view.is_matched(self.target, task)).map(names::task).collect();
            notes.push(format!("Norm. Avg. is the plain mean of the {} tasks.", tasks.len()));
            notes.push(match matched.is_empty() {
                true => format!("No task's label words overlap those of {target}."),
                false => format!("Matched tasks, whose label words overlap those of {target}: {}.", matched.join(", ")),
            });
        }
        notes.extend(self.metrics());
        notes
    }

    /// `Scores: accuracy (RTE, CB), exact match (TriviaQA).`
    fn metrics(&self) -> Option<String> {
        let mut metrics: Vec<(&str, Vec<&str>)> = Vec::new();
        let methods = self.view.methods(self.target);
        let pairs = || methods.iter().flat_map(|method| self.view.seeds().iter().map(move |seed| (*method, *seed)));
        let own = pairs().find_map(|(method, seed)| self.view.target(self.target, method, seed));
        let others = self.tasks().into_iter().filter_map(|task| {
            pairs().find_map(|(method, seed)| self.view.row(self.target, method, seed, task, self.shots?))
        });
        for row in own.into_iter().chain(others) {
            let (metric, task) = (names::metric(&row.metric), names::task(&row.task));
            match metrics.iter_mut().find(|(known, _)| *known == metric) {
                Some((_, tasks)) => tasks.push(task),
                None => metrics.push((metric, vec![task])),
            }
        }
        let words: Vec<String> =
            metrics.into_iter().map(|(metric, tasks)| format!("{metric} ({})", tasks.join(", "))).collect();
        (!words.is_empty()).then(|| format!("Scores, of 100: {}.", words.join(", ")))
    }
}
