//! What the command says of itself: help, version, manual, completions.

use super::{fsa, stderr, stdout};

const SUBCOMMANDS: [&str; 7] = ["gradient-align", "plot", "dump", "score", "tasks", "completions", "man"];

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

#[test]
fn help_of_gradient_align_is_grouped_and_states_defaults() {
    // On one line: where clap wraps is not the point.
    let wrapped = said("gradient-align --help");
    let help = wrapped.split_whitespace().collect::<Vec<_>>().join(" ");
    let place = |text: &str| help.find(text).unwrap_or_else(|| panic!("no {text} in\n{help}"));
    let headings = ["Input: --", "Fine-tuning: --", "Probing: --", "Output: --"].map(place);
    assert!(headings.is_sorted(), "{headings:?}");
    for default in ["400", "rte", "adafactor-t5x", "0.001; 0.0001 for adamw", "dataset,batch,flip,expected", "off"] {
        place(&format!("[default: {default}]"));
    }
}

#[test]
fn the_manual_has_a_page_for_every_subcommand() {
    let manual = said("man");
    for name in SUBCOMMANDS {
        // A hyphen is escaped in roff.
        let page = format!(".SH NAME\nfsa\\-{}", name.replace('-', "\\-"));
        assert!(manual.contains(&page), "no {page:?}");
    }
    assert!(manual.contains("\\-\\-probe\\-every"));
}

#[test]
fn completions_know_the_flags() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = said(&format!("completions {shell}"));
        assert!(script.contains("gradient-align") && script.contains("probe-every"), "{shell}");
    }
}
