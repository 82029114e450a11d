//! Limits of whole systems: what happens exactly at each, and one beyond.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

#[path = "../common/asking.rs"]
mod asking;
mod support;

mod ceiling;
mod depth;
mod live;
mod loading;
mod mailbox;
mod memory;
mod opened;
mod rates;
mod table;
