//! The runtime layer from outside: loading, the cache of compiled components, WASI,
//! and calling by handle.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod support;

mod by_handle;
mod cache;
mod callable;
mod compiler;
mod environment;
mod files;
mod folder_room;
mod generated;
mod http;
mod inspection;
mod loader;
mod needs;
mod network;
mod outsider;
mod profiles;
mod wasi;
mod wasi_imports;
