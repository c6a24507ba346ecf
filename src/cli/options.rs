//! Options as typed: structs of `Option`s, filled from flags and from a config file, one layer over the other.

use clap::Args;

/// A struct of options, each `None` where nothing was said.
pub trait Layered: Default {
    /// These options, and those of `below` where nothing was said here.
    fn or(self, below: Self) -> Self;

    /// The keys of the options that say something, and something else than those of `other`.
    fn differing(&self, other: &Self) -> Vec<String>;

    /// The keys of the options that say something.
    fn given(&self) -> Vec<String> {
        self.differing(&Self::default())
    }
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

            fn differing(&self, other: &Self) -> Vec<String> {
                let own = [$((stringify!($option), self.$option.is_some() && self.$option != other.$option)),*];
                let groups: Vec<Vec<String>> = vec![$($(self.$group.differing(&other.$group)),*)?];
                let own = own.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.replace('_', "-"));
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
