//! Every task's score, method by method, with the paper's beside it where that is asked for.

use super::Comparison;
use super::bars::{self, Bar, Block, Chart};
use crate::error::Result;
use crate::plot::Figure;
use crate::plot::series::finite;
use crate::plot::two_axes::Axis;
use crate::report::names;
use crate::report::paper::Paper;

/// Draws it, with the `paper`'s numbers marked or without.
pub fn draw(of: &Comparison, paper: bool) -> Result<Figure> {
    let paper = if paper { Some(Paper::read()?) } else { None };
    let several = of.view.seeds().len() > 1;
    let blocks: Vec<Block> = of.view.targets().iter().map(|target| block(of, paper.as_ref(), target)).collect();
    let signature = of.view.signature();
    let whiskers = if several { "95 % interval over seeds" } else { "95 % interval over examples" };
    let mut caption = format!(
        "Scores of the fine-tuned task and of others, of 100, by method; whiskers are the {whiskers}. No bar: no value."
    );
    if paper.is_some() {
        caption.push_str(" Diamonds are the paper's numbers, of mT5-XXL on its own data.");
    }
    bars::draw(&Chart {
        name: "tasks",
        title: "Scores task by task".into(),
        caption: format!("{caption} {signature}."),
        signature,
        series: of.fills().into_iter().map(|(_, name, fill)| (name, fill)).collect(),
        blocks,
        interval: whiskers,
        mark: "paper (mT5-XXL)",
    })
}

fn block(of: &Comparison, paper: Option<&Paper>, target: &str) -> Block {
    let methods = of.methods();
    let mut shots: Vec<Option<u64>> = of.view.shots(target).into_iter().map(Some).collect();
    if shots.is_empty() {
        shots.push(None);
    }
    let mut tasks: Vec<&str> = Vec::new();
    for task in shots.iter().flat_map(|shots| shots.map_or_else(Vec::new, |shots| of.view.tasks(target, shots))) {
        if !tasks.contains(&task) {
            tasks.push(task);
        }
    }
    tasks.sort_by_key(|task| names::task_place(task));
    let bars: Vec<Vec<Vec<Bar>>> = shots
        .iter()
        .map(|shots| {
            let bar = |task, method: &&str| bar(of, paper, target, method, *shots, task);
            let group = |task| methods.iter().map(|method| bar(task, method)).collect::<Vec<Bar>>();
            std::iter::once(group(None)).chain(tasks.iter().map(|task| group(Some(*task)))).collect()
        })
        .collect();
    let reach =
        bars.iter().flatten().flatten().flat_map(|bar: &Bar| [bar.value, bar.interval.map(|ends| ends.1), bar.mark]);
    let axis = Axis::scores("score, of 100".into(), reach.flatten());
    let column = |shots: &Option<u64>| shots.map_or_else(String::new, |shots| format!("other tasks {shots}-shot"));
    Block {
        title: format!("Fine-tuned on {}", names::task(target)),
        columns: shots.iter().map(column).collect(),
        groups: std::iter::once(format!("{} (target)", names::task(target)))
            .chain(tasks.iter().map(|task| names::task(task).to_string()))
            .collect(),
        axis,
        bars,
    }
}

/// The bar of a task, or of the target itself.
fn bar(
    of: &Comparison,
    paper: Option<&Paper>,
    target: &str,
    method: &str,
    shots: Option<u64>,
    task: Option<&str>,
) -> Bar {
    let row = match task {
        Some(task) => of.summary(target, method, shots, task),
        None => of.summary(target, method, None, "target"),
    };
    let Some(row) = row else { return Bar::default() };
    let over_examples = || {
        let seed = *of.view.seeds().first()?;
        let row = match task {
            Some(task) => of.view.row(target, method, seed, task, shots?),
            None => of.view.target(target, method, seed),
        }?;
        finite(row.score_lo).zip(finite(row.score_hi))
    };
    let over_seeds = finite(row.lo).zip(finite(row.hi));
    Bar {
        value: finite(Some(row.mean)),
        interval: if of.view.seeds().len() > 1 { over_seeds } else { over_examples() },
        mark: paper.and_then(|paper| match task {
            Some(task) => paper.score(target, method, task, shots?),
            None => paper.score(target, method, target, 0),
        }),
    }
}
