//! The hub's client against real servers on loopback, through the built command.

mod adapters;
mod commands;
mod data;
mod datasets;
mod downloads;
mod fixture;
mod refusals;
mod registry;
mod server;
mod without;
