//! Durable actors: what is left of a system after its end, however it came, and what
//! operators do with its data.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod hosted;
mod process;
mod support;

mod audit;
mod bank;
mod orders;

mod backups;
mod fixtures;
mod letters;
mod losses;
mod no_trace;
mod open_ends;
mod quotas;
mod repeats;
mod restarts;
mod transfers;
mod waiting;
