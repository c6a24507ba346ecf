//! `fsa completions`: a completion script for a shell.

use clap::Args;
use clap_complete::Shell;
use fsa::Result;

use super::term;

/// Print a shell's completion script
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fsa completions bash > ~/.local/share/bash-completion/completions/fsa")]
pub struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Arguments {
    /// Prints the script.
    pub fn run(self) -> Result<()> {
        // Into memory first: clap_complete panics where its writer fails, as a closed pipe does.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "fsa", &mut script);
        term::print(&script)
    }
}
