//! The layering rules, held by reading the source. Each rule is a row of [`RULES`]; the tests below only apply the rows.
//!
//! What is read: code outside whole-line comments, unit tests included. A word matches where an identifier starts (`candle_`
//! matches `candle_core`), a room where a path from the crate's root enters it (`crate::model`, `crate::{model, …}`, or as
//! many `super::` as lead there).

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of `src`, each a folder or a file.
const ROOMS: [&str; 17] = [
    "cli",
    "data",
    "error",
    "experiment",
    "fuzz",
    "grad",
    "guard",
    "hub",
    "machine",
    "measure",
    "model",
    "model_folder",
    "plot",
    "report",
    "spec",
    "tokenizer",
    "train",
];

/// What must not be named somewhere.
enum Forbidden {
    Words(&'static [&'static str]),
    Rooms(&'static [&'static str]),
}

/// Where a rule holds: paths in the repository that begin so.
enum Where {
    In(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

struct Rule {
    why: &'static str,
    place: Where,
    forbidden: Forbidden,
}

use Forbidden::{Rooms, Words};
use Where::{AllBut, In};

const RULES: &[Rule] = &[
    Rule {
        why: "numbers, strings and figures are made without tensors",
        place: In(&["src/measure/", "src/plot/", "src/data/", "src/spec/", "src/report/", "src/hub/"]),
        forbidden: Words(&["candle_"]),
    },
    Rule {
        why: "arguments as typed stay in the binary",
        place: AllBut(&["src/cli/", "src/main.rs"]),
        forbidden: Words(&["clap"]),
    },
    Rule {
        why: "nothing imports the binary's own",
        place: AllBut(&["src/cli/", "src/main.rs"]),
        forbidden: Rooms(&["cli"]),
    },
    Rule { why: "one place turns rows into tables", place: AllBut(&["src/report/"]), forbidden: Words(&["polars"]) },
    Rule {
        why: "what is tried on files from anywhere is used by nothing",
        place: AllBut(&["src/fuzz.rs"]),
        forbidden: Rooms(&["fuzz"]),
    },
    Rule { why: "one place asks servers", place: AllBut(&["src/hub/"]), forbidden: Words(&["ureq"]) },
    Rule { why: "one place draws", place: AllBut(&["src/plot/"]), forbidden: Words(&["plotters"]) },
    Rule {
        why: "the library never prints; data's test helper says which tests were skipped",
        place: AllBut(&["src/cli/", "src/main.rs", "src/data/testing.rs"]),
        forbidden: Words(&["println", "eprintln", "print!", "eprint!", "dbg!"]),
    },
    Rule {
        why: "what is described, read and computed from does not know what uses it",
        place: In(&["src/data/", "src/spec/", "src/measure/"]),
        forbidden: Rooms(&["model", "train", "grad", "experiment"]),
    },
    Rule {
        why: "a model does not know what becomes of its gradients",
        place: In(&["src/model/"]),
        forbidden: Rooms(&["grad", "train", "experiment", "report", "plot"]),
    },
    Rule {
        why: "training and gradients do not know which experiment they serve",
        place: In(&["src/grad/", "src/train/"]),
        forbidden: Rooms(&["experiment", "report", "plot"]),
    },
    Rule {
        why: "rows and figures do not know how their numbers came about",
        place: In(&["src/report/", "src/plot/"]),
        forbidden: Rooms(&["data", "tokenizer", "model", "train", "grad", "measure", "experiment"]),
    },
    Rule {
        why: "where files come from does not depend on what is in them",
        place: In(&["src/hub/"]),
        forbidden: Rooms(&[
            "data",
            "tokenizer",
            "model",
            "model_folder",
            "train",
            "grad",
            "measure",
            "report",
            "plot",
            "experiment",
        ]),
    },
    Rule {
        why: "where a model's files are does not depend on what is in them",
        place: In(&["src/model_folder.rs", "src/model_folder/"]),
        forbidden: Rooms(&["data", "tokenizer", "model", "train", "grad", "measure", "report", "plot", "experiment"]),
    },
    Rule {
        why: "errors, guarded calls, what the machine says and the tokenizer are at the bottom",
        place: In(&["src/error.rs", "src/guard.rs", "src/machine.rs", "src/tokenizer/"]),
        forbidden: Rooms(&["spec", "data", "model", "train", "grad", "measure", "report", "plot", "experiment"]),
    },
];

/// A file has fewer lines than this.
const LINES: usize = 400;

struct Source {
    /// From the repository's root, with `/` on every system.
    path: String,
    text: String,
}

impl Source {
    /// Lines of code with their numbers, from 1.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(i, line)| (i + 1, line)).filter(|(_, line)| !line.trim().starts_with("//"))
    }

    /// How many `super::` lead from this file to the crate's root.
    fn depth(&self) -> usize {
        let module = self.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        if matches!(module, "lib" | "main") { 0 } else { module.split('/').count() }
    }

    /// The names that follow the crate's root in this file's paths, with their lines.
    fn rooted_names(&self) -> Vec<(usize, String)> {
        let code: String =
            self.code().flat_map(|(number, line)| [format!("\u{0}{number}\u{0}"), line.into()]).collect();
        let root = "super::".repeat(self.depth());
        let mut names = Vec::new();
        for start in ["crate::", "fsa::", &root].into_iter().filter(|start| !start.is_empty()) {
            for (place, _) in code.match_indices(start).filter(|(place, _)| starts_identifier(&code, *place)) {
                let line = code[..place].rsplit('\u{0}').nth(1).and_then(|number| number.parse().ok()).unwrap_or(0);
                // An inline module, such as a file's `mod tests`, is one deeper.
                let after = code[place + start.len()..].trim_start_matches("super::");
                names.extend(first_names(after).into_iter().map(|name| (line, name)));
            }
        }
        names
    }
}

/// The first names of what stands after `crate::`: one, or those of a group in braces. Numbers between NULs mark lines.
fn first_names(after: &str) -> Vec<String> {
    let identifier = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = after.strip_prefix('{') else { return vec![identifier(after)] };
    let (mut depth, mut names, mut fresh) = (1, Vec::new(), true);
    let mut marked = false;
    for (place, c) in group.char_indices() {
        match c {
            '\u{0}' => marked = !marked,
            _ if marked || c.is_whitespace() => (),
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' => fresh = depth == 1,
            _ if fresh => {
                names.push(identifier(&group[place..]));
                fresh = false;
            }
            _ => (),
        }
    }
    names
}

fn starts_identifier(text: &str, place: usize) -> bool {
    !text[..place].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
}

/// Every Rust file under `folder` of the repository.
fn sources(folder: &str) -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => walk(&entry, found),
                false if entry.extension().is_some_and(|extension| extension == "rs") => found.push(entry),
                false => (),
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    walk(&root.join(folder), &mut paths);
    paths.sort();
    assert!(!paths.is_empty(), "no Rust files in {folder}");
    let source = |path: PathBuf| Source {
        path: path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"),
        text: fs::read_to_string(&path).unwrap(),
    };
    paths.into_iter().map(source).collect()
}

