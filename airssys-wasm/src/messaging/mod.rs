//! What lies between actors: timers, open requests, topics, dead letters, waits, traces.

pub mod alarms;
pub mod correlation;
pub mod dead_letters;
pub mod plan;
pub mod router;
pub mod timers;
pub mod too_many;
pub mod topics;
pub mod trace;
pub mod waits;

pub(crate) mod shares;
