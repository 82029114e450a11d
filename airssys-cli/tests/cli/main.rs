//! Drives the real `airssys` with the real guests in `guests/bin`.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod arguments;
mod caching;
mod data;
mod failures;
mod full_disk;
mod hostile_http;
mod inspecting;
mod interrupting;
mod json;
mod ledger;
mod limiting;
mod logging;
mod operating;
mod repeating;
mod run;
mod system;
mod talking;
mod transferring;
mod trying;
mod up;
