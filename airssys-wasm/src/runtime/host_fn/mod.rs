//! What guests may import: one file for each interface.
//!
//! A host function reads the committed state and the turn so far, and records what
//! the guest wants. It reaches nothing else, which is why it can neither block nor
//! leave half of something done. `rpc` alone waits.

pub mod link;
pub mod messaging;
pub mod rpc;
pub mod services;
pub mod storage;
pub mod wasi;
