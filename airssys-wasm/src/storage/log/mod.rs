//! The commit log: the one order of all commits, in memory first and on disk soon after.

pub(crate) mod batch;
pub(crate) mod checkpointer;
pub(crate) mod committer;
pub(crate) mod error;
#[cfg(test)]
mod fault_tests;
pub(crate) mod frame;
pub(crate) mod kept;
pub(crate) mod log;
pub(crate) mod message_pages;
#[cfg(test)]
mod model;
#[cfg(test)]
mod model_tests;
pub(crate) mod overlay;
pub(crate) mod reads;
pub(crate) mod recovery;
pub(crate) mod settings;
pub(crate) mod shared;
pub(crate) mod state;
pub(crate) mod stats;
pub(crate) mod usage;
pub(crate) mod wait;
pub(crate) mod waiters;
