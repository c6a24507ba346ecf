//! Options as typed: structs of `Option`s, filled from flags and from a config file, one layer over the other.

use clap::Args;

/// A struct of options, each `None` where nothing was said.
pub trait Layered: Sized {
    /// These options, and those of `below` where nothing was said here.
    fn or(self, below: Self) -> Self;

    /// The keys of the options that say something.
    fn given(&self) -> Vec<String>;
}

/// Makes a struct [`Layered`]: names every option once, and then every group of options in it.
macro_rules! every_option {
    ($options:ty { $($option:ident)* } $({ $($group:ident)* })?) => {
        impl $crate::cli::options::Layered for $options {
            fn or(self, below: Self) -> Self {
                Self {
                    $($option: self.$option.or(below.$option),)*
                    $($($group: self.$group.or(below.$group),)*)?
                }
            }

            fn given(&self) -> Vec<String> {
                let own = [$((stringify!($option), self.$option.is_some())),*];
                let groups: Vec<Vec<String>> = vec![$($(self.$group.given()),*)?];
                let own = own.into_iter().filter(|(_, given)| *given).map(|(name, _)| name.replace('_', "-"));
                own.chain(groups.into_iter().flatten()).collect()
            }
        }
    };
}

pub(in crate::cli) use every_option;

/// The flags of `T`, without their dashes.
pub fn keys<T: Args>() -> Vec<String> {
    let command = T::augment_args(clap::Command::new("keys"));
    command.get_arguments().filter_map(|arg| arg.get_long()).map(String::from).collect()
}
