//! Places that results cannot be written to, before a run and in its middle.

use std::fs;

use super::support::*;

#[test]
fn a_folder_with_anything_in_it_stays_as_it_is() {
    let place = Place::new();
    fs::create_dir(place.path("mine")).unwrap();
    place.write("mine/notes.txt", "mine");
    let full = "the folder is not empty; choose another, give --force to write into it, or --resume to go on with the run in it";
    assert_eq!(place.refusal("gradient-align --config run.toml --out mine"), format!("mine: --out: {full}"));
    place.done("gradient-align --config run.toml --out mine --force --quiet");
    assert_eq!(place.text("mine/notes.txt"), "mine");
    assert_eq!(place.refusal("gradient-align --config run.toml --out mine"), format!("mine: --out: {full}"));
}

#[test]
fn places_that_cannot_be_written_to_are_refused_before_any_work() {
    let place = Place::new();
    assert_eq!(
        place.refusal("gradient-align --config run.toml --out train.tsv"),
        "train.tsv: --out: is a file, so no run folder can be made there; choose another place"
    );
    // With weights that take a look to be refused: the place is looked at first.
    place.write("model/model.safetensors", "");
    assert_eq!(
        place.refusal("gradient-align --config run.toml --out train.tsv/below/it"),
        "train.tsv/below/it: --out: cannot create it: Not a directory (os error 20); check the path and the disk"
    );
    #[cfg(target_os = "linux")]
    for (out, expected) in [
        ("/proc/fsa", "/proc/fsa: --out: cannot create it: "),
        ("/proc/self --force", "/proc/self: --out: cannot write into it: "),
    ] {
        let said = place.refusal(&format!("gradient-align --config run.toml --out {out}"));
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn a_run_that_cannot_start_leaves_no_new_folder() {
    let place = Place::new();
    // `refusal` sees every new folder, those above the run's included.
    place.refusal("gradient-align --config run.toml --out new --model none");
    place.refusal("gradient-align --config run.toml --out some/new/folder --model none");
    place.refusal("gradient-align --config run.toml --out some/new/folder --train none.tsv --resume");
    place.refusal("gradient-align --config run.toml --model none");
    fs::create_dir_all(place.path("old/empty")).unwrap();
    place.refusal("gradient-align --config run.toml --out old/empty --model none");
    place.refusal("gradient-align --config run.toml --out old/new --model none");
}

/// Runs `fsa gradient-align` by way of `sh -c SCRIPT`, where the script gets the program as `$0`.
#[cfg(target_os = "linux")]
fn shell(place: &Place, script: &str) -> (std::process::ExitStatus, String) {
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_fsa")]).current_dir(place.path("."));
    let output = command.output().unwrap();
    (output.status, stderr(&output))
}

/// The rows in `out` are whole probes at the beginning of those in `whole`, and the table, if there is one, is of them.
#[cfg(target_os = "linux")]
fn assert_beginning(place: &Place, out: &str, whole: &str) {
    let kept = place.text(&format!("{out}/rows.jsonl"));
    let all = place.text(&format!("{whole}/rows.jsonl"));
    assert!(all.starts_with(&kept) && kept.len() < all.len(), "{} of {} bytes", kept.len(), all.len());
    let first = rows(&all).iter().filter(|row| row["step"] == 0).count();
    assert_eq!(rows(&kept).len() % first, 0, "a probe is incomplete");
    if place.path(out).join("gradient_align.csv").exists() {
        let table = place.text(&format!("{out}/gradient_align.csv"));
        assert!(place.text(&format!("{whole}/gradient_align.csv")).starts_with(&table) && table.ends_with('\n'));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_keeps_the_rows_so_far_and_resume_goes_on() {
    let place = Place::new();
    let run = "gradient-align --config run.toml --steps 8 --probe-every 1 --quiet";
    place.done(&format!("{run} --out whole"));
    let probe = place.read("whole/rows.jsonl").len() / 9;
    // Room for some probes of rows, and for a checkpoint; in a mount of its own, which goes with the process.
    let mut tried = 0;
    for size in [probe / 2, 3 * probe / 2, 6 * probe, 8 * probe] {
        let script = format!(
            "mkdir -p small && mount -t tmpfs -o size={size} tmpfs small || exit 77; \"$0\" {run} --out small/out; code=$?; \
             rm -rf kept; cp -r small/out kept; exit $code"
        );
        let script = format!("exec unshare --mount --map-root-user sh -c '{script}' \"$0\"");
        let (status, said) = shell(&place, &script);
        if !said.contains("fsa: ") {
            println!("skipped: no file system of a limited size can be mounted here: {said}");
            return;
        }
        tried += 1;
        assert_eq!(status.code(), Some(2), "{size}: {said}");
        let said = complaint(&said);
        assert!(said.starts_with("small/out"), "{said}");
        assert!(said.contains("No space left on device (os error 28); "), "{said}");
        assert!(said.contains("free some space, then go on with --resume"), "{said}");
        if place.path("kept/rows.jsonl").exists() {
            assert_beginning(&place, "kept", "whole");
        }
        place.done(&format!("{run} --out kept --resume"));
        for name in ["rows.jsonl", "gradient_align.csv", "figures/figure7.svg"] {
            assert!(place.read(&format!("kept/{name}")) == place.read(&format!("whole/{name}")), "{size}: {name}");
        }
    }
    assert_eq!(tried, 4);
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_on_file_sizes_keeps_the_rows_so_far() {
    let place = Place::new();
    let run = "gradient-align --config run.toml --steps 8 --probe-every 1 --quiet";
    place.done(&format!("{run} --out whole"));
    // `ulimit -f` counts blocks of 512 bytes. A process that does not ignore the signal would be killed by it.
    let blocks = place.read("whole/rows.jsonl").len() / 2 / 512;
    let (status, said) = shell(&place, &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {run} --out out"));
    assert_eq!(status.code(), Some(2), "{said}");
    let said = complaint(&said);
    assert!(said.starts_with("out/rows.jsonl: cannot write it: File too large (os error 27); "), "{said}");
    assert!(said.ends_with("the rows so far are complete: check the disk, then go on with --resume"), "{said}");
    assert_beginning(&place, "out", "whole");
    place.done(&format!("{run} --out out --resume"));
    assert!(place.read("out/rows.jsonl") == place.read("whole/rows.jsonl"));
}
