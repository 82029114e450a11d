//! The write-ahead log: payloads that are on disk when they were appended.

pub(crate) mod clearing;
pub(crate) mod error;
mod frame;
mod recovery;
mod scan;
mod segment;
pub(crate) mod wal;
