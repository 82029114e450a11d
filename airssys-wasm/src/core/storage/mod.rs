//! An actor's keys and values.

pub mod backlog;
pub mod commit;
pub mod durability;
pub mod gated;
pub mod keyspace;
pub mod row;
pub mod store;
pub mod usage;
