//! One actor: its mailbox, its turns, its life.

pub mod activation;
pub mod actor;
mod burial;
mod catching_up;
pub mod cell;
pub mod clock;
pub mod deployment;
pub mod directory;
pub mod effects;
mod failing;
pub mod live_set;
pub mod mailbox;
mod places;
pub(crate) mod queue;
pub mod recording;
pub mod retry;
mod room;
pub mod settings;
#[cfg(test)]
mod simulation;
pub mod supervision;
pub mod turn;
pub(crate) mod waiting;
pub mod world;
