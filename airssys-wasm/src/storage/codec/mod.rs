//! Rows as bytes: what lies in the tables and in the log.

pub(crate) mod blob;
pub(crate) mod cbor;
pub(crate) mod dead_letter_row;
pub(crate) mod error;
#[cfg(test)]
pub(crate) mod fixtures;
pub(crate) mod key;
pub(crate) mod message_row;
pub(crate) mod packed;
pub(crate) mod record_row;
pub(crate) mod request_row;
pub(crate) mod row;
pub(crate) mod usage;
