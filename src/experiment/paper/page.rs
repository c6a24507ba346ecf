//! The page of a run: figure by figure and table by table what the paper shows, what the run shows, and whether they agree.

use std::path::PathBuf;

use serde::Serialize;

use super::Plan;
use super::item::{Item, Show};
use super::items::ITEMS;
use super::quantity::{Bound, Claim, Found, Verdict};
use super::results::Results;
use super::shown::{Shown, show};
use crate::error::Result;
use crate::model_folder;
use crate::report::RunFolder;
use crate::report::files::{DATA, README, TABLES};
use crate::report::paper::Paper as Printed;
use crate::report::summary::listing;
use crate::spec::MINI;

const TEMPLATE: &str = include_str!("page.md");
/// What is in `data/`.
const DATA_README: &str = include_str!("data.md");

/// How far an item has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct State {
    /// Its name.
    pub item: &'static str,
    /// Whether the paper and the run agree; none where nothing is claimed, or where it is not made yet.
    pub verdict: Option<Verdict>,
    /// Claims that agree, and all of them.
    pub claims: (usize, usize),
    /// Runs that it waits for.
    pub missing: Vec<String>,
}

/// Writes the page, tables and rows of what is done into `folder`; the states of all items, and the files.
pub fn write(plan: &Plan, folder: &RunFolder) -> Result<(Vec<State>, Vec<PathBuf>)> {
    let results = Results::read(plan)?;
    let printed = Printed::read()?;
    let (mut states, mut files, mut sections) = (Vec::new(), Vec::new(), String::new());
    for item in &ITEMS {
        let missing: Vec<String> = results.missing(item.needs).into_iter().map(String::from).collect();
        let judged: Vec<Judged> = match missing.is_empty() {
            true => item.claims.iter().map(|claim| Judged::new(claim, item, &results, &printed)).collect(),
            false => Vec::new(),
        };
        let shown = if missing.is_empty() { show(item, plan, &results)? } else { Shown::default() };
        for (name, bytes) in [
            (format!("{DATA}/{}.csv", item.name), shown.csv.as_deref()),
            (format!("{TABLES}/{}.md", item.name), shown.table.as_deref().map(str::as_bytes)),
        ] {
            if let Some(bytes) = bytes {
                files.push(folder.write_atomic(&name, bytes)?);
            }
        }
        let verdicts: Vec<Verdict> = judged.iter().map(|judged| judged.verdict).collect();
        let agree = verdicts.iter().filter(|verdict| **verdict == Verdict::Agrees).count();
        let state =
            State { item: item.name, verdict: Verdict::of_all(&verdicts), claims: (agree, item.claims.len()), missing };
        sections.push_str(&section(item, &state, &judged, &shown, folder, results.seeds.len()));
        states.push(state);
    }
    files.push(folder.write_atomic(&format!("{DATA}/{README}"), DATA_README.as_bytes())?);
    let seeds: Vec<String> = results.seeds.iter().map(u64::to_string).collect();
    let runs: String =
        results.signatures.iter().map(|(name, signature)| format!("- [`{name}`]({name}): `{signature}`\n")).collect();
    let page = TEMPLATE
        .replace("{count}", &seeds.len().to_string())
        .replace("{seeds}", &seeds.join(", "))
        .replace("{note}", model_folder::note(MINI.as_ref()).unwrap_or_default())
        .replace("{summary}", &table(&states))
        .replace("{items}", &sections)
        .replace("{runs}", if runs.is_empty() { "None is done yet.\n" } else { &runs });
    files.push(folder.write_atomic(README, page.as_bytes())?);
    Ok((states, files))
}

/// A claim with what the run says of it.
struct Judged<'a> {
    claim: &'a Claim,
    found: Found,
    paper: Option<f64>,
    verdict: Verdict,
}

impl<'a> Judged<'a> {
    fn new(claim: &'a Claim, item: &Item, results: &Results, printed: &Printed) -> Self {
        let found = claim.quantity.find(results);
        let paper = item.printed().and_then(|table| claim.quantity.printed(printed, table));
        Self { claim, paper, verdict: claim.judge(&found), found }
    }

