//! The runtime layer from outside: loading, the cache of compiled components, WASI,
//! and calling by handle.

mod support;

mod by_handle;
mod cache;
mod inspection;
mod loader;
mod profiles;
mod wasi;
