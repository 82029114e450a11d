//! Stores: where the state of actors is kept.

pub mod memory;
