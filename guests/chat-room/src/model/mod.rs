//! What all versions of the room have in common.

pub(crate) mod address;
pub(crate) mod history;
pub(crate) mod line;
pub(crate) mod log;
pub(crate) mod room;
