//! The audit log: append-only, chained by hashes, bounded.

pub mod attempt;
pub mod error;
pub mod log;
pub mod mark;
pub mod query;
pub mod settings;
pub mod status;
pub mod verification;

pub(crate) mod backwards;
pub(crate) mod chain;
pub(crate) mod flood;
pub(crate) mod folder;
pub(crate) mod forwards;
pub(crate) mod head;
pub(crate) mod line;
pub(crate) mod opening;
pub(crate) mod queue;
pub(crate) mod ring;
pub(crate) mod scribe;
pub(crate) mod writer;

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod process_tests;
