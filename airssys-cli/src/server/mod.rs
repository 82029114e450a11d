//! The HTTP face of a running system, thin over its handle.

pub(crate) mod actors;
pub(crate) mod audit;
pub(crate) mod components;
pub(crate) mod connections;
pub(crate) mod data;
pub(crate) mod dead_letter_view;
pub(crate) mod dead_letters;
pub(crate) mod extract;
pub(crate) mod grants;
pub(crate) mod guard;
pub(crate) mod logs;
pub(crate) mod places;
pub(crate) mod policy;
pub(crate) mod problem;
pub(crate) mod routes;
pub(crate) mod shared;
pub(crate) mod status;
pub(crate) mod telling;
pub(crate) mod topics;
