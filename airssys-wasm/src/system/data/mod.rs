//! What operators do with data: back it up, check it, move it.

pub mod actor_state;
pub mod backup;
pub mod compaction;
mod draft;
pub mod error;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod fixture_tests;
pub mod invalid_state;
pub mod state_reader;
pub mod stopped_data;
#[cfg(test)]
mod stopped_tests;
pub mod transfer;
pub mod verification;
mod waiting;
