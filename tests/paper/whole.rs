//! A small plan to its end: stopped and gone on with, and what it leaves.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fsa::experiment::compare::Jobs;
use fsa::experiment::paper::{self, ITEMS, Outcome, Verdict};
use fsa::experiment::{Events, Existing};
use fsa::{Kind, Result};

use super::support::{ONLY, plan};
use crate::pretrain::support::Patient;
use crate::ratio::support::files;

fn run(out: &Path, seeds: u64, only: &[&str], existing: Existing) -> Result<Outcome> {
    paper::run(&plan(out, seeds, only), existing, &Jobs::alone(), &[], &mut Patient { left: usize::MAX })
}

fn text(out: &Path, name: &str) -> String {
    fs::read_to_string(out.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Somebody who stops the run, or kills it.
struct Killer {
    left: usize,
    kills: bool,
}

impl Events for Killer {
    fn begin(&mut self, _: u64, _: u64) {}

    fn advance(&mut self, _: u64, _: &str) {
        self.left = self.left.saturating_sub(1);
        assert!(self.left > 0 || !self.kills, "killed");
    }

    fn warn(&mut self, _: &str) {}

    fn interrupted(&self) -> bool {
        self.left == 0
    }
}

/// Page, tables and rows.
fn written(out: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut all = files(out);
    all.retain(|name, _| ["README.md", "tables", "data"].iter().any(|begin| name.starts_with(begin)));
    all
}

/// When each run's rows were written.
fn times(out: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let rows = files(out).into_keys().filter(|name| name.ends_with("rows.jsonl"));
    rows.map(|name| (name.clone(), fs::metadata(out.join(name)).unwrap().modified().unwrap())).collect()
}

#[test]
fn a_plan_that_is_stopped_or_killed_and_gone_on_with_ends_as_one_that_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, stopped) = (folder.path().join("whole"), folder.path().join("stopped"));
    let only = ["figure1", "table1"];
    run(&whole, 1, &only, Existing::Refuse).unwrap();
    let mut stops = 0;
    for left in (4..).step_by(12) {
        // Every other time as by a kill: nothing is written any more.
        let mut killer = Killer { left, kills: stops % 2 == 1 };
        let plan = plan(&stopped, 1, &only);
        match catch_unwind(AssertUnwindSafe(|| paper::run(&plan, Existing::Resume, &Jobs::alone(), &[], &mut killer))) {
            Ok(Ok(_)) => break,
            Ok(Err(error)) => {
                assert_eq!(error.kind(), Kind::Interrupted, "{error}");
                assert!(text(&stopped, "README.md").contains("Not made yet: it waits for "));
            }
            Err(_) => (),
        }
        stops += 1;
        assert!(stops < 40, "it does not get on");
    }
    assert!(stops > 2, "{stops}");
    let (one, other) = (written(&whole), written(&stopped));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in one {
        assert!(bytes == other[&name], "{} differs", name.display());
    }
    // What is done is not done again.
    let before = times(&whole);
    run(&whole, 1, &only, Existing::Resume).unwrap();
    assert_eq!(times(&whole), before);
    assert!(run(&whole, 1, &only, Existing::Refuse).unwrap_err().to_string().contains("--resume"));
}

#[test]
fn the_page_says_what_agrees_and_the_rows_are_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("all");
    let outcome = run(&out, 2, &ONLY, Existing::Refuse).unwrap();
    let of = |name: &str| outcome.items.iter().find(|state| state.item == name).unwrap();
    assert_eq!(outcome.items.len(), ITEMS.len());
    for name in ONLY {
        assert!(of(name).missing.is_empty(), "{name}: {:?}", of(name).missing);
    }
    assert_eq!(of("table5").verdict, None);
    // Two steps of anything leave the cosine where it was.
    assert_ne!(of("figure3").verdict, Some(Verdict::Agrees));
    assert_eq!(of("table2").missing, ["multitask"]);
    page_and_rows(&out);
}

fn page_and_rows(out: &Path) {
    let page = text(out, "README.md");
    for item in &ITEMS {
        assert!(page.contains(&format!("## {}\n", item.title)), "{}", item.name);
    }
    // Every link leads somewhere.
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    for link in targets.filter(|link| !link.starts_with('#')) {
        assert!(out.join(link).exists(), "{link}");
    }
    for words in [
        "![Figure 1: other tasks are lost while RTE is learned](label-ratio-seed1/figures/figure1.png)",
        "- accuracy on RTE, last probe less first; here ",
        "(wmt14_enfr/figures/figure5.png)",
        "it needs a decoder-only model",
        "- Norm. Avg., 1-shot, fine-tuned on RTE: ProMoT less Standard; paper 8.2, here ",
        "- [`second-rte`](second-rte): `fsa:",
        "root seeds 0, 1.",
        fsa::spec::MINI_NOTE,
    ] {
        assert!(page.contains(words), "no {words} in\n{page}");
    }
    let columns = |name: &str| text(out, &format!("data/{name}.csv")).lines().next().unwrap().to_string();
    assert_eq!(columns("figure1"), "target,seed,step,task,shots,quantity,n,value,lo,hi");
    assert_eq!(columns("table8"), "model,target,method,shots,measure,seeds,mean,lo,hi,paper");
    assert_eq!(columns("table1"), "target,seed,task,shots,input,prompt,method,output");
    assert_eq!(columns("table5"), "task,split,examples");
    // Every column of every file is described.
    let described = text(out, "data/README.md");
    for file in fs::read_dir(out.join("data")).unwrap().map(|entry| entry.unwrap().path()) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        if file.extension().is_some_and(|extension| extension == "csv") {
            for column in columns(name).split(',') {
                assert!(described.contains(&format!("`{column}`")), "{name}: {column}");
            }
        }
    }
    // Figures show the whole course or its ends, and the target beside other tasks.
    let steps = |name: &str| {
        let text = text(out, &format!("data/{name}.csv"));
        let of = |line: &str| line.split(',').nth(4).unwrap().to_string();
        text.lines().skip(1).map(of).collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(
        (steps("figure3"), steps("figure7")),
        (vec!["0".into(), "2".into()], ["0", "1", "2"].map(String::from).into())
    );
    let points = text(out, "data/figure2.csv");
    for quantity in [",accuracy,", ",label_ratio,", ",label_mass,"] {
        assert!(points.contains(quantity), "{points}");
    }
    let table = text(out, "tables/table8.md");
    for words in ["## Fine-tuned on RTE", "The paper, of its own model and data:", "± "] {
        assert!(table.contains(words), "{table}");
    }
    assert!(text(out, "tables/table1.md").contains("| ground truth | "));
    assert!(text(out, "data/table8.csv").contains("\nsecond,rte,promot,1,norm_avg,2,"));
}
