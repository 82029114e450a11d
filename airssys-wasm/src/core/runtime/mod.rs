//! What a WebAssembly engine offers, and how it fails.

pub mod errors;
pub mod traits;
