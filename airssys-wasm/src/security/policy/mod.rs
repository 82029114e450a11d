//! An operator's rules above grants, written in Cedar.

pub mod action;
pub mod denied;
pub mod gate;
pub mod memo;
pub mod minute;
pub(crate) mod names;
pub(crate) mod outline;
pub mod policy_error;
pub(crate) mod reading;
pub(crate) mod resource;
pub mod rule_set;
pub mod schema;
pub(crate) mod stack;
pub mod verdict;
