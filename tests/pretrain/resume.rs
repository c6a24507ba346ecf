//! Runs that are stopped and gone on with, and folders that hold another run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use fsa::Kind;
use fsa::experiment::{Existing, pretrain};

use super::support::*;
use crate::run::support::files;

/// What must be the same, byte for byte; `spec.toml` and `run.json` name the folder and the time.
fn results(out: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut files = files(out);
    for name in ["spec.toml", "run.json"] {
        assert!(files.remove(Path::new(name)).is_some(), "{name} is missing");
    }
    files
}

fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (results(one), results(other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in one {
        assert!(bytes == other[&name], "{} differs", name.display());
    }
}

#[test]
fn stops_at_any_step_change_nothing_in_the_end() {
    let place = tempfile::tempdir().unwrap();
    let (whole, parts) = (place.path().join("whole"), place.path().join("parts"));
    run(&spec(&whole), Existing::Refuse);
    // In the middle of steps, of probes, and at once.
    for left in [2, 9, 1, 7, 4, 0, 11] {
        let stopped = pretrain::run(&spec(&parts), &Toy, Existing::Resume, &[], &mut Patient { left });
        assert_eq!(stopped.unwrap_err().kind(), Kind::Interrupted);
        assert!(!parts.join("model").exists());
    }
    run(&spec(&parts), Existing::Resume);
    assert_same(&whole, &parts);
    // It is done: nothing changes.
    let again = run(&spec(&parts), Existing::Resume);
    assert_same(&whole, &parts);
    assert!(again.files.iter().all(|file| file.is_file()) && again.files.len() == 12, "{:?}", again.files);
}

#[test]
fn a_kill_after_a_probe_goes_back_to_its_checkpoint() {
    let place = tempfile::tempdir().unwrap();
    let (whole, killed) = (place.path().join("whole"), place.path().join("killed"));
    run(&spec(&whole), Existing::Refuse);
    // Events until the probe of step 10 is over, and two steps more.
    let stop = Patient { left: 2 * 5 + 3 * 4 + 2 };
    let stopped = pretrain::run(&spec(&killed), &Toy, Existing::Refuse, &[], &mut { stop });
    assert_eq!(stopped.unwrap_err().kind(), Kind::Interrupted);
    // What a kill leaves: rows that are later than the checkpoint, and a torn one.
    for name in ["rows.jsonl", "scores.jsonl"] {
        let text = fs::read_to_string(whole.join(name)).unwrap();
        fs::write(killed.join(name), &text[..text.len() - 9]).unwrap();
    }
    run(&spec(&killed), Existing::Resume);
    assert_same(&whole, &killed);
}

#[test]
fn another_spec_or_corpus_is_refused_and_force_clears_the_model() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    run(&spec(&out), Existing::Refuse);
    let other = fsa::spec::Pretrain { steps: 21, ..spec(&out) };
    let error = pretrain::run(&other, &Toy, Existing::Resume, &[], &mut Patient { left: 9 }).unwrap_err().to_string();
    assert!(error.contains("`steps = 20` then, `steps = 21` now"), "{error}");
    let error = pretrain::run(&other, &Toy, Existing::Refuse, &[], &mut Patient { left: 9 }).unwrap_err().to_string();
    assert!(error.contains("the folder is not empty"), "{error}");
    pretrain::run(&other, &Toy, Existing::Overwrite, &[], &mut Patient { left: 2 }).unwrap_err();
    assert!(!out.join("model").exists() && out.join("rows.jsonl").is_file());
}
