//! Stores: where the state of actors is kept.

pub mod actor_store;
pub(crate) mod codec;
pub mod data_folder;
pub mod disk;
pub(crate) mod log;
pub mod memory;
pub(crate) mod path_text;
pub(crate) mod tables;
pub(crate) mod wal;
