//! # Runtime Module
//!
//! Running components with wasmtime, by the Component Model alone.
//!
//! ## Layer 2B - Runtime Layer
//!
//! It may import `core/` and `security/`, and nothing that lies above it. No other
//! layer knows wasmtime.
//!
//! ## The path of one turn
//!
//! [`loader`] reads and checks bytes, [`inspection`] says what is in them, [`needs`] what
//! they ask for, and [`difference`] what a new version changes; [`compiler`] compiles them to
//! an [`artefact`], which [`cache`] remembers, and [`compiled`] holds, shared by all instances.
//! [`store`] owns one [`instance`] and runs its turns; [`state`] is what the host functions in
//! [`host_fn`] see of it. [`limiter`] and [`epoch`] stop a guest that takes too much, and
//! [`conversion`] says why it was stopped.

pub mod artefact;
pub mod bindings;
pub mod cache;
pub mod compiled;
pub mod compiler;
pub mod config;
pub mod conversion;
pub mod difference;
pub mod engine;
pub mod epoch;
pub mod exports;
pub mod folder_usage;
pub mod guest;
pub mod host_fn;
pub mod inspection;
pub mod instance;
pub mod introspection;
pub mod limiter;
pub mod lines;
pub mod loaded;
pub mod loader;
pub mod needs;
pub mod outline;
pub mod pace;
pub mod rate;
pub mod settings;
pub mod slab;
pub mod slice;
pub mod state;
pub mod store;
pub mod uses;
