//! `fsa man`: the manual, a page for the command and one for each subcommand, and for theirs.

use clap::Args;
use clap_mangen::Man;
use fsa::{Error, Result};

use super::term;

/// Print the manual page
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fsa man > fsa.1 && man ./fsa.1")]
pub struct Arguments {}

impl Arguments {
    /// Prints the pages one after another, which is what man(1) shows as one.
    pub fn run(self) -> Result<()> {
        let mut command = super::command().disable_help_subcommand(true);
        command.build();
        let mut pages = Vec::new();
        for command in with_subcommands(&command) {
            Man::new(command.clone())
                .source(concat!("fsa ", env!("CARGO_PKG_VERSION")))
                .render(&mut pages)
                .map_err(|source| Error::check(format!("cannot make the manual: {source}")).caused_by(source))?;
        }
        term::print(&pages)
    }
}

/// A command, and all below it.
fn with_subcommands(command: &clap::Command) -> Vec<&clap::Command> {
    std::iter::once(command).chain(command.get_subcommands().flat_map(with_subcommands)).collect()
}
