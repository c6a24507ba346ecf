//! `fsa gradient-align --method`: the last stage of methods, each a run of its own, beside each other.

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::support::*;

const ALIGN: &str = "gradient-align --config run.toml --quiet";
/// Options of a soft prompt's stage, and of LoRA's.
const PROMPT: &str = "--dev dev.tsv --prompt-length 3 --prompt-steps 6 --prompt-probe-every 3";
const LORA: &str = "--lora-rank 2 --lora-steps 4";
const FIVE: &str = "--method standard,promot,joint,lora,promot+1shot";

/// The adapter that a stage of the run in `out` kept.
fn adapter(place: &Place, out: &str, stage: &str) -> String {
    let stage = format!("{out}/earlier/runs/rte-seed0/stages/{stage}");
    let names = std::fs::read_dir(place.path(&stage)).unwrap().map(|entry| entry.unwrap().file_name());
    let kept = names.map(|name| name.into_string().unwrap()).find(|name| name.starts_with("kept-")).unwrap();
    format!("{stage}/{kept}/adapter")
}

/// What must be the same, byte for byte, whatever stopped the run: all but what names folders and times.
fn results(place: &Place, out: &str) -> Vec<(String, Vec<u8>)> {
    let is_result =
        |name: &str| !name.ends_with("spec.toml") && !name.ends_with("run.json") && !name.ends_with("README.md");
    let all =
        files(&place.path(out)).into_iter().filter_map(|(name, bytes)| Some((name.display().to_string(), bytes?)));
    all.filter(|(name, _)| is_result(name)).collect()
}

fn assert_same_results(place: &Place, one: &str, other: &str) {
    let (one, other) = (results(place, one), results(place, other));
    let names = |of: &[(String, Vec<u8>)]| of.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&one), names(&other));
    one.iter().zip(&other).for_each(|(one, other)| assert!(one.1 == other.1, "{} differs", one.0));
}

#[test]
fn every_method_is_a_run_of_its_own_and_kills_change_nothing() {
    let place = place();
    let five = format!("{ALIGN} {FIVE} {PROMPT} {LORA}");
    place.done(&format!("{five} --out whole"));
    let methods = ["standard", "promot", "joint", "lora", "promot+1shot"];
    for (method, stage) in methods.into_iter().zip([1, 2, 1, 1, 2]) {
        let rows = place.rows(&format!("whole/{method}"));
        assert!(rows.iter().all(|row| row["method"] == method && row["stage"] == stage), "{method}");
        assert!(place.path(&format!("whole/{method}/figures/figure7.png")).is_file());
        let names = |of: &str| place.rows(of).iter().map(|row| row["name"].clone()).collect::<Vec<_>>();
        assert_eq!(names(&format!("whole/{method}")), names("whole/standard"), "{method}");
    }
    // One table has the rows of all that the figure shows.
    let table = place.text("whole/methods.csv");
    methods.iter().for_each(|method| assert!(table.contains(&format!("rte,{method},")), "{method}"));

    let resume = format!("{five} --out out --resume");
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let (mut kills, mut tries) = (0, 0);
    while kills < 16 {
        let mut child = place.command(&resume).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        // Until a file is there that was not, in whatever stage.
        let traces = || files_of(&place);
        let (before, begun) = (traces(), Instant::now());
        while child.try_wait().unwrap().is_none() && traces().iter().all(|name| before.contains(name)) {
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing happened for a minute");
            sleep(Duration::from_micros(100));
        }
        sleep(Duration::from_micros(random.random_range(0..60_000)));
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        match output.status.code() {
            None => kills += 1,
            Some(0) => {
                assert_same_results(&place, "whole", "out");
                std::fs::remove_dir_all(place.path("out")).unwrap();
            }
            Some(_) => panic!("{}", stderr(&output)),
        }
        tries += 1;
        assert!(tries < 100, "only {kills} kills found the run at work");
    }
    let output = place.fsa(&resume);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_same_results(&place, "whole", "out");
    let said = stderr(&place.fsa(&resume));
    assert!(said.contains("done already"), "{said}");
    assert_same_results(&place, "whole", "out");
    let said = place.refusal(&format!("{five} --lr 0.5 --out out --resume"));
    assert!(said.contains("the run in it had another spec"), "{said}");
    // Other methods in its place leave nothing of it.
    place.done(&format!("{ALIGN} --method standard,joint --prompt-length 3 --out out --force"));
    assert!(!place.path("out/earlier").exists() && !place.path("out/promot").exists());
}

