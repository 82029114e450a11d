//! What a system is told to be, in a program or in a file.

pub(crate) mod ceiling;
pub mod check;
mod check_access;
mod check_security;
pub mod component;
pub mod group;
pub mod problem;
pub mod secret_source;
pub mod security;
pub mod shape;
pub mod system;
