//! What the command says of itself: help, version, manual, completions.

use fsa::spec::Preset;
use fsa::spec::preset::Pace;

use super::{fsa, stderr, stdout};

const SUBCOMMANDS: [&str; 18] = [
    "compare",
    "gradient-align",
    "label-ratio",
    "paper",
    "pretrain",
    "plot",
    "generate",
    "dump",
    "inspect",
    "tokenize",
    "score",
    "tasks",
    "mini",
    "bench",
    "fetch",
    "cache",
    "completions",
    "man",
];

/// What `fsa ARGUMENTS` prints on stdout; it must succeed in silence.
fn said(arguments: &str) -> String {
    let output = fsa(arguments);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{arguments}");
    stdout(&output)
}

#[test]
fn version_is_the_packages() {
    assert_eq!(said("--version"), format!("fsa {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn help_names_every_subcommand_and_each_has_an_example() {
    let help = said("--help");
    for name in SUBCOMMANDS {
        assert!(help.lines().any(|line| line.trim_start().starts_with(name)), "{name} is not in\n{help}");
        assert!(said(&format!("{name} --help")).contains(&format!("\n  fsa {name}")), "{name} has no example");
    }
}

/// `fsa ARGUMENTS --help` on one line (where clap wraps is not the point), which must have `headings` in this order and
/// state these defaults.
fn help(arguments: &str, headings: &[&str], defaults: &[&str]) {
    let wrapped = said(&format!("{arguments} --help"));
    let help = wrapped.split_whitespace().collect::<Vec<_>>().join(" ");
    let place = |text: &str| help.find(text).unwrap_or_else(|| panic!("no {text} in\n{help}"));
    let places: Vec<usize> = headings.iter().map(|heading| place(&format!("{heading}: --"))).collect();
    assert!(places.is_sorted(), "{headings:?} at {places:?}");
    defaults.iter().for_each(|default| assert!(place(&format!("[default: {default}]")) > 0));
}

#[test]
fn help_is_grouped_and_states_defaults() {
    let (align, ratio) = (Preset::ALL.map(|of| of.defaults().align), Preset::ALL.map(|of| of.defaults().ratio));
    let pace = |[mini, paper]: [Pace; 2]| {
        let said = |mini: u64, paper: u64| match mini == paper {
            true => mini.to_string(),
            false => format!("{mini} in mini, {paper} in paper"),
        };
        [said(mini.steps, paper.steps), said(mini.probe_every, paper.probe_every)]
    };
    let [steps, every] = pace(align);
    let paced = [steps.as_str(), every.as_str()];
    let training = ["rte", "adafactor-t5x", "mini for the model mini, else paper", "*"];
    help(
        "gradient-align",
        &["Input", "Fine-tuning", "Probing", "Output"],
        &[&training[..], &paced, &["dataset,batch,flip,expected", "off", "reports/gradient-align-<task>-seed<seed>"]]
            .concat(),
    );
    let [steps, every] = pace(ratio);
    let paced = [steps.as_str(), every.as_str()];
    let decoding = ["1 in mini, 4 in paper", "t5x", "0.6 for t5x, 1 for hf"];
    help(
        "label-ratio",
        &["Input", "Fine-tuning", "Probing", "Evaluation", "Decoding", "Output"],
        &[
            &training[..],
            &paced,
            &decoding,
            &["on", "0.5", "13a in mini, intl in paper", "reports/label-ratio-<task>-seed<seed>"],
        ]
        .concat(),
    );
    help(
        "pretrain",
        &["Input", "Model", "Training", "Probing", "Output"],
        &["mini", "128", "8000", "1000", "48", "adamw", "0.001", "cosine", "0.02", "0.98", "200", "the corpus' own"],
    );
    help(
        "compare",
        &["Input", "Fine-tuning", "Soft prompts", "LoRA", "Evaluation", "Decoding", "Output"],
        &[
            "400 in mini, 1000 in paper",
            "600 in mini, 5000 in paper",
            "20 in mini, 100 in paper",
            "0.2",
            "sampled-vocab",
            "q,v",
            "test in mini, validation in paper",
            "1 in mini, 1,4 in paper",
            "reports/compare-<target>-seed<seed>",
        ],
    );
    help("generate", &["Input", "Decoding", "Output"], &[&decoding[..], &["16"]].concat());
}

#[test]
fn the_manual_has_a_page_for_every_subcommand() {
    let manual = said("man");
    for name in SUBCOMMANDS {
        // A hyphen is escaped in roff.
        let page = format!(".SH NAME\nfsa\\-{}", name.replace('-', "\\-"));
        assert!(manual.contains(&page), "no {page:?}");
    }
    for page in ["fsa\\-mini\\-export\\-model", "fsa\\-tasks\\-validate"] {
        assert!(manual.contains(&format!(".SH NAME\n{page}")), "no {page}");
    }
    for flag in ["probe\\-every", "prompt\\-sentinel", "keep\\-special"] {
        assert!(manual.contains(&format!("\\-\\-{flag}")), "no {flag}");
    }
}

#[test]
fn completions_know_the_flags() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = said(&format!("completions {shell}"));
        for word in ["gradient-align", "probe-every", "label-ratio", "bleu-tokenizer", "generate", "keep-special"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}
