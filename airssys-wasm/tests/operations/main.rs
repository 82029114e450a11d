//! What operators do with the data of a running system.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod backups;
mod fixtures;
mod support;
mod transfers;
