//! Drives the real `airssys` with the real guests in `guests/bin`.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod arguments;
mod auditing;
mod caching;
mod data;
mod differing;
mod failures;
mod full_disk;
mod granting;
mod hostile_http;
mod inspecting;
mod interrupting;
mod json;
mod keys;
mod ledger;
mod limiting;
mod logging;
mod operating;
mod policy;
mod repeating;
mod run;
mod signing;
mod system;
mod talking;
mod transferring;
mod trying;
mod up;