    /// `- Norm. Avg., 1-shot, fine-tuned on RTE: ProMoT less Standard; paper 4.7, here 3.1 [1.2, 5.0], must be above 0: **agrees**`
    fn line(&self, seeds: usize) -> String {
        let places = self.claim.quantity.places();
        let number = |value: f64| {
            let text = format!("{value:.places$}");
            // No negative zero.
            let text = if text.trim_start_matches(['-', '0', '.']).is_empty() { text.replace('-', "") } else { text };
            text.replace('-', "−")
        };
        let here = match (self.found.mean, self.found.interval) {
            (Some(mean), Some((low, high))) => format!("{} [{}, {}]", number(mean), number(low), number(high)),
            (Some(mean), None) => number(mean),
            (None, _) => "no value".to_string(),
        };
        let some = match self.found.values.len() {
            0 => String::new(),
            all if all == seeds => String::new(),
            some => format!(" (of {some} of {seeds} seeds)"),
        };
        let (side, at) = match self.claim.bound {
            Bound::Above(at) => ("above", at),
            Bound::Below(at) => ("below", at),
        };
        let paper = self.paper.map_or_else(String::new, |value| format!("paper {}, ", number(value)));
        format!(
            "- {}; {paper}here {here}{some}, must be {side} {}: **{}**\n",
            self.claim.quantity.words(),
            at.to_string().replace('-', "−"),
            self.verdict.words()
        )
    }
}

fn section(item: &Item, state: &State, judged: &[Judged], shown: &Shown, folder: &RunFolder, seeds: usize) -> String {
    let mut text = format!("## {}\n\n**Paper.** {}\n\n", item.title, item.paper);
    let here = [item.here.to_string(), outcome(item, state)];
    let here: Vec<String> = here.into_iter().filter(|sentence| !sentence.is_empty()).collect();
    text.push_str(&format!("**Here.** {}\n\n", here.join(" ")));
    judged.iter().for_each(|judged| text.push_str(&judged.line(seeds)));
    if !judged.is_empty() {
        text.push('\n');
    }
    for figure in shown.figures.iter().filter(|figure| folder.file(figure).is_file()) {
        text.push_str(&format!("![{}]({figure})\n\n", item.title));
    }
    // What was made with answers that are gone by now stays.
    let places = [("table", format!("{TABLES}/{}.md", item.name)), ("rows", format!("{DATA}/{}.csv", item.name))];
    let there = places.iter().filter(|(_, path)| state.missing.is_empty() && folder.file(path).is_file());
    let links: Vec<String> = there.map(|(what, path)| format!("[{what}]({path})")).collect();
    if !links.is_empty() {
        text.push_str(&format!("{}\n\n", links.join(", ")));
    }
    text
}

/// What has come of an item, as a sentence.
fn outcome(item: &Item, state: &State) -> String {
    let (agree, all) = state.claims;
    match (state.verdict, state.missing.is_empty(), all) {
        (_, false, _) => format!("Not made yet: it waits for {}.", state.missing.join(", ")),
        (Some(verdict), ..) => format!("**{}**: {agree} of {all} claims agree.", capital(verdict.words())),
        (None, true, _) if matches!(item.show, Show::Nothing) => String::new(),
        (None, true, _) => "Nothing to agree on.".to_string(),
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A line an item: its name, and what has come of it.
pub fn table(states: &[State]) -> String {
    let line = |state: &State| {
        let item = ITEMS.iter().find(|item| item.name == state.item);
        let title = item.map_or(state.item, |item| item.title);
        let (agree, all) = state.claims;
        let (verdict, claims) = match (state.verdict, state.missing.is_empty()) {
            (_, false) => ("not made yet".to_string(), "-".to_string()),
            (Some(verdict), _) => (verdict.words().to_string(), format!("{agree} of {all}")),
            (None, _) if item.is_some_and(|item| matches!(item.show, Show::Nothing)) => {
                ("cannot be made".to_string(), "-".to_string())
            }
            (None, _) => ("nothing is claimed".to_string(), "-".to_string()),
        };
        vec![title.to_string(), verdict, claims]
    };
    listing(&["item", "paper and run", "claims that agree"], &states.iter().map(line).collect::<Vec<_>>())
}
