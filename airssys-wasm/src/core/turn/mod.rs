//! The turn: what goes in, what it records, what comes out.

pub mod call;
pub mod context;
pub mod effects;
pub mod errors;
pub mod guest;
pub mod notes;
pub mod outbox;
pub mod overlay;
pub mod recorded;
pub mod recorder;
pub mod report;
pub mod surroundings;
