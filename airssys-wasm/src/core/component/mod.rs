//! Who an actor is and what it is sent.

pub mod description;
pub mod digest;
pub mod handle;
pub mod id;
pub mod message;
pub mod payload;
pub mod topic;

pub use payload::MessagePayload;
