//! What the command says of itself: help, version, manual, completions.

use super::{fsa, stderr, stdout};

const SUBCOMMANDS: [&str; 11] = [
    "gradient-align",
    "label-ratio",
    "pretrain",
    "plot",
    "generate",
    "dump",
    "score",
    "tasks",
    "mini",
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
    let training = ["400", "50", "rte", "64", "adafactor-t5x", "0.001; 0.0001 for adamw"];
    help(
        "gradient-align",
        &["Input", "Fine-tuning", "Probing", "Output"],
        &[&training[..], &["dataset,batch,flip,expected", "off", "reports/gradient-align-<task>-seed<seed>"]].concat(),
    );
    let decoding = ["4", "t5x", "0.6 for t5x, 1 for hf"];
    help(
        "label-ratio",
        &["Input", "Fine-tuning", "Probing", "Evaluation", "Decoding", "Output"],
        &[
            &training[..],
            &decoding,
            &["trivia_qa:1,web_questions:1,wmt16_ende:1", "on", "0.5", "13a", "reports/label-ratio-<task>-seed<seed>"],
        ]
        .concat(),
    );
    help(
        "pretrain",
        &["Input", "Model", "Training", "Probing", "Output"],
        &["mini", "128", "20000", "1000", "48", "adamw", "0.001", "cosine", "0.02", "0.98", "200", "the corpus' own"],
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
