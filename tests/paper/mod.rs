//! `fsa paper`: whole runs of a plan that is made small.

mod plan;
mod support;
mod whole;
