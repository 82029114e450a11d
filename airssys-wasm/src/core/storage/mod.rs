//! An actor's keys and values.

pub mod keyspace;
pub mod store;
