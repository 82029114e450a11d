//! The turn: what goes in, what it records, what comes out.

pub mod call;
pub mod context;
pub mod effects;
pub mod errors;
pub mod outbox;
pub mod overlay;
pub mod recorder;
pub mod report;