/// Names below the folder `out`; what is being renamed is gone when it is looked at.
fn files_of(place: &Place) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![place.path("out")]);
    while let Some(inside) = folders.pop() {
        for path in std::fs::read_dir(inside).into_iter().flatten().flatten().map(|entry| entry.path()) {
            found.push(path.display().to_string());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

#[test]
fn standard_beside_others_is_what_it_is_alone() {
    let place = place();
    place.done(&format!("{ALIGN} --out plain"));
    place.done(&format!("{ALIGN} --method standard --out named"));
    place.done(&format!("{ALIGN} --method standard,random-prompt --prompt-length 3 --out beside"));
    for other in ["named", "beside/standard"] {
        assert_same_results(&place, "plain", other);
        let spec = |out: &str| place.text(&format!("{out}/spec.toml")).replace(out, "OUT");
        assert_eq!(spec("plain"), spec(other));
        let signature = |out: &str| -> Value {
            serde_json::from_slice::<Value>(&place.read(&format!("{out}/run.json"))).unwrap()["signature"].clone()
        };
        assert_eq!(signature("plain"), signature(other));
    }
    // Of one method with one stage, nothing lies in a sub-folder.
    place.done(&format!("{ALIGN} --method random-prompt --prompt-length 3 --out alone"));
    assert_same_results(&place, "alone", "beside/random-prompt");
    // Alone in the place of several, it leaves nothing of them.
    place.done(&format!("{ALIGN} --out beside --force"));
    assert_same_results(&place, "plain", "beside");
    assert!(!place.path("beside/standard").exists() && !place.path("beside/random-prompt").exists());
}

#[test]
fn a_second_stage_is_that_behind_the_adapter_of_the_first() {
    let place = place();
    let options = format!("{PROMPT} --lora-rank 2 --lora-steps 4 --lora-probe-every 2");
    place.done(&format!("{ALIGN} --method promot,promot-lora,promot+1shot {options} --out out"));
    for (method, stage) in [("promot", "prompt"), ("promot-lora", "lora")] {
        let adapter = adapter(&place, "out", stage);
        place.done(&format!("{ALIGN} --adapter {adapter} --out attached-{method}"));
        assert_same_results(&place, &format!("attached-{method}"), &format!("out/{method}"));
        // Named as well, it is the same; as another method's it is refused.
        place.done(&format!("{ALIGN} --method {method} --adapter {adapter} --out named-{method}"));
        assert_same_results(&place, &format!("attached-{method}"), &format!("named-{method}"));
    }
    let (prompt, lora) = (adapter(&place, "out", "prompt+1shot"), adapter(&place, "out", "lora"));
    place.done(&format!("{ALIGN} --method promot+1shot --adapter {prompt} --out shot"));
    assert_same_results(&place, "shot", "out/promot+1shot");
    place.done(&format!("{ALIGN} --adapter {prompt} --out no-shot"));
    assert!(place.read("shot/gradient_align.csv") != place.read("no-shot/gradient_align.csv"));
    let said = place.refusal(&format!("{ALIGN} --method promot --adapter {lora} --out refused"));
    assert!(said.contains("--adapter: it is not what the first stage of `promot` trains"), "{said}");
    // The first stage is the one that a comparison trains with the same options.
    let compare = "--methods prompt-tuning --steps 4 --lr 0.001 --prompt-steps 6 --prompt-probe-every 3 --out compared";
    place.done(&format!("{RUN} {compare} --beams 4 --max-new-tokens 64 --limit all"));
    let kept = adapter(&place, "out", "prompt").replacen("out/earlier", "compared", 1);
    let weights = |adapter: &str| place.read(&format!("{adapter}/adapter_model.safetensors"));
    assert!(weights(&kept) == weights(&adapter(&place, "out", "prompt")));
}

#[test]
fn the_figure_is_drawn_again_from_the_rows_alone() {
    let place = place();
    let promot = format!("{ALIGN} --method promot {PROMPT} --out out");
    let printed = place.done(&format!("{promot} --json"));
    let said: Value = serde_json::from_str(&printed).unwrap();
    let listed: Vec<&str> = said["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    assert!(
        listed.contains(&"out/figures/methods.svg") && listed.contains(&"out/promot/figures/norms.png"),
        "{listed:?}"
    );
    assert_eq!(said["summary"][0]["method"], "promot");
    let folders = ["out/figures", "out/promot/figures"];
    let before = folders.map(|folder| files(&place.path(folder)));
    assert_eq!(before.each_ref().map(|files| files.len()), [2, 8]);
    folders.iter().for_each(|folder| std::fs::remove_dir_all(place.path(folder)).unwrap());
    std::fs::remove_dir_all(place.path("model")).unwrap();
    std::fs::rename(place.path("out"), place.path("moved")).unwrap();
    let printed = place.done("plot moved");
    assert_eq!(printed.lines().count(), 10, "{printed}");
    assert!(before == ["moved/figures", "moved/promot/figures"].map(|folder| files(&place.path(folder))));
    place.done("plot moved/promot");
}

#[test]
fn a_plan_names_stages_and_their_time_and_a_spec_is_a_config() {
    let place = place();
    let before = files(&place.path("."));
    let five = format!("{ALIGN} {FIVE} {PROMPT} {LORA} --out never --dry-run");
    let plan: Value = serde_json::from_str(&place.done(&format!("{five} --json"))).unwrap();
    let stages = |method: usize| {
        let of = plan["methods"][method]["stages"].as_array().unwrap();
        of.iter().map(|stage| format!("{} {}", stage["stage"], stage["steps"]).replace('"', "")).collect::<Vec<_>>()
    };
    assert_eq!(
        (stages(0), stages(1), stages(3)),
        (vec!["model 4".into()], vec!["prompt 6".into(), "model 4".into()], vec!["lora 4".into()])
    );
    assert_eq!(plan["steps"], 4 + 10 + 4 + 4 + 10);
    let parts = plan["time"]["parts"].as_array().unwrap();
    let what: Vec<&str> = parts.iter().map(|part| part["what"].as_str().unwrap()).collect();
    assert_eq!(what.len(), 2 + 10, "{what:?}");
    assert!(what[0].contains("promot, stage 1 (prompt)") && what.contains(&"joint, probes"), "{what:?}");
    let said = place.done(&five);
    assert!(said.contains("prompt 6 steps, 48 examples; then model 4 steps") && said.contains("\nmemory "), "{said}");
    assert!(before == files(&place.path(".")), "a dry run wrote something");
    place.done(&format!("{ALIGN} --method promot {PROMPT} --out out"));
    place.done("gradient-align --config out/spec.toml --out again --quiet");
    assert_same_results(&place, "out", "again");
    place.done("gradient-align --config out/promot/spec.toml --out last --quiet");
    assert_same_results(&place, "out/promot", "last");
}

#[test]
fn mistakes_are_named() {
    let place = place();
    let of_rest = "leave it out, or add promot to --method";
    for (arguments, wanted) in [
        ("--method pretrained", "--method: `pretrained` trains nothing, so there is nothing to follow; leave it out"),
        ("--method multitask", "--method: `multitask` trains on several targets together, and here there is one task"),
        ("--method promt", "--method: there is no method `promt`; did you mean `promot`?"),
        (
            "--method promot",
            "--dev: missing: the validation split, by which the checkpoint of the first stage of `promot`",
        ),
        ("--method lora --dev none.tsv --probe-split validation", "none.tsv: --dev: cannot read it"),
        ("--prompt-length 3", &format!("--prompt-length: standard fine-tuning does not use it; {of_rest}")),
        ("--method lora,standard --prompt-lr 3", &format!("--prompt-lr: none of lora, standard uses it; {of_rest}")),
        ("--method joint --lora-rank 3", "--lora-rank: `joint` does not use it; leave it out, or add promot-lora"),
        ("--method promot,joint --adapter a", "--adapter: cannot be used with several methods"),
        ("--method joint --adapter a", "--adapter: cannot be used with `joint`, which has no stage before its last"),
        ("--method standard --adapter a", "--adapter: cannot be used with --method standard"),
        ("--method joint --trainable *norm*", "--trainable: cannot be used with other methods than standard"),
        ("--method joint --prompt-length 0", "--prompt-length: must be at least 1, not 0"),
        ("--method lora --lora-targets x", "--lora-targets: the model has no linear map called `x`"),
        ("--method lora,joint --lora-targets x", "--lora-targets: the model has no linear map called `x`"),
    ] {
        let said = place.refusal(&format!("{ALIGN} {arguments} --out refused"));
        assert!(said.starts_with(wanted), "{arguments}: {said}");
    }
    // Nothing is chosen, so nothing is asked for.
    place.done(&format!("{ALIGN} --method joint,random-prompt,lora,prompt-tuning+1shot --out out --steps 2 --lora-steps 2 --prompt-steps 2 --prompt-length 2"));
}
