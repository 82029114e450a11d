//! Detached signatures of components, and whom to trust.

pub mod detached;
pub mod error;
pub mod expiry;
pub mod key_error;
pub mod public_key;
pub mod signing_key;
mod small_file;
pub mod trust;
