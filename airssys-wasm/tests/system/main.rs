//! Whole systems of real components: what their users rely on.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

#[path = "../common/asking.rs"]
mod asking;
mod support;

mod addressing;
mod calls;
mod failure;
mod fairness;
mod grants;
mod hanging_up;
mod hostile;
mod mailboxes;
mod messaging;
mod needs;
mod outside;
mod policies;
mod replays;
mod requests;
mod shutdown;
mod signatures;
mod storm;
mod supervision;
mod topics;
mod traces;
mod traffic;
mod upgrades;
