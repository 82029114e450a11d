//! An actor's keys and values.

pub mod keyspace;