fn all_sources() -> Vec<Source> {
    ["src", "tests", "benches"].into_iter().flat_map(sources).collect()
}

#[test]
fn every_room_of_the_table_exists_and_every_room_is_in_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for room in ROOMS {
        let place = root.join("src").join(room);
        assert!(place.is_dir() || place.with_extension("rs").is_file(), "`{room}` of ROOMS is not under src");
    }
    for source in sources("src") {
        let room = source.path.trim_start_matches("src/").split('/').next().unwrap().trim_end_matches(".rs");
        assert!(
            ["lib", "main"].contains(&room) || ROOMS.contains(&room),
            "add `{room}` to ROOMS, and the rules it is under"
        );
    }
    for rule in RULES {
        let (In(places) | AllBut(places)) = rule.place;
        for place in places {
            assert!(root.join(place).exists(), "{place}, of the rule `{}`", rule.why);
        }
        if let Rooms(rooms) = rule.forbidden {
            assert!(
                rooms.iter().all(|room| ROOMS.contains(room)),
                "a room of the rule `{}` is not under src",
                rule.why
            );
        }
    }
}

#[test]
fn arrows_run_downward_only() {
    let mut broken = Vec::new();
    for source in sources("src") {
        let begins = |places: &[&str]| places.iter().any(|place| source.path.starts_with(place));
        for rule in RULES {
            let holds_here = match rule.place {
                In(places) => begins(places),
                AllBut(places) => !begins(places),
            };
            let found: Vec<(usize, String)> = match rule.forbidden {
                _ if !holds_here => continue,
                Rooms(rooms) => {
                    source.rooted_names().into_iter().filter(|(_, name)| rooms.contains(&name.as_str())).collect()
                }
                Words(words) => source.code().flat_map(|(number, line)| words_in(line, words, number)).collect(),
            };
            broken.extend(found.iter().map(|(line, name)| format!("{}:{line}: {name} ({})", source.path, rule.why)));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn words_in(line: &str, words: &[&str], number: usize) -> Vec<(usize, String)> {
    let starts = |word: &str| line.match_indices(word).any(|(place, _)| starts_identifier(line, place));
    words.iter().filter(|word| starts(word)).map(|word| (number, word.to_string())).collect()
}

#[test]
fn files_are_short_and_say_what_they_own() {
    for source in all_sources() {
        let lines = source.text.lines().count();
        assert!(lines < LINES, "{} has {lines} lines; split it by noun", source.path);
        // A module's own tests say nothing of their own: they are the module's.
        if !source.path.ends_with("/tests.rs") {
            assert!(source.text.starts_with("//!"), "{} must open with `//!` and what it owns", source.path);
        }
    }
}

#[test]
fn the_reader_of_paths_sees_what_it_should() {
    let source = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
    let names = |path: &str, text: &str| source(path, text).rooted_names();
    let one = |line, name: &str| vec![(line, name.to_string())];
    assert_eq!(names("src/data/read.rs", "\nuse crate::error::Result;"), one(2, "error"));
    assert_eq!(names("src/data/read.rs", "// crate::model\n/// [`crate::model`]"), []);
    assert_eq!(names("src/data/read.rs", "let x: super::super::model::T5;"), one(1, "model"));
    assert_eq!(names("src/data/mod.rs", "use super::model::T5;"), one(1, "model"));
    assert_eq!(names("src/data/read/mod.rs", "use super::task;"), []);
    let group = names("src/cli/mod.rs", "use crate::{\n    model::{T5, load},\n    report,\n};");
    assert_eq!(group, [(1, "model".to_string()), (1, "report".to_string())]);
    assert_eq!(words_in("candle_core::Tensor, my_candle_x", &["candle_", "clap"], 7), one(7, "candle_"));
    assert_eq!(words_in("collapse", &["clap"], 7), []);
}
