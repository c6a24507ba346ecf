//! One integration binary: one link, many modules.

mod architecture;
mod cli;
mod compare;
mod golden;
mod hub;
mod inspect;
mod measure;
mod mini;
mod paper;
mod pretrain;
mod ratio;
mod readers;
mod run;
mod tasks;
