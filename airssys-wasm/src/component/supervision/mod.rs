//! What happens when an actor fails: who restarts, and when it is given up.

pub mod action;
pub mod ended;
pub mod group;
pub mod intensity;
pub mod invalid;
pub mod member;
pub mod restart;
pub mod status;
pub mod supervisor;

mod forest;
mod lone;
#[cfg(test)]
mod model;
#[cfg(test)]
mod properties;
