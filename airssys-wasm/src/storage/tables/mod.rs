//! Tables of raw keys and values in one file.

pub(crate) mod backend;
pub(crate) mod error;
pub(crate) mod failure;
#[cfg(test)]
pub(crate) mod memory_file;
pub(crate) mod meta;
pub(crate) mod reader;
pub(crate) mod snapshot;
pub(crate) mod table;
pub(crate) mod tables;
